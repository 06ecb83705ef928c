/* The host's full set of probes, and what the guest's buffer says of itself: test_seeds.c has such
 * worlds too, and compares their chains with the truth. */
#include "kit.h"

#include "../export.h"

struct kind {
    enum event_class class;
    uint16_t ids[4];
};

/* Records of a class, against the records of its events that the world has; their number. */
static uint64_t count_kind(const struct join *j, const struct world *w, const struct kind *kind)
{
    uint64_t there = 0;
    for (int n = 0; n < 4 && kind->ids[n]; n++) {
        for (unsigned i = 0; i < w->guest_count; i++)
            there += w->guest[i].id == kind->ids[n];
        for (unsigned i = 0; i < w->host_count; i++)
            there += w->host[i].record.id == kind->ids[n];
    }
    if (join_class_count(j, kind->class, -1) != there)
        fail_msg("%s: %lu of %lu", class_name(kind->class), join_class_count(j, kind->class, -1),
                 there);
    return there;
}

/* The index of a notify switch follows the 16 bits of the log as a run's does. */
static void check_notify_indices(const struct world *w)
{
    struct trace t;
    uint64_t index[2] = { 0, 0 };
    assert_int_equal(trace_read(&t, scratch("host"), TRACE_SIDE_HOST), 0);
    assert_true(w->options.first_index < 65536);
    for (size_t i = 0; i < t.count; i++) {
        const struct event *e = &t.events[i];
        if (e->id == TRACE_EV_run_begin)
            index[e->vq] = e->a;
        else if (e->id == TRACE_EV_notify_off)
            assert_int_equal(e->a, index[e->vq]);
        else if (e->id == TRACE_EV_notify_on)
            assert_true(e->a >= index[e->vq]);
    }
    assert_true(index[TRACE_VQ_TX] > 65536);
    trace_free(&t);
}

/* What the full set of probes adds has classes of its own, and changes nothing in the chains. */
static void the_full_set_is_classified_and_joins_alike(void **state)
{
    (void)state;
    uint64_t seen[7] = { 0 };
    static const struct kind kinds[] = {
        { CLASS_irq_inject, { TRACE_EV_irq_inject } },
        { CLASS_notify_switch, { TRACE_EV_notify_off, TRACE_EV_notify_on } },
        { CLASS_weight_out, { TRACE_EV_weight_out } },
        { CLASS_tap, { TRACE_EV_tap_send, TRACE_EV_tap_recv } },
        { CLASS_scheduled,
          { TRACE_EV_worker_on, TRACE_EV_worker_off, TRACE_EV_vcpu_on, TRACE_EV_vcpu_off } },
        { CLASS_buffer_test, { TRACE_EV_nmi, TRACE_EV_selftest } },
        { CLASS_control, { TRACE_EV_trigger } },
    };
    _Static_assert(sizeof seen / sizeof *seen == sizeof kinds / sizeof *kinds, "one a kind");
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(seed);
        o.full = 1;
        o.vcpus = 1 + seed % 2;
        world_make(&w, &o);
        join_world(&j, &w, -1, -1);
        assert_int_equal(j.chain_count, w.kick_count);
        assert_int_equal(j.unmatched + j.stalls + j.doubts, 0);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            seen[i] += count_kind(&j, &w, &kinds[i]);
        assert_int_equal(join_class_count(&j, CLASS_guest_unknown, -1), 0);
        assert_int_equal(join_class_count(&j, CLASS_host_unknown, -1), 0);
        assert_true(export_adds_up(&j));
        check_notify_indices(&w);
        join_free(&j);
        world_free(&w);
    }
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (!seen[i])
            fail_msg("no %s in any world", class_name(kinds[i].class));
}

/* Where the probes say that no kick began a run, it is not one of a kick. */
static void a_run_begins_for_the_reason_told(void **state)
{
    (void)state;
    static const int reasons[] = { 0, TRACE_F_CAUSE_START, TRACE_F_CAUSE_BUSY };
    uint64_t kick[3], other[3];
    for (int i = 0; i < 3; i++) {
        struct world w;
        struct join j;
        struct world_options o = world_defaults(2);
        unsigned first = 0;
        world_make(&w, &o);
        while (w.host[first].record.id != TRACE_EV_run_begin ||
               !(w.host[first].record.flags & TRACE_F_CAUSE_KICK))
            first++;
        w.host[first].record.flags |= (uint8_t)reasons[i];
        join_world(&j, &w, -1, -1);
        kick[i] = join_class_count(&j, CLASS_run_kick, -1);
        other[i] = join_class_count(&j, CLASS_run_other, -1);
        assert_int_equal(kick[i] + other[i], kick[0] + other[0]);
        assert_int_equal(other[i], other[0] + (i ? 2 : 0)); /* its begin and its end */
        join_free(&j);
        world_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
                                            the_full_set_is_classified_and_joins_alike),
                                        cmocka_unit_test(a_run_begins_for_the_reason_told) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
