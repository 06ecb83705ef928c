/* The plan language and its arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "../plan.h"

/* Passes the point n times; bit i of the answer: passage i + 1 failed. */
static uint64_t passages(enum fault_point point, unsigned n)
{
    uint64_t failed = 0;
    for (unsigned i = 0; i < n; i++)
        failed |= (uint64_t)fault_passes(point, 1) << i;
    return failed;
}

static void set(const char *plan)
{
    char err[200] = "";
    if (fault_plan_set(plan, err, sizeof(err)))
        fail_msg("'%s': %s", plan, err);
}

static void test_arithmetic(void **state)
{
    static const struct {
        const char *plan;
        uint64_t failed; /* of twelve passages */
    } cases[] = {
        { "", 0 },
        { "irq_drop", 0xfff },
        { "irq_drop:interval=1", 0xfff },
        { "irq_drop:interval=3", 0x924 },
        { "irq_drop:times=2", 0x003 },
        { "irq_drop:times=0", 0xfff },
        { "irq_drop:after=4", 0xff0 },
        { "irq_drop:after=4,interval=3", 0x240 },
        { "irq_drop:interval=3,times=2,after=1", 0x048 },
        { "irq_drop:after=18446744073709551600", 0 },
        { "rx_alloc", 0 },
        { "rx_alloc:interval=2;irq_drop:interval=4", 0x888 },
        { "irq_drop:times=1;irq_drop:interval=4", 0x888 }, /* the last word on a point counts */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set(cases[i].plan);
        uint64_t failed = passages(FAULT_POINT_irq_drop, 12);
        if (failed != cases[i].failed)
            fail_msg("'%s': %#lx", cases[i].plan, (unsigned long)failed);
        assert_int_equal(fault_counters.passed[FAULT_POINT_irq_drop], 12);
        assert_int_equal(fault_counters.fired[FAULT_POINT_irq_drop], __builtin_popcountll(failed));
    }
}

static void test_points_are_apart(void **state)
{
    (void)state;
    set("irq_drop:interval=2;rx_alloc:times=1");
    assert_int_equal(passages(FAULT_POINT_irq_drop, 4), 0xa);
    assert_int_equal(passages(FAULT_POINT_rx_alloc, 4), 0x1);
    assert_int_equal(fault_counters.passed[FAULT_POINT_rx_alloc], 4);
    set("rx_alloc"); /* a new plan counts from the start */
    assert_int_equal(fault_counters.passed[FAULT_POINT_rx_alloc], 0);
    assert_int_equal(passages(FAULT_POINT_irq_drop, 4), 0);
}

#define POINTS "irq_drop rx_alloc ring_break"

static void test_mistakes(void **state)
{
    static const struct {
        const char *plan, *says;
    } cases[] = {
        { "irqdrop", "at 'irqdrop': unknown fault point; there are: " POINTS },
        { "irq_drops", "at 'irq_drops': unknown fault point; there are: " POINTS },
        { ";", "at ';': unknown fault point; there are: " POINTS },
        { "rx_alloc;;", "at ';': unknown fault point; there are: " POINTS },
        { "irq_drop:", "at '': expected interval=, times= or after=" },
        { "irq_drop:every=3", "at 'every=3': expected interval=, times= or after=" },
        { "irq_drop:times=3,", "at '': expected interval=, times= or after=" },
        { "irq_drop:times", "at '': expected '=' and a number" },
        { "irq_drop:times 3", "at ' 3': expected '=' and a number" },
        { "irq_drop:times=", "at '': expected a number" },
        { "irq_drop:times=-1", "at '-1': expected a number" },
        { "irq_drop:times=99999999999999999999", "at '99999999999999999999': expected a number" },
        { "irq_drop:interval=0", "at '': interval must be at least 1" },
        { "irq_drop:times=3 rx_alloc",
          "at ' rx_alloc': expected ';' before the next fault point, or the end" },
        { "irq_drop,rx_alloc",
          "at ',rx_alloc': expected ';' before the next fault point, or the end" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char err[200] = "", want[200];
        set("irq_drop:times=1");
        snprintf(want, sizeof(want), "fault plan %s", cases[i].says);
        assert_int_equal(fault_plan_set(cases[i].plan, err, sizeof(err)), -1);
        assert_string_equal(err, want);
        /* The old plan stays. */
        assert_int_equal(passages(FAULT_POINT_irq_drop, 3), 1);
    }
}

static void test_short_error_buffer(void **state)
{
    char err[24];
    (void)state;
    memset(err, 'x', sizeof(err));
    assert_int_equal(fault_plan_set("nonsense", err, 10), -1);
    assert_string_equal(err, "fault pla");
    assert_int_equal(err[10], 'x');
    assert_int_equal(fault_plan_set("nonsense", NULL, 0), -1);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(fault_point_name(FAULT_POINT_irq_drop), "irq_drop");
    assert_string_equal(fault_point_name(FAULT_POINTS), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_points_are_apart),
        cmocka_unit_test(test_mistakes),   cmocka_unit_test(test_short_error_buffer),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("fault plan", tests, NULL, NULL);
}
