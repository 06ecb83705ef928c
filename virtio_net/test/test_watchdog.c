/* The watchdog: finds the interrupt that was lost, and nothing else. Built for each mode that has
 * interrupts. */
#include "world.h"
#include "../../faultinj/plan.h"
#include <stdio.h>

#define PATIENCE 1000u
static uint64_t now;

static unsigned look(uint64_t later)
{
    unsigned rescued = 0;
    now += later;
    world.in_irq = true; /* the port keeps interrupts out meanwhile */
    for (int i = 0; i < VNET_QUEUES; i++)
        rescued += vnet_watchdog(world_q(i), now, PATIENCE);
    world.in_irq = false;
    return rescued;
}

static void begin(bool event_idx)
{
    struct world_config c = { .event_idx = event_idx, .ring_size = 64, .seed = 4 };
    world_init(&c);
    world_frames(1); /* a device's first decision is always to interrupt: get it over with */
    world_send(1);
    world_drain(64);
    world_quiet();
    now = 1;
}

static void arrive(unsigned n)
{
    world_frames(n);
    while (world_host_rx())
        ;
    world_show(VNET_RX);
}

/* The entry waits, no interrupt comes, and nothing else would ever move. */
static void test_rescue(void **state)
{
    (void)state;
    for (int event_idx = 0; event_idx < 2; event_idx++) {
        begin(event_idx);
        world_ring(VNET_RX)->trick = RING_DEV_IRQ_LOST;
        arrive(1);
        world_drain(64);
        assert_int_equal(world.received, 1); /* that of begin */
        assert_int_equal(look(1), 0);
        assert_int_equal(look(PATIENCE - 1), 0);
        assert_int_equal(look(1), 1);
        world_drain(64);
        assert_int_equal(world.received, 2);
        assert_int_equal(world_q(VNET_RX)->stats.rescues, 1);
        for (int i = 0; i < 5; i++)
            assert_int_equal(look(PATIENCE), 0);
        arrive(1); /* and interrupts work again */
        world_drain(64);
        assert_int_equal(world.received, 3);
        assert_int_equal(world_q(VNET_RX)->stats.rescues, 1);
    }
}

static void test_rescue_of_sends(void **state)
{
    (void)state;
    for (int event_idx = 0; event_idx < 2; event_idx++) {
        begin(event_idx);
        world_send(8);
        for (int i = 0; i < 9; i++)
            world_host_tx();
        while (world_host_complete(false))
            ;
        world_ring(VNET_TX)->trick = RING_DEV_IRQ_LOST;
        world_show(VNET_TX);
        world_drain(64);
        assert_int_equal(look(1), 0);
        assert_int_equal(look(PATIENCE), 1);
        world_drain(64);
        assert_int_equal(world_q(VNET_TX)->stats.packets, 9);
        assert_int_equal(world_q(VNET_TX)->stats.rescues, 1);
    }
}

/* With flags there is no delay, so a single lost completion is overdue. */
static void test_rescue_of_one_send_by_flags(void **state)
{
    (void)state;
    begin(false);
    world_send(8);
    for (int i = 0; i < 9; i++)
        world_host_tx();
    world_host_complete(false);
    world_ring(VNET_TX)->trick = RING_DEV_IRQ_LOST;
    world_show(VNET_TX);
    assert_int_equal(look(1), 0);
    assert_int_equal(look(PATIENCE), 1);
}

/* Fewer completions than were asked for: no interrupt is due, however long it takes. */
static void test_no_rescue_of_delayed(void **state)
{
    (void)state;
    begin(true);
    world_send(8);
    for (int i = 0; i < 9; i++)
        world_host_tx();
    world_host_complete(false);
    world_show(VNET_TX);
    world_irq(VNET_TX);
    for (int i = 0; i < 9; i++)
        assert_int_equal(look(PATIENCE), 0);
    world_drain(64);
    world_quiet();
}

/* Idle, busy, or with a poll on its way: nothing is lost, and nothing rescued. */
static void test_never_without_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world_config c = {
            .event_idx = seed & 1, .ring_size = 64, .echo = seed & 2, .seed = seed
        };
        world_init(&c);
        now = 1;
        for (int i = 0; i < 3000; i++) {
            world_step(16);
            /* An interrupt is not late as long as the CPU has not taken it. */
            while (world_irq(VNET_RX) || world_irq(VNET_TX))
                ;
            assert_int_equal(look(PATIENCE), 0);
        }
        world_drain(16);
        assert_int_equal(look(PATIENCE), 0);
        assert_int_equal(look(PATIENCE), 0);
        world_quiet();
    }
}

/* While entries are harvested, in whatever way, the watchdog starts again. */
static void test_progress_is_patience(void **state)
{
    (void)state;
    begin(true);
    world_ring(VNET_RX)->trick = RING_DEV_IRQ_LOST;
    arrive(2);
    assert_int_equal(look(1), 0);
    vnet_rx_service(world_q(VNET_RX), 1);
    assert_int_equal(look(PATIENCE), 0);
    assert_int_equal(look(PATIENCE), 1);
}

/* The same by the fault point: the driver drops the interrupt, the device has sent it. */
static void test_fault_point(void **state)
{
    char err[80];
    (void)state;
    begin(true);
    assert_int_equal(fault_plan_set("irq_drop:times=1", err, sizeof(err)), 0);
    uint64_t irqs = world_q(VNET_RX)->stats.irqs;
    arrive(1);
    assert_true(world_irq(VNET_RX));
    assert_int_equal(world_q(VNET_RX)->stats.irqs, irqs);
    assert_int_equal(fault_counters.fired[FAULT_POINT_irq_drop], 1);
    look(1);
    assert_int_equal(look(PATIENCE), 1);
    world_drain(64);
    assert_int_equal(world.received, 2);
    assert_int_equal(fault_plan_set("", err, sizeof(err)), 0);
}

/* A spurious interrupt is counted as that and does no harm. */
/* rule: SS-3 */
static void test_spurious(void **state)
{
    (void)state;
    for (int event_idx = 0; event_idx < 2; event_idx++) {
        begin(event_idx);
        for (int i = 0; i < VNET_QUEUES; i++) {
            world.irq_waiting[i] = true;
            world_irq(i);
            assert_int_equal(world_q(i)->stats.irqs_spurious, 1);
        }
        world_drain(64);
        arrive(3);
        world_send(3);
        world_drain(64);
        world_quiet();
        assert_int_equal(world.received, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rescue),
        cmocka_unit_test(test_rescue_of_sends),
        cmocka_unit_test(test_rescue_of_one_send_by_flags),
        cmocka_unit_test(test_no_rescue_of_delayed),
        cmocka_unit_test(test_never_without_loss),
        cmocka_unit_test(test_progress_is_patience),
        cmocka_unit_test(test_fault_point),
        cmocka_unit_test(test_spurious),
    };
    char name[40];
    snprintf(name, sizeof(name), "watchdog %s", vnet_mode.name);
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
