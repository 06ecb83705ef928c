/* What the tests share: a scratch directory, captured complaints, a world taken through the files.
 */
#ifndef TRACE_TEST_KIT_H
#define TRACE_TEST_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../join.h"
#include "world.h"

/* A path in the test program's own scratch directory, removed at exit; valid until 8 calls later.
 */
const char *scratch(const char *name);

/* Sends stderr to a file, and returns what was written since. The text is static. */
void complaints_begin(void);
const char *complaints_end(void);

/* Host log to host CTF directory, as hostlog2ctf does. */
int convert_log(const char *log, const char *dir);

/* The chains of the last join, by number. */
extern struct chain *chains;

/* Joins two trace directories: 0, or -1 if they are none. The caller calls join_free. */
int join_dirs(struct join *join, const char *guest, const char *host);

/* Writes the world, converts, reads and joins; the caller calls join_free. */
void join_world(struct join *join, struct world *world, long skip_guest, long skip_host);

/* A whole trace in memory. Complains and returns -1 if it is none; the caller calls trace_free. */
struct trace {
    struct reader reader; /* at its end, with the losses */
    struct event *events; /* owned */
    size_t count;
    uint64_t lost;
};
int trace_read(struct trace *trace, const char *dir, enum trace_side side);
void trace_free(struct trace *trace);

/* Path of one of our programs under $BUILD/trace, "build/trace" if unset; static. */
const char *program(const char *name);

/* Runs a shell command; returns its exit status, its output (stdout and stderr) in `output`. */
int run(char *output, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
