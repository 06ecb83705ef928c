/* ringjoin: joins a guest trace and a host trace of the same stretch of time, kick by kick. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../ctf/complain.h"
#include "export.h"

enum { EXIT_BAD = 2, EXIT_KICK_MISSING = 3, EXIT_NOT_ADDED_UP = 4 };

struct options {
    const char *guest, *host, *out, *chains_max, *print, *timeline, *chain;
};

static int usage(void)
{
    complain("usage: ringjoin --guest DIR --host DIR --out DIR [--chains-max N] "
             "[--print KICK|slowest] [--timeline FILE [--chain KICK|slowest]]");
    return EXIT_BAD;
}

static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i += 2) {
        const char **value = !strcmp(argv[i], "--guest")        ? &o->guest
                             : !strcmp(argv[i], "--host")       ? &o->host
                             : !strcmp(argv[i], "--out")        ? &o->out
                             : !strcmp(argv[i], "--chains-max") ? &o->chains_max
                             : !strcmp(argv[i], "--print")      ? &o->print
                             : !strcmp(argv[i], "--timeline")   ? &o->timeline
                             : !strcmp(argv[i], "--chain")      ? &o->chain
                                                                : NULL;
        if (!value || i + 1 == argc)
            return -1;
        *value = argv[i + 1];
    }
    return o->guest && o->host && o->out ? 0 : -1;
}

static int number(const char *text, unsigned long long max, unsigned long long *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || *value > max)
        return complain("'%s' is not a number from 0 to %llu", text, max);
    return 0;
}

/* The chain that an option names; *chain is NULL if there is none. */
static int choose(const struct join *j, const char *text, const struct chain **chain)
{
    unsigned long long ordinal;
    if (!strcmp(text, "slowest")) {
        *chain = chain_slowest(j);
        return 0;
    }
    if (number(text, UINT32_MAX, &ordinal))
        return -1;
    *chain = chain_of_kick(j, (uint32_t)ordinal);
    return 0;
}

static int print(const struct join *j, const struct options *o)
{
    const struct chain *chain;
    if (!o->print) {
        print_summary(stdout, j);
    } else {
        if (choose(j, o->print, &chain))
            return -1;
        if (!chain)
            return complain("%s: no chain '%s': `ringjoin` without --print tells what there is",
                            j->guest.dir, o->print);
        print_chain(stdout, j, chain);
    }
    return fflush(stdout) ? complain("standard output: %s", strerror(errno)) : 0;
}

static int timeline(const struct join *j, const struct options *o)
{
    const struct chain *chain = chain_typical(j);
    if (!o->timeline)
        return 0;
    if (o->chain && choose(j, o->chain, &chain))
        return -1;
    return export_timeline(j, chain, o->timeline);
}

static int join(struct join *j, const struct options *o)
{
    unsigned long long chains_max = UINT64_MAX;
    if (o->chains_max && number(o->chains_max, UINT64_MAX, &chains_max))
        return EXIT_BAD;
    if (trace_read(&j->guest, o->guest, TRACE_SIDE_GUEST) ||
        trace_read(&j->host, o->host, TRACE_SIDE_HOST))
        return EXIT_BAD;
    join_run(j);
    int added_up = export_adds_up(j);
    if (export_all(j, o->out, chains_max) || timeline(j, o) || print(j, o))
        return EXIT_BAD;
    if (!added_up)
        return EXIT_NOT_ADDED_UP;
    return j->unmatched ? EXIT_KICK_MISSING : 0;
}

int main(int argc, char **argv)
{
    static struct join j;
    struct options options = { 0 };
    complain_program = "ringjoin";
    if (parse(argc, argv, &options))
        return usage();
    int status = join(&j, &options);
    join_free(&j);
    return status;
}
