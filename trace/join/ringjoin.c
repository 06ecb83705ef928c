/* ringjoin: joins a guest trace and a host trace of the same stretch of time, kick by kick. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../ctf/complain.h"
#include "export.h"

#define SLOWEST_MAX 100000

enum { EXIT_BAD = 2, EXIT_KICK_MISSING = 3, EXIT_NOT_ADDED_UP = 4 };

struct options {
    const char *guest, *host, *out, *chains_max, *print, *slowest, *timeline, *chain;
};

static int usage(void)
{
    complain("usage: ringjoin --guest DIR --host DIR --out DIR [--chains-max N] "
             "[--print KICK|slowest] [--slowest N] [--timeline FILE [--chain KICK|slowest]]");
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
                             : !strcmp(argv[i], "--slowest")    ? &o->slowest
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

/* What the options ask of the chains while they go by. */
struct wanted {
    struct digest *digest; /* owned */
    struct rows rows;
};

static void take(void *context, const struct join *j, const struct chain *c)
{
    struct wanted *w = context;
    digest_take(w->digest, j, c);
    rows_take(&w->rows, j, c);
}

static int by_name(const char *text)
{
    return text && strcmp(text, "slowest");
}

/* Kicks that options name by their ordinals. Two different ones would need two readings. */
static int ask_for(struct digest *d, const struct options *o)
{
    const char *text = by_name(o->print) ? o->print : by_name(o->chain) ? o->chain : NULL;
    unsigned long long ordinal;
    if (!text)
        return 0;
    if (by_name(o->chain) && strcmp(text, o->chain))
        return complain("--print and --chain name two kicks: ask for one");
    if (number(text, UINT32_MAX, &ordinal))
        return -1;
    d->wanted = (uint32_t)ordinal;
    d->wanted_set = 1;
    return 0;
}

/* The chain that an option names, NULL if there is none. */
static const struct chain *chosen(const struct digest *d, const char *text)
{
    if (by_name(text))
        return d->found_there ? &d->found : NULL;
    return d->slowest_count ? &d->slowest[0] : NULL;
}

static int print(const struct join *j, const struct digest *d, const struct options *o)
{
    const struct chain *chain = o->print ? chosen(d, o->print) : NULL;
    if (!o->print)
        print_summary(stdout, j, d);
    else if (!chain)
        return complain("%s: no chain '%s': `ringjoin` without --print tells what there is",
                        j->guest.reader.dir, o->print);
    else
        print_chain(stdout, j, chain);
    for (size_t i = 0; o->slowest && i < d->slowest_count; i++) {
        fputc('\n', stdout);
        print_chain(stdout, j, &d->slowest[i]);
    }
    return fflush(stdout) ? complain("standard output: %s", strerror(errno)) : 0;
}

static int timeline(const struct join *j, const struct digest *d, const struct options *o)
{
    if (!o->timeline)
        return 0;
    return export_timeline(j, o->chain ? chosen(d, o->chain) : digest_typical(d), o->timeline);
}

static int report(const struct join *j, struct wanted *w, const struct options *o)
{
    int added_up = export_adds_up(j);
    digest_sort(w->digest);
    int bad = rows_end(&w->rows) || export_all(j, w->digest, o->out) || timeline(j, w->digest, o) ||
              print(j, w->digest, o);
    if (bad || j->guest.damaged || j->host.damaged)
        return EXIT_BAD;
    if (!added_up)
        return EXIT_NOT_ADDED_UP;
    return j->unmatched ? EXIT_KICK_MISSING : 0;
}

static int join(struct join *j, struct wanted *w, const struct options *o)
{
    unsigned long long chains_max = UINT64_MAX, slowest = 1;
    if ((o->chains_max && number(o->chains_max, UINT64_MAX, &chains_max)) ||
        (o->slowest && number(o->slowest, SLOWEST_MAX, &slowest)))
        return EXIT_BAD;
    w->digest = digest_new(slowest);
    if (ask_for(w->digest, o) || join_open(j, o->guest, o->host) ||
        rows_begin(&w->rows, o->out, chains_max))
        return EXIT_BAD;
    join_run(j, take, w);
    return report(j, w, o);
}

int main(int argc, char **argv)
{
    static struct join j;
    static struct wanted w;
    struct options options = { 0 };
    complain_program = "ringjoin";
    if (parse(argc, argv, &options))
        return usage();
    int status = join(&j, &w, &options);
    join_free(&j);
    if (w.digest)
        digest_free(w.digest);
    return status;
}
