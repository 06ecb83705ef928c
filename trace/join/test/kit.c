#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../hostlog.h"

static char dir[64];

static void remove_scratch(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command))
        perror(dir);
}

const char *scratch(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    if (!*dir) {
        strcpy(dir, "/tmp/ringscope-test-XXXXXX");
        assert_non_null(mkdtemp(dir));
        atexit(remove_scratch);
    }
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static int saved_stderr;

void complaints_begin(void)
{
    fflush(stderr);
    saved_stderr = dup(2);
    assert_non_null(freopen(scratch("complaints"), "w", stderr));
}

const char *complaints_end(void)
{
    static char text[65536];
    fflush(stderr);
    dup2(saved_stderr, 2);
    close(saved_stderr);
    FILE *f = fopen(scratch("complaints"), "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

int convert_log(const char *path, const char *out)
{
    struct hostlog log;
    int bad = hostlog_read(&log, path);
    if (!bad) {
        hostlog_keep_pid(&log, WORLD_QEMU_PID);
        hostlog_unwrap(&log);
        bad = hostlog_slice(&log, WORLD_BEGIN_MARK, WORLD_END_MARK) || hostlog_write(&log, out);
    }
    hostlog_free(&log);
    return bad;
}

struct chain *chains;
static size_t chains_room;

static void collect(void *context, const struct join *j, const struct chain *c)
{
    (void)context;
    (void)j;
    if (c->number >= chains_room) {
        chains_room = 2 * (size_t)c->number + 64;
        chains = realloc(chains, chains_room * sizeof *chains);
        assert_non_null(chains);
    }
    chains[c->number] = *c;
}

int join_dirs(struct join *j, const char *guest, const char *host)
{
    if (join_open(j, guest, host))
        return -1;
    join_run(j, collect, NULL);
    return 0;
}

void join_world(struct join *j, struct world *w, long skip_guest, long skip_host)
{
    assert_int_equal(world_write(w, scratch("guest"), scratch("host.log"), skip_guest, skip_host),
                     0);
    assert_int_equal(convert_log(scratch("host.log"), scratch("host")), 0);
    assert_int_equal(join_dirs(j, scratch("guest"), scratch("host")), 0);
}

int trace_read(struct trace *t, const char *dir, enum trace_side side)
{
    struct event e;
    *t = (struct trace){ 0 };
    if (reader_open(&t->reader, dir, side))
        return -1;
    reader_rewind(&t->reader, 1);
    while (reader_next(&t->reader, &e)) {
        t->events = realloc(t->events, (t->count + 1) * sizeof e);
        assert_non_null(t->events);
        t->events[t->count++] = e;
    }
    t->lost = t->reader.lost;
    return 0;
}

void trace_free(struct trace *t)
{
    free(t->events);
    reader_close(&t->reader);
}

const char *program(const char *name)
{
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof paths[0], "%s/trace/%s", build ? build : "build", name);
    return path;
}

int run(char *output, size_t size, const char *format, ...)
{
    char command[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command - 8, format, args);
    va_end(args);
    strcat(command, " 2>&1");
    FILE *p = popen(command, "r");
    assert_non_null(p);
    output[fread(output, 1, size - 1, p)] = 0;
    int status = pclose(p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
