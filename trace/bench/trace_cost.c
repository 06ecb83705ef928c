/* What an event costs: each side in turn, round after round, in one process.
 *
 *   trace_cost samples ROUNDS EVENTS       lines: name, round, side, ns per event
 *   trace_cost run on|masked|full|off|bare|ring EVENTS   one of them, for callgrind to count */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../buffer.h"
#include "sides.h"

#define BYTES (1u << 20) /* of a buffer: what a second-level cache holds, as LTTng's here */

static uint8_t memory[BYTES] __attribute__((aligned(4096)));

void ours_begin(uint64_t bytes, bool masked, bool overwrite)
{
    if (trace_buffer_init(memory, bytes, 1, 1000000000))
        abort();
    trace_region()->overwrite = overwrite;
    trace_region()->mask = masked ? 0 : TRACE_MASK_ALL;
}

void bare_loop(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        __asm__ volatile("" : "+r"(i));
}

static void on(void)
{
    ours_begin(BYTES, false, true);
}

static void masked(void)
{
    ours_begin(BYTES, true, true);
}

static void full(void)
{
    ours_begin(BYTES, false, false);
    ours_on(BYTES / 32);
}

static void ring_over(void)
{
    ring_begin(BYTES, true);
}

static void ring_full(void)
{
    ring_begin(BYTES, false);
    ring_on(BYTES / 16);
}

static void nothing(void)
{
}

/* A row of the result compares two sides; a side may stand in several. */
static const struct side {
    const char *name, *row, *of;
    void (*begin)(void);
    void (*run)(uint64_t n);
    bool lttng;
} sides[] = {
    { "off", "trace_off", "ours", nothing, ours_off, false },
    { "bare", "trace_off", "peer", nothing, bare_loop, false },
    { "masked", "trace_masked", "ours", masked, ours_on, false },
    { "lttng_masked", "trace_masked", "peer", nothing, lttng_masked, true },
    { "on", "trace_on", "ours", on, ours_on, false },
    { "lttng_on", "trace_on", "peer", nothing, lttng_on, true },
    { "on", "trace_on_ring", "ours", on, ours_on, false },
    { "ring", "trace_on_ring", "peer", ring_over, ring_on, false },
    { "full", "trace_full", "ours", full, ours_on, false },
    { "ring_full", "trace_full", "peer", ring_full, ring_on, false },
};
#define SIDES (sizeof sides / sizeof *sides)

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The shortest of a few slices: what else ran on the CPU meanwhile is not the event's cost. */
static double cost(const struct side *s, uint64_t n)
{
    enum { SLICES = 8 };
    double best = 1e18;
    s->begin();
    s->run(n); /* warm */
    for (int i = 0; i < SLICES; i++) {
        double start = now_ns();
        s->run(n);
        double each = (now_ns() - start) / (double)n;
        best = each < best ? each : best;
    }
    return best;
}

static void samples(uint64_t rounds, uint64_t events)
{
    bool with_lttng = lttng_is_on();
    printf("name\tpair\tside\tns\n");
    for (uint64_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < SIDES; i++) {
            /* The order changes from round to round. */
            const struct side *s = &sides[round % 2 ? SIDES - 1 - i : i];
            if (!with_lttng && (s->lttng || (s[1].lttng && s + 1 < sides + SIDES)))
                continue;
            printf("%s\t%" PRIu64 "\t%s\t%.3f\n", s->row, round, s->of, cost(s, events));
        }
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "samples")) {
        samples(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
        return 0;
    }
    for (size_t i = 0; argc == 4 && i < SIDES; i++)
        if (!strcmp(argv[1], "run") && !strcmp(argv[2], sides[i].name)) {
            sides[i].begin();
            sides[i].run(strtoull(argv[3], NULL, 10));
            return 0;
        }
    fprintf(stderr, "usage: trace_cost samples ROUNDS EVENTS | run SIDE EVENTS\n");
    return 2;
}
