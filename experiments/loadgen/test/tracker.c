#include "../tracker.h"
#include "tests.h"

static void in_order(void **state)
{
    struct tracker t;

    (void)state;
    assert_true(tracker_init(&t, 1000));
    for (uint64_t seq = 0; seq < 1000; seq++)
        assert_int_equal(tracker_arrive(&t, seq), TRACKER_FIRST);
    assert_int_equal(t.delivered, 1000);
    assert_int_equal(t.duplicates, 0);
    assert_int_equal(t.reordered, 0);
    assert_int_equal(t.reorder_max, 0);
    assert_int_equal(t.highest_end, 1000);
    tracker_free(&t);
}

static void loss_leaves_holes(void **state)
{
    struct tracker t;

    (void)state;
    assert_true(tracker_init(&t, 1000));
    for (uint64_t seq = 0; seq < 1000; seq++) {
        if (seq % 10 != 3)
            tracker_arrive(&t, seq);
    }
    assert_int_equal(t.delivered, 900);
    assert_int_equal(t.reordered, 0);
    tracker_free(&t);
}

static void duplicates_are_not_reordering(void **state)
{
    struct tracker t;

    (void)state;
    assert_true(tracker_init(&t, 100));
    tracker_arrive(&t, 0);
    tracker_arrive(&t, 64);
    assert_int_equal(tracker_arrive(&t, 64), TRACKER_DUPLICATE);
    assert_int_equal(tracker_arrive(&t, 0), TRACKER_DUPLICATE);
    assert_int_equal(tracker_arrive(&t, 0), TRACKER_DUPLICATE);
    assert_int_equal(t.delivered, 2);
    assert_int_equal(t.duplicates, 3);
    assert_int_equal(t.reordered, 0);
    tracker_free(&t);
}

static void reordering_is_measured_from_the_highest(void **state)
{
    static const uint64_t arrivals[] = { 0, 5, 1, 2, 6, 9, 3, 7 };
    struct tracker t;

    (void)state;
    assert_true(tracker_init(&t, 10));
    for (size_t i = 0; i < sizeof(arrivals) / sizeof(arrivals[0]); i++)
        tracker_arrive(&t, arrivals[i]);
    assert_int_equal(t.reordered, 4);
    assert_int_equal(t.reorder_max, 6);
    assert_int_equal(t.highest_end, 10);
    tracker_free(&t);
}

static void numbers_beyond_32_bits_do_not_wrap(void **state)
{
    uint64_t high = (1ull << 32) + 7;
    struct tracker t;

    (void)state;
    assert_true(tracker_init(&t, high + 1));
    assert_int_equal(tracker_arrive(&t, 7), TRACKER_FIRST);
    assert_int_equal(tracker_arrive(&t, high), TRACKER_FIRST);
    assert_int_equal(tracker_arrive(&t, high), TRACKER_DUPLICATE);
    assert_int_equal(tracker_arrive(&t, 8), TRACKER_FIRST);
    assert_int_equal(t.reorder_max, high - 8);
    tracker_free(&t);
}

static void out_of_range_changes_nothing(void **state)
{
    struct tracker t;

    (void)state;
    assert_true(tracker_init(&t, 64));
    assert_int_equal(tracker_arrive(&t, 64), TRACKER_OUT_OF_RANGE);
    assert_int_equal(tracker_arrive(&t, UINT64_MAX), TRACKER_OUT_OF_RANGE);
    assert_int_equal(t.delivered + t.duplicates + t.reordered + t.highest_end, 0);
    assert_int_equal(tracker_arrive(&t, 63), TRACKER_FIRST);
    tracker_free(&t);
}

int test_tracker(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(loss_leaves_holes),
        cmocka_unit_test(duplicates_are_not_reordering),
        cmocka_unit_test(reordering_is_measured_from_the_highest),
        cmocka_unit_test(numbers_beyond_32_bits_do_not_wrap),
        cmocka_unit_test(out_of_range_changes_nothing),
    };

    return cmocka_run_group_tests_name("tracker", tests, NULL, NULL);
}
