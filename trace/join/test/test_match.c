/* Small traces written by hand: one rule of the matching each. The guest's TSC runs at 1 GHz, and
 * the host's clock is OFFSET ns ahead of it. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#include "../../ctf/stream.h"
#include "../export.h"
#include "../hostlog.h"

#define OFFSET 5000000
#define HZ     1000000000

enum { TX = TRACE_VQ_TX, RX = TRACE_VQ_RX };

static struct ctf_stream guest, host;

static void begin(void)
{
    assert_int_equal(ctf_dir_create(scratch("g"), TRACE_SIDE_GUEST, HZ, 1), 0);
    assert_int_equal(ctf_dir_create(scratch("h"), TRACE_SIDE_HOST, 0, 1), 0);
    assert_int_equal(ctf_stream_open(&guest, scratch("g"), 0), 0);
    assert_int_equal(ctf_stream_open(&host, scratch("h"), 0), 0);
}

/* A kick whose doorbell took 1000 ns, ended at `at`. */
static void kick(uint64_t at, uint8_t vq, uint32_t seq, uint64_t avail)
{
    struct trace_record r = { at, TRACE_EV_kick, vq, 0, seq, avail, at - 1000 };
    assert_int_equal(ctf_stream_put(&guest, &r), 0);
}

static void host_says(uint64_t at, uint16_t id, uint8_t vq, uint8_t flags, uint32_t seq, uint64_t a,
                      uint64_t b)
{
    struct trace_record r = { at + OFFSET, id, vq, flags, seq, a, b };
    assert_int_equal(ctf_stream_put(&host, &r), 0);
}

static void host_kick(uint64_t at, uint8_t vq, uint32_t count, uint64_t consumed)
{
    host_says(at, TRACE_EV_host_kick, vq, 0, count, consumed, 0);
}

static struct join joined(void)
{
    struct join j;
    assert_int_equal(ctf_stream_close(&guest), 0);
    assert_int_equal(ctf_stream_close(&host), 0);
    complaints_begin();
    int bad = join_dirs(&j, scratch("g"), scratch("h"));
    complaints_end();
    assert_int_equal(bad, 0);
    assert_true(export_adds_up(&j));
    return j;
}

/* The host's first kick and the guest's last are lost, and the loss is known: both sides have nine
 * kicks, which pair up perfectly by one too many. when(i): time of kick i. */
static struct join nine_of_ten(uint64_t (*when)(unsigned i))
{
    begin();
    for (unsigned i = 1; i <= 9; i++)
        kick(when(i), RX, i, i);
    ctf_stream_gap(&guest, 1, when(9), when(10));
    ctf_stream_gap(&host, 1, OFFSET, when(1) + OFFSET);
    for (unsigned i = 2; i <= 10; i++)
        host_kick(when(i) - 500, RX, i, 0);
    return joined();
}

static uint64_t evenly(unsigned i)
{
    return 1000000 + i * 200000;
}

static uint64_t unevenly(unsigned i)
{
    return 1000000 + i * 200000 + i * i * 7919 % 60000;
}

static void two_pairings_that_fit_alike_are_refused(void **state)
{
    (void)state;
    struct join j = nine_of_ten(evenly);
    assert_int_equal(j.doubts, 1);
    assert_false(j.queue[RX].matched);
    join_free(&j);
}

static void uneven_times_tell_the_pairing(void **state)
{
    (void)state;
    struct join j = nine_of_ten(unevenly);
    assert_int_equal(j.doubts, 0);
    assert_true(j.queue[RX].matched);
    assert_int_equal(j.queue[RX].kick_base, 0);
    join_free(&j);
}

/* The host had consumed a kick's buffer when the kick came: an earlier guest kick cannot be it. */
static void the_ring_index_tells_the_pairing(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 1; i <= 9; i++) {
        kick(evenly(i), RX, i, i);
        host_kick(evenly(i + 1) - 500, RX, i + 1, i + 1);
    }
    struct join j = joined();
    assert_true(j.queue[RX].matched);
    assert_int_equal(j.queue[RX].kick_base, 0);
    join_free(&j);
}

/* Five kicks on each side that are not the same five: the other queue's clock says so. */
static void strangers_are_not_paired(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 1; i <= 40; i++) {
        kick(evenly(i), TX, i, i);
        if (i % 8 == 0)
            kick(evenly(i) + 5000, RX, i / 8, 20 * i);
    }
    for (unsigned i = 1; i <= 40; i++) {
        host_kick(evenly(i) - 500, TX, i, i - 1);
        host_says(evenly(i) + 100, TRACE_EV_run_begin, TX, TRACE_F_CAUSE_KICK, i, i - 1, i - 1);
        host_says(evenly(i) + 200, TRACE_EV_run_end, TX, TRACE_F_CAUSE_KICK, i, i, i);
        if (i % 8 == 5)
            host_kick(evenly(i) + 60000, RX, 100 + i / 8, 0);
    }
    struct join j = joined();
    assert_true(j.queue[TX].matched);
    assert_false(j.queue[RX].matched);
    assert_int_equal(j.unmatched, 9);
    assert_int_equal(join_class_count(&j, CLASS_kick_outside, -1), 1);
    join_free(&j);
}

static void a_wakeup_without_a_new_kick_is_no_kick(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 1; i <= 5; i++) {
        kick(unevenly(i), TX, i, i);
        host_kick(unevenly(i) - 500, TX, 8 + i, i - 1);
        if (i == 3)
            host_kick(unevenly(i) + 900, TX, 8 + i, i);
    }
    struct join j = joined();
    assert_int_equal(j.unmatched, 0);
    assert_int_equal(join_class_count(&j, CLASS_host_kick_again, -1), 1);
    assert_int_equal(join_class_count(&j, CLASS_host_kick_matched, -1), 5);
    assert_int_equal(chain_event(&chains[2], LINK_host_kick)->time, unevenly(3) - 500 + OFFSET);
    join_free(&j);
}

static void edges_without_marks_are_soft_and_with_marks_are_not(void **state)
{
    (void)state;
    for (int marked = 0; marked < 2; marked++) {
        begin();
        if (marked)
            host_says(0, TRACE_EV_mark, TRACE_VQ_NONE, 0, 0, 6, 0);
        for (unsigned i = 1; i <= 9; i++) {
            if (i != 1 && i != 9)
                kick(unevenly(i), TX, i, i);
            host_kick(unevenly(i) - 500, TX, i, i - 1);
        }
        if (marked)
            host_says(evenly(12), TRACE_EV_mark, TRACE_VQ_NONE, 0, 0, 7, 0);
        struct join j = joined();
        assert_int_equal(j.unmatched, marked ? 2 : 0);
        assert_int_equal(join_class_count(&j, CLASS_host_kick_outside, -1), marked ? 0 : 2);
        assert_int_equal(join_class_count(&j, CLASS_host_kick_matched, -1), 7);
        join_free(&j);
    }
}

static void one_kick_gives_the_nominal_rate_and_its_own_bound(void **state)
{
    (void)state;
    begin();
    kick(1000000, TX, 1, 1);
    host_kick(1000000 - 300, TX, 1, 0);
    struct join j = joined();
    assert_true(j.clock.valid);
    assert_true(j.clock.pieces[0].middle.slope == 0 && j.clock.pieces[0].slope_max == 0);
    double bound = clock_bound_ns(&j.clock, 900000000);
    assert_true(bound > 499.9 && bound < 500.1);
    join_free(&j);
}

/* The indices of the host's log: 16 bits that wrap, and go back when a descriptor is given back. */
static void indices_are_unwrapped_both_ways(void **state)
{
    (void)state;
    static const uint64_t raw[] = { 65530, 65535, 0, 65534, 1, 30000, 60000, 24464 };
    static const uint64_t want[] = { 65530, 65535, 65536, 65534, 65537, 95536, 125536, 155536 };
    struct hostlog log;
    FILE *f = fopen(scratch("wrap.log"), "w");
    assert_non_null(f);
    for (unsigned i = 0; i < 8; i++) {
        fprintf(f, "R 0 %u %u 65 1 16 abc 7 1 %lu %lu\n", 2 * i, 1000 + i, raw[i], raw[i]);
        fprintf(f, "R 0 %u %u 65 1 16 0xabd 7 1 5 5\n", 2 * i + 1, 1000 + i);
    }
    fclose(f);
    assert_int_equal(hostlog_read(&log, scratch("wrap.log")), 0);
    hostlog_unwrap(&log);
    assert_int_equal(log.count, 16);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(log.lines[2 * i].record.a, want[i]);
        assert_int_equal(log.lines[2 * i].record.b, want[i]);
        assert_int_equal(log.lines[2 * i + 1].record.a, 5);
    }
    hostlog_free(&log);
}

/* In a slice late in a boot the guest counts on where the host's log has 16 bits only. */
static void late_slices_find_the_guests_lap(void **state)
{
    (void)state;
    const uint64_t lap = 7 * 65536;
    begin();
    for (unsigned i = 1; i <= 9; i++) {
        kick(unevenly(i), TX, i, lap + 65530 + i);
        host_kick(unevenly(i) - 500, TX, i, 65529 + i);
        host_says(unevenly(i) + 100, TRACE_EV_run_begin, TX, TRACE_F_CAUSE_KICK, i, 65529 + i,
                  65529 + i);
        host_says(unevenly(i) + 200, TRACE_EV_run_end, TX, TRACE_F_CAUSE_KICK, i, 65530 + i,
                  65530 + i);
    }
    struct join j = joined();
    for (unsigned i = 0; i < 9; i++) {
        assert_non_null(chain_event(&chains[i], LINK_run_end));
        assert_int_equal(chains[i].link[LINK_run_end].a, chains[i].link[LINK_kick].a);
    }
    join_free(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_pairings_that_fit_alike_are_refused),
        cmocka_unit_test(uneven_times_tell_the_pairing),
        cmocka_unit_test(the_ring_index_tells_the_pairing),
        cmocka_unit_test(strangers_are_not_paired),
        cmocka_unit_test(a_wakeup_without_a_new_kick_is_no_kick),
        cmocka_unit_test(edges_without_marks_are_soft_and_with_marks_are_not),
        cmocka_unit_test(one_kick_gives_the_nominal_rate_and_its_own_bound),
        cmocka_unit_test(indices_are_unwrapped_both_ways),
        cmocka_unit_test(late_slices_find_the_guests_lap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
