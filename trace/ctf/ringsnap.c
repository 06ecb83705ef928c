/* ringsnap: looks into a guest's trace region through its RAM file, at no cost to the guest. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "classes.h"
#include "complain.h"
#include "snapshot.h"

enum { EXIT_BAD = 2, EXIT_PANIC = 3, EXIT_TIMEOUT = 4 };
#define POLL_NS 2000000

static int usage(void)
{
    complain("usage: ringsnap RAMFILE state | counters | position | losses | mask [MASK] | "
             "wait STATE SECONDS | "
             "cut --from N[:LOST],... --to N[:LOST],... --out DIR | dump --out DIR");
    return EXIT_BAD;
}

/* The file may shrink under the map: QEMU's is removed when the guest is torn down. */
static void on_bus_error(int signal)
{
    static const char line[] = "ringsnap: the RAM file was truncated while being read\n";
    (void)signal;
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(EXIT_BAD);
    _exit(EXIT_BAD);
}

/* Nothing if no trigger has fired. */
static void show_trigger(const struct region *r)
{
    struct trace_trigger_mark t = region_trigger(r);
    if (!t.fired)
        return;
    const char *name = region_trigger_name(t.fired), *unit = region_trigger_unit(t.fired);
    printf("trigger\t%s\ntrigger_vq\t%u\ntrigger_cpu\t%u\ntrigger_record\t%" PRIu64
           "\ntrigger_tsc\t%" PRIu64 "\ntrigger_value%s%s\t%" PRIu64 "\n",
           name, t.vq, t.cpu, t.record, t.time, *unit ? "_" : "", unit, t.value);
}

static int show_state(const struct region *r)
{
    printf("state\t%s\nabout\t%s\ntsc_hz\t%" PRIu64 "\ncpus\t%u\noverwrite\t%u\nmask\t%#x\n",
           region_state_name(region_state(r)), r->head.about, r->head.tsc_hz, r->head.cpus,
           r->head.overwrite, region_mask(r));
    show_trigger(r);
    return 0;
}

static int show_losses(const struct region *r)
{
    for (unsigned cpu = 0; cpu < r->head.cpus; cpu++)
        for (unsigned class = 0; class < TRACE_CLASSES; class ++)
            if (strcmp(trace_class_name(class), "?"))
                printf("%u\t%s\t%" PRIu64 "\n", cpu, trace_class_name(class),
                       region_lost_of(r, cpu, class));
    return 0;
}

static int mask_command(const struct region *r, const char *text)
{
    uint32_t mask = region_mask(r);
    if (text && (trace_mask_parse(text, &mask) || region_set_mask(r, mask)))
        return EXIT_BAD;
    printf("mask\t%#x\n", mask);
    for (unsigned class = 0; class < TRACE_CLASSES; class ++)
        if (strcmp(trace_class_name(class), "?"))
            printf("%s\t%s\n", trace_class_name(class), mask >> class & 1 ? "on" : "off");
    return 0;
}

static int show_counters(const struct region *r)
{
    for (unsigned i = 0; i < r->head.counters_used; i++) {
        uint64_t value;
        if (region_counter(r, i, &value)) {
            complain("%s: counter %s at %#" PRIx64 " lies outside the RAM file: restart the guest",
                     r->path, r->head.counters[i].name, r->head.counters[i].paddr);
            return EXIT_BAD;
        }
        printf("%s\t%" PRIu64 "\n", r->head.counters[i].name, value);
    }
    return 0;
}

static int show_position(const struct region *r)
{
    for (unsigned cpu = 0; cpu < r->head.cpus; cpu++)
        printf("%u %" PRIu64 " %" PRIu64 "\n", cpu, region_reserved(r, cpu), region_lost(r, cpu));
    return 0;
}

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int state_number(const char *name)
{
    for (int i = 0; i <= TRACE_GUEST_PANIC; i++)
        if (!strcasecmp(name, region_state_name((uint32_t)i)))
            return i;
    return complain("no state '%s': use booting, ready, running, done or panic", name);
}

/* The region appears some time after QEMU starts, so "not there" is waited out as well. */
static int wait_state(const char *path, const char *name, const char *seconds)
{
    char *end, why[512] = "";
    int wanted = state_number(name);
    double limit = strtod(seconds, &end);
    if (wanted < 0)
        return EXIT_BAD;
    if (*end || end == seconds || !(limit >= 0))
        return usage();
    double deadline = now_seconds() + limit;
    struct region r;
    int open = 0;
    for (;;) {
        open = open || !region_open(&r, path, why, sizeof why);
        uint32_t state = open ? region_state(&r) : TRACE_GUEST_BOOTING;
        if (open && state == (uint32_t)wanted)
            return 0;
        if (state == TRACE_GUEST_PANIC) {
            complain("%s: the guest panicked (%s)", path, r.head.about);
            return EXIT_PANIC;
        }
        if (!open && region_died_early(path)) {
            complain("%s: the guest stopped before it set up tracing: its console says why", path);
            return EXIT_PANIC;
        }
        if (now_seconds() >= deadline) {
            if (open)
                complain("%s: still %s after %s s", path, region_state_name(state), seconds);
            else
                complain("%s", why);
            return EXIT_TIMEOUT;
        }
        nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
    }
}

/* "N[:LOST]" per CPU in order, comma separated, as `position` gives them. */
static int parse_position(const char *text, unsigned cpus, struct position *p)
{
    const char *c = text;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        char *end;
        errno = 0;
        p->lost[cpu] = 0;
        p->reserved[cpu] = strtoull(c, &end, 10);
        if (end != c && *end == ':') {
            c = end + 1;
            p->lost[cpu] = strtoull(c, &end, 10);
        }
        if (errno || end == c || *end != (cpu + 1 < cpus ? ',' : 0))
            return complain("'%s' is not a position: give N or N:LOST for each of %u CPUs, comma "
                            "separated",
                            text, cpus);
        c = end + 1;
    }
    return 0;
}

static int report(const struct region *r, const char *out, const struct snapshot_count *n)
{
    printf("records\t%" PRIu64 "\noverwritten\t%" PRIu64 "\nuncommitted\t%" PRIu64
           "\ndropped\t%" PRIu64 "\n",
           n->records, n->overwritten, n->uncommitted, n->dropped);
    if (n->stopped)
        printf("stopped\t%" PRIu64 "\n", n->stopped);
    show_trigger(r);
    if (n->overwritten + n->uncommitted + n->dropped)
        complain("%s: %" PRIu64 " records are missing: cut more often, give the guest a larger "
                 "buffer, or mask event classes",
                 out, n->overwritten + n->uncommitted + n->dropped);
    return 0;
}

static int take(const struct region *r, int argc, char **argv)
{
    const char *from = NULL, *to = NULL, *out = NULL;
    struct position begin, end;
    struct snapshot_count count;
    int cut = !strcmp(argv[0], "cut");
    for (int i = 1; i < argc; i += 2) {
        const char **value = !strcmp(argv[i], "--out")           ? &out
                             : cut && !strcmp(argv[i], "--from") ? &from
                             : cut && !strcmp(argv[i], "--to")   ? &to
                                                                 : NULL;
        if (!value || i + 1 == argc)
            return usage();
        *value = argv[i + 1];
    }
    if (!out || (cut && (!from || !to)))
        return usage();
    if (cut &&
        (parse_position(from, r->head.cpus, &begin) || parse_position(to, r->head.cpus, &end)))
        return EXIT_BAD;
    if (cut ? snapshot_cut(r, &begin, &end, out, &count) : snapshot_dump(r, out, &count))
        return EXIT_BAD;
    return report(r, out, &count);
}

int main(int argc, char **argv)
{
    complain_program = "ringsnap";
    signal(SIGBUS, on_bus_error);
    if (argc < 3)
        return usage();
    const char *command = argv[2];
    if (!strcmp(command, "wait"))
        return argc == 5 ? wait_state(argv[1], argv[3], argv[4]) : usage();
    char why[512];
    struct region r;
    if (region_open(&r, argv[1], why, sizeof why)) {
        complain("%s", why);
        return EXIT_BAD;
    }
    int bad;
    if (!strcmp(command, "cut") || !strcmp(command, "dump"))
        bad = take(&r, argc - 2, argv + 2);
    else if (!strcmp(command, "mask") && argc <= 4)
        bad = mask_command(&r, argc == 4 ? argv[3] : NULL);
    else if (argc != 3)
        bad = usage();
    else if (!strcmp(command, "state"))
        bad = show_state(&r);
    else if (!strcmp(command, "counters"))
        bad = show_counters(&r);
    else if (!strcmp(command, "position"))
        bad = show_position(&r);
    else if (!strcmp(command, "losses"))
        bad = show_losses(&r);
    else
        bad = usage();
    region_close(&r);
    if (fflush(stdout) && !bad) {
        complain("standard output: %s", strerror(errno));
        bad = EXIT_BAD;
    }
    return bad;
}
