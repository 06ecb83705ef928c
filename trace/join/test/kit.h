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

/* Writes the world, converts, reads and joins; the caller calls join_free. */
void join_world(struct join *join, struct world *world, long skip_guest, long skip_host);

/* Path of one of our programs under $BUILD/trace, "build/trace" if unset; static. */
const char *program(const char *name);

/* Runs a shell command; returns its exit status, its output (stdout and stderr) in `output`. */
int run(char *output, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
