/* The joiner against worlds whose truth is known. */
#include "kit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../export.h"

static struct fate *truth(const struct world *w, int vq, uint64_t index)
{
    return &w->fates[vq][index - w->options.first_index];
}

/* A stage that was found must be the true one; with nothing lost, it must be found. */
static void check_stage(const struct event *found, uint64_t true_time, int must)
{
    if (found)
        assert_int_equal(found->time, true_time);
    else if (must)
        assert_int_equal(0, true_time);
}

static const struct world_kick *true_kick(const struct world *w, const struct chain *c)
{
    for (unsigned i = 0; i < w->kick_count; i++)
        if (w->kicks[i].vq == c->vq && w->kicks[i].ordinal == c->link[LINK_kick].seq)
            return &w->kicks[i];
    fail_msg("no kick %u on queue %u in the world", c->link[LINK_kick].seq, c->vq);
    return NULL;
}

static void check_chains(const struct join *j, const struct world *w, int lossless)
{
    for (size_t i = 0; i < j->chain_count; i++) {
        const struct chain *c = &chains[i];
        const struct world_kick *k = true_kick(w, c);
        const struct fate *f = truth(w, c->vq, k->index);
        assert_int_equal(c->index, k->index);
        const struct event *used = chain_event(c, LINK_used);
        check_stage(chain_event(c, LINK_host_kick), k->host_kick, lossless);
        check_stage(chain_event(c, LINK_run_begin), f->run_begin, lossless);
        check_stage(used, f->used, lossless);
        check_stage(chain_event(c, LINK_harvest), f->harvest, lossless);
        if (used) {
            const struct fate *last = truth(w, c->vq, used->a - 1);
            assert_int_equal(!!(used->flags & TRACE_F_SIGNALLED), f->signalled);
            check_stage(chain_event(c, LINK_call_read), last->call_read, lossless);
            check_stage(chain_event(c, LINK_irq), last->irq, lossless);
        }
    }
}

static void check_classes(const struct join *j)
{
    uint64_t sum[2] = { 0, 0 };
    assert_true(export_adds_up(j));
    for (int c = CLASS_none + 1; c < CLASS_COUNT; c++)
        sum[class_side(c)] += join_class_count(j, c, -1);
    assert_int_equal(sum[TRACE_SIDE_GUEST], j->guest.records);
    assert_int_equal(sum[TRACE_SIDE_HOST], j->host.records);
}

static void check_clock(const struct join *j, const struct world *w)
{
    assert_true(j->clock.valid);
    assert_int_equal(j->clock.piece_count, 1);
    for (unsigned i = 0; i < w->guest_count; i += 1 + w->guest_count / 50) {
        uint64_t tsc = w->guest[i].time;
        long double est = (long double)j->clock.host0 + (long double)clock_host_ns(&j->clock, tsc);
        double error = (double)fabsl(est - world_host_ns(w, tsc));
        if (error > clock_bound_ns(&j->clock, tsc) + 2)
            fail_msg("seed %lu: off by %.1f ns, bound %.1f ns", w->options.seed, error,
                     clock_bound_ns(&j->clock, tsc));
    }
}

static void everything_is_recovered_without_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(seed);
        o.poll_share = seed % 3 * .3;
        o.rx_ring = seed % 4 ? 256 : 6;
        world_make(&w, &o);
        join_world(&j, &w, -1, -1);
        assert_int_equal(j.guest.records, w.guest_count);
        assert_int_equal(j.host.records, w.host_count - 2 * (WORLD_CPUS - 1));
        assert_int_equal(j.guest.lost + j.host.lost, 0);
        assert_int_equal(j.chain_count, w.kick_count);
        assert_int_equal(j.unmatched + j.stalls + j.doubts, 0);
        check_chains(&j, &w, 1);
        check_classes(&j);
        check_clock(&j, &w);
        assert_true(j.queue[TRACE_VQ_TX].consumed > 65536); /* the indices did wrap */
        join_free(&j);
        world_free(&w);
    }
}

/* A batch that the driver should have kicked for, and did not. */
static void a_lost_wakeup_is_a_stall(void **state)
{
    (void)state;
    unsigned stalls = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(seed);
        o.stall = 1;
        world_make(&w, &o);
        uint64_t last = 0;
        for (unsigned i = 0; i < w.guest_count; i++)
            if (w.guest[i].id == TRACE_EV_publish && w.guest[i].vq == TRACE_VQ_TX)
                last = w.guest[i].a - 1;
        complaints_begin();
        join_world(&j, &w, -1, -1);
        const char *said = complaints_end();
        int stalled = !truth(&w, TRACE_VQ_TX, last)->run_begin;
        assert_int_equal(j.stalls, stalled);
        assert_int_equal(!!strstr(said, "STALL"), stalled);
        assert_int_equal(join_class_count(&j, CLASS_suppressed_stall, -1), stalled);
        stalls += (unsigned)stalled;
        check_classes(&j);
        join_free(&j);
        world_free(&w);
    }
    assert_true(stalls > 3 && stalls < 20);
}

static void loss_never_makes_a_wrong_match(void **state)
{
    (void)state;
    static const double rates[] = { .001, .01, .05, .2 };
    uint64_t lost = 0, found = 0, all = 0;
    for (uint64_t seed = 1; seed <= 640; seed++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(seed);
        o.sends = 120;
        o.regular = seed % 2;
        o.rx_ring = seed % 7 < 3 ? 6 : 256;
        o.guest_loss = seed & 2 ? rates[seed / 4 % 4] : 0;
        o.host_loss = seed & 1 ? rates[seed / 16 % 4] : 0;
        o.lose_start = seed % 5 == 0 ? (int)(seed % 37) : 0;
        world_make(&w, &o);
        complaints_begin();
        join_world(&j, &w, -1, -1);
        complaints_end();
        assert_int_equal(j.guest.records, w.guest_written);
        assert_int_equal(j.guest.lost, w.guest_lost);
        assert_int_equal(j.host.records, w.host_written);
        assert_int_equal(j.host.lost, w.host_lost);
        check_chains(&j, &w, 0);
        check_classes(&j);
        if (j.clock.valid && !j.doubts)
            check_clock(&j, &w);
        for (size_t i = 0; i < j.chain_count; i++)
            found += chain_complete(&chains[i]) != 0;
        all += j.chain_count;
        lost += j.guest.lost + j.host.lost;
        join_free(&j);
        world_free(&w);
    }
    assert_true(lost > 1000);
    assert_true(found > all / 4); /* refusing everything would pass the checks above */
}

/* Sends at a fixed rate look the same shifted by one, and the first records of the host are lost:
 * the first kicks that both sides have are not the same. */
static void a_shifted_pairing_is_never_taken(void **state)
{
    (void)state;
    unsigned matched = 0;
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(seed);
        o.sends = 20 + (unsigned)(seed % 30);
        o.regular = 1;
        o.exit_us = seed % 4 < 2 ? .5 : 8;
        o.no_frames = 1;
        o.lose_start = 1 + (int)(seed % 29);
        world_make(&w, &o);
        complaints_begin();
        join_world(&j, &w, -1, -1);
        complaints_end();
        check_chains(&j, &w, 0);
        check_classes(&j);
        matched += j.queue[TRACE_VQ_TX].matched;
        join_free(&j);
        world_free(&w);
    }
    assert_true(matched > 100);
}

/* Without the kicks of one queue that both sides have, the other queue's clock says no. */
static void a_few_kicks_must_agree_with_the_clock(void **state)
{
    (void)state;
    unsigned tried = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(seed);
        o.rx_ring = 6;
        world_make(&w, &o);
        uint32_t first = 0, last = 0;
        for (unsigned i = 0; i < w.kick_count; i++) {
            first = !first && w.kicks[i].vq == TRACE_VQ_RX ? w.kicks[i].ordinal : first;
            last = w.kicks[i].vq == TRACE_VQ_RX ? w.kicks[i].ordinal : last;
        }
        if (last < first + 4) {
            world_free(&w);
            continue;
        }
        tried++;
        for (unsigned i = 0; i < w.guest_count; i++)
            if (w.guest[i].id == TRACE_EV_kick && !w.guest[i].vq && w.guest[i].seq > first + 1)
                w.guest[i].id = TRACE_EV_poll;
        uint32_t seen = 0;
        for (unsigned i = 0; i < w.host_count; i++)
            if (w.host[i].record.id == TRACE_EV_host_kick && !w.host[i].record.vq && seen++ < 2)
                w.host[i].record.id = 127;
        complaints_begin();
        join_world(&j, &w, -1, -1);
        complaints_end();
        assert_false(j.queue[TRACE_VQ_RX].matched);
        assert_true(j.queue[TRACE_VQ_TX].matched);
        assert_true(j.unmatched >= 4);
        check_chains(&j, &w, 0);
        check_classes(&j);
        check_clock(&j, &w);
        join_free(&j);
        world_free(&w);
    }
    assert_true(tried > 10);
}

/* Kicks masked off: the ring's own order still bounds the clocks, though wider. */
static void the_ring_alone_aligns_the_clocks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(seed);
        o.drift_ppm = 0; /* without kicks the nominal rate is taken as true */
        world_make(&w, &o);
        for (unsigned i = 0; i < w.guest_count; i++)
            w.guest[i].id = w.guest[i].id == TRACE_EV_kick ? TRACE_EV_poll : w.guest[i].id;
        complaints_begin();
        join_world(&j, &w, -1, -1);
        complaints_end();
        check_clock(&j, &w);
        assert_true(export_bound_us(&j) < 50);
        join_free(&j);
        world_free(&w);
    }
}

static void the_truth_is_inside_the_bound(void **state)
{
    (void)state;
    double narrow = 1e9;
    for (uint64_t seed = 1000; seed < 1600; seed++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(seed);
        o.sends = 3 + (unsigned)(seed * 7 % 60);
        o.drift_ppm = (double)(seed % 41) * 10 - 200;
        o.exit_us = .2 + (double)(seed % 13) * .5;
        o.hz = 1e9 + (double)(seed % 7) * 5.37e8;
        world_make(&w, &o);
        join_world(&j, &w, -1, -1);
        check_clock(&j, &w);
        assert_int_equal(j.unmatched + j.doubts, 0);
        double bound = export_bound_us(&j);
        narrow = bound < narrow ? bound : narrow;
        join_free(&j);
        world_free(&w);
    }
    assert_true(narrow < 1.5); /* a bound that is never tight would hold as well */
}

/* Each kick in turn is missing on one side, and nothing says that records were lost. */
static void a_missing_kick_is_named(void **state)
{
    (void)state;
    struct world w;
    struct world_options o = world_defaults(5);
    o.sends = 60;
    world_make(&w, &o);
    unsigned tried = 0;
    for (int guest = 0; guest < 2; guest++)
        for (unsigned i = 0; i < (guest ? w.guest_count : w.host_count); i++) {
            const struct trace_record *r = guest ? &w.guest[i] : &w.host[i].record;
            char named[128];
            struct join j;
            if (r->id != (guest ? TRACE_EV_kick : TRACE_EV_host_kick))
                continue;
            complaints_begin();
            join_world(&j, &w, guest ? (long)i : -1, guest ? -1 : (long)i);
            const char *said = complaints_end();
            if (j.unmatched != 1)
                fail_msg("%s record %u of queue %u: %lu unmatched: %s", guest ? "guest" : "host", i,
                         r->vq, j.unmatched, said);
            /* The other side's record is named by that side's own number. */
            int64_t shift = (int64_t)w.options.first_count - w.options.first_kick + 15 * r->vq;
            snprintf(named, sizeof named, "no %s for %s kick %ld of the %s",
                     guest ? "guest kick" : "host kick", queue_name(r->vq),
                     guest ? r->seq + shift : r->seq - shift, guest ? "host" : "guest");
            if (!strstr(said, named))
                fail_msg("'%s' does not say '%s'", said, named);
            check_chains(&j, &w, 0);
            check_classes(&j);
            join_free(&j);
            tried++;
        }
    assert_true(tried > 60);
    world_free(&w);
}

static void without_guest_kicks_there_is_no_clock(void **state)
{
    (void)state;
    struct world w;
    struct join j;
    struct world_options o = world_defaults(3);
    world_make(&w, &o);
    for (unsigned i = 0; i < w.guest_count; i++)
        w.guest[i].id = TRACE_EV_poll;
    complaints_begin();
    join_world(&j, &w, -1, -1);
    complaints_end();
    assert_false(j.clock.valid);
    assert_int_equal(j.chain_count, 0);
    assert_true(j.unmatched > 100); /* the host has kicks */
    check_classes(&j);
    assert_int_equal(join_class_count(&j, CLASS_poll, -1), w.guest_count);
    join_free(&j);
    world_free(&w);
}

/* One host stamp is off by 40 us: the clock must not bend, and the record must be named. */
static void a_damaged_stamp_is_left_out_and_named(void **state)
{
    (void)state;
    struct world w;
    struct join j;
    struct world_options o = world_defaults(8);
    world_make(&w, &o);
    unsigned kick = 0;
    for (unsigned n = 0; n < 20; kick++)
        n += w.host[kick].record.id == TRACE_EV_host_kick;
    w.host[kick - 1].record.time += 40000;
    complaints_begin();
    join_world(&j, &w, -1, -1);
    const char *said = complaints_end();
    assert_non_null(strstr(said, "contradicts every straight clock"));
    assert_int_equal(j.clock.suspect_count, 1);
    check_clock(&j, &w);
    assert_int_equal(j.unmatched, 0);
    join_free(&j);
    world_free(&w);
}

/* One life after another: indices, ordinals and the eventfd's count start over in the middle. */
static void append_life(struct world *w, const struct world *next)
{
    const uint64_t ns = 10000000000, tsc = world_tsc_after(w, ns);
    unsigned guest = w->guest_count, host = w->host_count - WORLD_CPUS;
    w->guest_count = guest + 2 + next->guest_count;
    w->host_count = host + next->host_count - WORLD_CPUS;
    w->guest = realloc(w->guest, w->guest_count * sizeof *w->guest);
    w->host = realloc(w->host, w->host_count * sizeof *w->host);
    assert_true(w->guest && w->host);
    for (unsigned vq = 0; vq < 2; vq++)
        w->guest[guest++] = (struct trace_record){
            next->guest[0].time + tsc - 1000, TRACE_EV_vq_start, (uint8_t)vq, 0, 2, 0, 256
        };
    for (unsigned i = 0; i < next->guest_count; i++) {
        w->guest[guest] = next->guest[i];
        w->guest[guest].time += tsc;
        w->guest[guest].b += next->guest[i].id == TRACE_EV_kick ? tsc : 0;
        guest++;
    }
    for (unsigned i = WORLD_CPUS; i < next->host_count; i++) {
        w->host[host] = next->host[i];
        w->host[host++].record.time += ns;
    }
}

static void a_restarted_queue_joins_its_last_life(void **state)
{
    (void)state;
    struct world w, next;
    struct join j;
    struct world_options o = world_defaults(21);
    world_make(&w, &o);
    unsigned before = w.guest_count;
    o = world_defaults(22);
    o.first_kick = o.first_count = 0;
    o.first_index = 0;
    world_make(&next, &o);
    append_life(&w, &next);
    complaints_begin();
    join_world(&j, &w, -1, -1);
    const char *said = complaints_end();
    assert_non_null(strstr(said, "tx queue was started anew"));
    assert_int_equal(j.unmatched + j.doubts + j.stalls, 0);
    assert_int_equal(j.chain_count, next.kick_count);
    for (size_t i = 0; i < j.chain_count; i++)
        assert_true(chain_complete(&chains[i]) || chains[i].class == CHAIN_unserved);
    check_classes(&j);
    check_clock(&j, &w);
    uint64_t earlier = join_class_count(&j, CLASS_earlier_epoch, -1);
    assert_true(earlier > before / 2 && earlier <= before);
    assert_true(join_class_count(&j, CLASS_host_earlier_epoch, -1) > before / 2);
    join_free(&j);
    world_free(&w);
    world_free(&next);
}

static void a_chain_reads_as_before(void **state)
{
    (void)state;
    char now[8192], golden[8192];
    struct world w;
    struct join j;
    struct world_options o = world_defaults(2);
    o.sends = 40;
    world_make(&w, &o);
    join_world(&j, &w, -1, -1);
    FILE *f = fopen(scratch("chain.txt"), "w");
    assert_non_null(f);
    struct digest *d = digest_new(3);
    for (size_t i = 0; i < j.chain_count; i++)
        digest_take(d, &j, &chains[i]);
    digest_sort(d);
    print_chain(f, &j, digest_typical(d));
    fputc('\n', f);
    print_chain(f, &j, &d->slowest[0]);
    digest_free(d);
    fclose(f);
    join_free(&j);
    world_free(&w);
    f = fopen(scratch("chain.txt"), "r");
    now[fread(now, 1, sizeof now - 1, f)] = 0;
    fclose(f);
    f = fopen("trace/join/test/chain.golden", "r");
    assert_non_null(f);
    golden[fread(golden, 1, sizeof golden - 1, f)] = 0;
    fclose(f);
    assert_string_equal(now, golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_recovered_without_loss),
        cmocka_unit_test(a_lost_wakeup_is_a_stall),
        cmocka_unit_test(loss_never_makes_a_wrong_match),
        cmocka_unit_test(a_shifted_pairing_is_never_taken),
        cmocka_unit_test(a_few_kicks_must_agree_with_the_clock),
        cmocka_unit_test(the_ring_alone_aligns_the_clocks),
        cmocka_unit_test(the_truth_is_inside_the_bound),
        cmocka_unit_test(a_missing_kick_is_named),
        cmocka_unit_test(without_guest_kicks_there_is_no_clock),
        cmocka_unit_test(a_damaged_stamp_is_left_out_and_named),
        cmocka_unit_test(a_restarted_queue_joins_its_last_life),
        cmocka_unit_test(a_chain_reads_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
