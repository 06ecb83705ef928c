/* Many made-up worlds, each of another kind: what the joiner says of them against the truth.
 * SEEDS=N worlds, from FIRST_SEED on; 300 from 1 in the suite and one more, `make join-seeds` for
 * many more. */
#include "kit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../export.h"

#define HARVEST_TIE 3553 /* has a harvest and a spurious interrupt at one TSC */

static uint64_t current;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %lu: %s", current, #condition);                                         \
    } while (0)

static struct world_options options_of(uint64_t seed)
{
    static const double rates[] = { .001, .01, .05, .2 };
    struct world_options o = world_defaults(seed);
    uint64_t r = seed * 0x9e3779b97f4a7c15ull;
    r ^= r >> 29;
    o.sends = 40 + (unsigned)(r % 160);
    o.hz = 1e9 + (double)(r >> 8 & 7) * 4.37e8;
    o.drift_ppm = (double)(r >> 11 & 63) * 8 - 250;
    o.regular = (r >> 17 & 7) == 0;
    o.exit_us = .2 + (double)(r >> 20 & 15) * .5;
    o.poll_share = (double)(r >> 24 & 3) * .3;
    o.rx_ring = r >> 26 & 1 ? 6 : 256;
    o.first_index = r >> 27 & 1 ? 65535 - (r >> 28 & 255) : (r >> 28 & 0xffff);
    o.first_kick = (uint32_t)(r >> 44 & 4095);
    o.first_count = (uint32_t)(r >> 40 & 8191);
    o.full = seed % 4 == 1;
    o.vcpus = 1 + (r >> 56 & 1);
    if (o.vcpus > 1 && r >> 57 & 1)
        o.tsc_skew = (int64_t)(r >> 30 & 0xffffff) * ((r >> 58 & 1) ? 1 : -1) * 16;
    if (seed % 3 == 0) {
        o.guest_loss = seed & 2 ? rates[r >> 59 & 3] : 0;
        o.host_loss = seed & 1 ? rates[r >> 61 & 3] : 0;
        o.lose_start = seed % 5 == 0 ? (int)(seed % 37) : 0;
    } else if (seed % 7 == 0) { /* a bend, where there are kicks enough to see it on either side */
        o.sends = 450;
        o.step_ms = 8;
        o.step_ppm = (r >> 62 & 1 ? 1 : -1) * (3000 + (double)(r >> 50 & 15) * 200);
        o.exit_us = fmin(o.exit_us, 3); /* wider brackets would not show it: see README.md */
        o.vcpus = 1;                    /* nor would a CPU with few kicks */
        o.tsc_skew = 0;
    }
    return o;
}

/* A stage that was found must be the true one; with nothing lost, it must be found. */
static void check_stage(const struct chain *c, enum link link, int64_t skew, uint64_t true_time,
                        int must)
{
    const struct event *found = chain_event(c, link);
    uint64_t time = found ? found->time + (uint64_t)skew : 0;
    if (time != true_time && (found || must))
        fail_msg("seed %lu: %s kick %u: link %d at %lu, in truth at %lu", current,
                 queue_name(c->vq), c->link[LINK_kick].seq, link, time, true_time);
}

static void check_chain(const struct join *j, const struct world *w, const struct chain *c, int all)
{
    const struct world_kick *k = NULL;
    for (unsigned i = 0; i < w->kick_count && !k; i++)
        if (w->kicks[i].vq == c->vq && w->kicks[i].ordinal == c->link[LINK_kick].seq)
            k = &w->kicks[i];
    CHECK(k && c->index == k->index);
    const struct fate *f = &w->fates[c->vq][k->index - w->options.first_index];
    const struct event *used = chain_event(c, LINK_used);
    /* The joiner's own correction of a CPU's TSC, against the true one. */
    unsigned cpu = c->link[LINK_kick].cpu;
    int64_t skew = (cpu ? -w->options.tsc_skew : 0) - reader_skew(&j->guest.reader, cpu);
    check_stage(c, LINK_host_kick, 0, k->host_kick, all);
    check_stage(c, LINK_run_begin, 0, f->run_begin, all);
    check_stage(c, LINK_used, 0, f->used, all);
    check_stage(c, LINK_harvest, skew, f->harvest, all);
    if (used) {
        const struct fate *last = &w->fates[c->vq][used->a - 1 - w->options.first_index];
        CHECK(!!(used->flags & TRACE_F_SIGNALLED) == f->signalled);
        check_stage(c, LINK_call_read, 0, last->call_read, all);
        check_stage(c, LINK_irq, skew, last->irq, all);
    }
}

static void check_clock(const struct join *j, const struct world *w)
{
    CHECK(j->clock.valid);
    if (!(j->clock.pieces[0].slope_max > 0)) /* too few kicks: the rate is not promised */
        return;
    for (unsigned i = 0; i < w->guest_count; i += 1 + w->guest_count / 50) {
        struct event e = { .cpu = (uint16_t)world_cpu(w, &w->guest[i]) };
        int64_t ahead = e.cpu ? w->options.tsc_skew : 0;
        e.time = w->guest[i].time + (uint64_t)(ahead + reader_skew(&j->guest.reader, e.cpu));
        const struct clock *c = join_cpu_clock(j, e.cpu);
        if (ahead && !join_cpu_is_own(j, e.cpu)) /* too few kicks to tell */
            continue;
        long double said = (long double)c->host0 + (long double)clock_host_ns(c, e.time);
        double error = (double)fabsl(said - world_host_ns(w, w->guest[i].time));
        if (error > join_bound_ns(j, &e) + 2) /* 2 ns: whole ns and cycles are recorded */
            fail_msg("seed %lu: CPU %u off by %.1f ns, bound %.1f ns, %zu pieces", w->options.seed,
                     e.cpu, error, join_bound_ns(j, &e), c->piece_count);
    }
}

/* The guarantee comes down to half the shortest round trip that is, as seen through the stamps. */
static void check_tight(const struct join *j, const struct world *w)
{
    double shortest = INFINITY;
    unsigned kicks = 0;
    for (unsigned i = 0; i < w->guest_count; i++) {
        const struct trace_record *r = &w->guest[i];
        if (r->id != TRACE_EV_kick)
            continue;
        shortest = fmin(shortest, (double)(r->time - r->b) * j->clock.tick);
        kicks++;
    }
    if (kicks < 100 || j->cpus || j->clock.piece_count > 1)
        return;
    double middle = INFINITY; /* at its best; towards the ends the slope's freedom adds */
    for (unsigned i = 0; i < w->guest_count; i++)
        middle = fmin(middle, clock_bound_ns(&j->clock, w->guest[i].time));
    if (middle > 1.2 * shortest / 2)
        fail_msg("seed %lu: bound %.1f ns, round trip %.1f ns", w->options.seed, middle, shortest);
}

static void check_seed(uint64_t seed)
{
    struct world w;
    struct join j;
    struct world_options o = options_of(seed);
    int lossless = o.guest_loss + o.host_loss == 0 && !o.lose_start;
    current = seed;
    world_make(&w, &o);
    complaints_begin();
    join_world(&j, &w, -1, -1);
    const char *said = complaints_end();
    CHECK(j.guest.records == w.guest_written && j.guest.lost == w.guest_lost);
    CHECK(j.host.records == w.host_written && j.host.lost == w.host_lost);
    CHECK(export_adds_up(&j));
    if (lossless && (j.unmatched || j.doubts || j.stalls || j.chain_count != w.kick_count))
        fail_msg("seed %lu: %s", seed, said);
    for (size_t i = 0; i < j.chain_count; i++)
        check_chain(&j, &w, &chains[i], lossless);
    if (j.clock.valid && !j.doubts)
        check_clock(&j, &w);
    if (lossless)
        check_tight(&j, &w);
    join_free(&j);
    world_free(&w);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void every_seed_is_told_as_it_was(void **state)
{
    (void)state;
    uint64_t first = number("FIRST_SEED", 1), count = number("SEEDS", 300);
    for (uint64_t seed = first; seed < first + count; seed++)
        check_seed(seed);
    if (first + count <= HARVEST_TIE)
        check_seed(HARVEST_TIE);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_seed_is_told_as_it_was) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
