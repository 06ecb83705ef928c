/* One driver mode in a world of chance. Built once for each mode. */
#include "world.h"
#include "../../faultinj/plan.h"

#ifndef SCHEDULES /* an emulated machine takes fewer, but more than 2^16 frames */
#define SCHEDULES 600u
#define FRAMES    100000u
#endif

static bool packed; /* the format of every test's rings: all of them run for both */

static bool is_hybrid(void)
{
    return vnet_mode.uses_irqs && !vnet_mode.works_in_irq;
}

static void schedule(const struct world_config *c, uint32_t budget, bool jitter, bool short_pool)
{
    world_init(c);
    world.jitter = jitter;
    for (int i = 0; i < 4000; i++) {
        if (short_pool)
            world.alloc_fails = rng_below(&world.rng, 4) == 0;
        world_step(budget);
        for (int j = 0; j < VNET_QUEUES; j++)
            assert_int_equal(vnet_check(world_q(j)), 0);
    }
    world.alloc_fails = false;
    world_drain(budget);
    world_quiet();
}

/* Powers of two, and for packed rings any other number. */
static uint16_t ring_size(uint64_t seed, enum model_kind kind)
{
    uint16_t size = (uint16_t)(2u << seed / 8 % 9);
    return packed && kind != MODEL_LEGACY && seed & 16 ? (uint16_t)(size + seed % size) : size;
}

/* Any order of events, any of the ways to notify, any transport: in the end nothing is left lying.
 */
/* rule: RX-2 */
static void test_random_schedules(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SCHEDULES; seed++) {
        enum model_kind kind = (enum model_kind)(seed / 2 % MODEL_KINDS);
        struct world_config c = {
            .packed = packed,
            .event_idx = seed & 1,
            .kind = kind,
            .shared_line = seed & 2,
            .echo = seed & 4,
            .ring_size = ring_size(seed, kind),
            .seed = seed,
        };
        schedule(&c, 1 + (uint32_t)(seed % 40), seed % 3, seed % 5 == 0);
    }
}

static void test_poll_asks_for_no_irq(void **state)
{
    (void)state;
    for (int event_idx = 0; event_idx < 2; event_idx++) {
        struct world_config c = {
            .packed = packed, .event_idx = event_idx, .ring_size = 64, .seed = 5
        };
        world_init(&c);
        world.jitter = true;
        while (world.host_sent < FRAMES / 2 * 3 || world.tx_seen < FRAMES / 2 * 3)
            world_step(64);
        world_drain(64);
        world_quiet();
        for (int i = 0; i < VNET_QUEUES; i++) {
            assert_int_equal(world_ring(i)->irqs_wanted, 0);
            assert_int_equal(world_q(i)->stats.irqs, 0);
            assert_int_equal(world_q(i)->stats.arms, 0);
        }
    }
}

/* A hundred thousand frames out and back: each is there, in order, unchanged. */
static void test_echo(void **state)
{
    (void)state;
    for (int event_idx = 0; event_idx < 2; event_idx++) {
        struct world_config c = {
            .packed = packed, .event_idx = event_idx, .echo = true, .ring_size = 256, .seed = 77
        };
        world_init(&c);
        world.jitter = true;
        for (uint64_t n = 0; n < FRAMES; n += 100) {
            world_frames(100);
            for (int i = 0; i < 60; i++)
                world_step(64);
            /* The rest of this hundred, so that no ring is ever full. */
            world_drain(64);
            world.jitter = true;
        }
        world_drain(64);
        world_quiet();
        assert_true(world.host_sent >= FRAMES);
        assert_int_equal(world.tx_seen, world.host_sent);
        assert_int_equal(world.refused, 0);
    }
}

/* No replacement buffers: frames are dropped by name, their buffers posted again, the ring as full
 * as ever; and it recovers. */
static void test_rx_alloc_failure(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
    (void)state;
    world_init(&c);
    world.alloc_fails = true;
    world_frames(100);
    world_drain(64);
    world_quiet();
    assert_int_equal(world_q(VNET_RX)->stats.drop_alloc, 100);
    assert_int_equal(world.received, 0);
    world.alloc_fails = false;
    world_frames(50);
    world_drain(64);
    world_quiet();
    assert_int_equal(world.received, 50);
}

static void test_rx_alloc_fault_point(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
    char err[80];
    (void)state;
    world_init(&c);
    assert_int_equal(fault_plan_set("rx_alloc:interval=4", err, sizeof(err)), 0);
    world_frames(100);
    world_drain(64);
    world_quiet();
    assert_int_equal(world_q(VNET_RX)->stats.drop_alloc, 25);
    assert_int_equal(fault_plan_set("", err, sizeof(err)), 0);
}

static void test_rx_lengths(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
    (void)state;
    world_init(&c);
    world_frames(10);
    world_ring(VNET_RX)->trick = RING_DEV_LEN_LONG;
    world_host_rx();
    world_ring(VNET_RX)->trick = RING_DEV_LEN_SHORT;
    world_host_rx();
    world_drain(64);
    world_quiet();
    assert_int_equal(world_q(VNET_RX)->stats.drop_length, 2);
    assert_int_equal(world.received, 8);
}

/* The ring takes what it has room for and says so; afterwards there is room again. */
static void test_tx_full(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
    (void)state;
    world_init(&c);
    assert_int_equal(world_send(10), 10);
    assert_int_equal(world_send(10), 6);
    assert_int_equal(world_send(1), 0);
    assert_int_equal(world_q(VNET_TX)->stats.full, 2);
    world_drain(64);
    assert_int_equal(world_send(16), 16);
    world_drain(64);
    world_quiet();
}

/* A sender needs no completion interrupt to get on: it takes back itself what the device is done
 * with. And after that the rest still comes back without another send. */
static void test_tx_reclaims_itself(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct world_config c = {
            .packed = packed, .event_idx = true, .shared_line = shared, .ring_size = 16, .seed = 3
        };
        world_init(&c);
        world_send(16);
        for (int i = 0; i < 17; i++)
            world_host_tx();
        for (int i = 0; i < 12; i++)
            world_host_complete(false);
        world_show(VNET_TX);
        assert_int_equal(world_send(8), 8); /* the interrupt is on its way all this time */
        world_drain(64);
        world_quiet();
    }
}

static void host_finishes(void)
{
    while (world_host_tx() || world_host_complete(false))
        ;
    world_show(VNET_TX);
}

/* All that was sent is completed when the driver has looked for the last time and not yet asked for
 * the interrupt. */
static void test_tx_completed_while_arming(void **state)
{
    (void)state;
    for (int event_idx = 0; event_idx < 2; event_idx++) {
        for (unsigned n = 1; n <= 16; n++) {
            struct world_config c = {
                .packed = packed, .event_idx = event_idx, .ring_size = 16, .seed = 3
            };
            world_init(&c);
            world_send(1); /* a device's first decision is always to interrupt: get it over with */
            world_drain(64);
            world.at_store = host_finishes;
            assert_int_equal(world_send(n), n);
            world.at_store = NULL;
            world_drain(64);
            world_quiet();
        }
    }
}

/* The shared line: not ours, ours for another reason than a queue, ours with nothing to do. */
static void test_shared_line(void **state)
{
    struct world_config c = {
        .packed = packed, .event_idx = true, .shared_line = true, .ring_size = 16, .seed = 3
    };
    (void)state;
    world_init(&c);
    world.in_irq = true;
    assert_false(vnet_irq_shared(&world.dev));
    model_isr(&world.model, VIRTIO_ISR_CONFIG);
    assert_true(vnet_irq_shared(&world.dev));
    assert_int_equal(world_q(VNET_RX)->stats.irqs, 0);
    model_isr(&world.model, VIRTIO_ISR_QUEUE);
    assert_true(vnet_irq_shared(&world.dev));
    assert_int_equal(world_q(VNET_RX)->stats.irqs_spurious, 1);
    assert_int_equal(world_q(VNET_TX)->stats.irqs, 0);
    world.in_irq = false;
    world_drain(64);
    world_quiet();
}

/* A poll does as much as it may, says that there is more, and goes on from there. */
static void test_budget(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 256, .seed = 3 };
    (void)state;
    world_init(&c);
    world_frames(100);
    for (int i = 0; i < 100; i++)
        world_host_rx();
    world_show(VNET_RX);
    world_irq(VNET_RX);
    for (unsigned i = 1; i <= 2; i++) {
        struct vnet_poll_result r = vnet_poll(world_q(VNET_RX), 40);
        assert_int_equal(r.done, 40);
        assert_true(r.again);
        assert_int_equal(world.received, 40 * i);
    }
    assert_int_equal(vnet_poll(world_q(VNET_RX), 40).done, 20);
    assert_int_equal(world_q(VNET_RX)->stats.polls_budget, is_hybrid() ? 2 : 0);
    assert_int_equal(world.largest_upcall, VNET_BATCH);
    world_drain(40);
    world_quiet();
}

/* Under load hybrid has few interrupts, and idle it has them back. */
static void test_hybrid_masks(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = false, .ring_size = 64, .seed = 3 };
    (void)state;
    world_init(&c);
    struct vnet_q *rx = world_q(VNET_RX);
    assert_int_equal(world_masked(VNET_RX), false);
    for (int i = 0; i < 1000; i++) {
        world_frames(10);
        while (world_host_rx())
            world_show(VNET_RX);
        world_irq(VNET_RX);
        assert_int_equal(world_masked(VNET_RX), true);
        world_poll(5);
    }
    assert_int_equal(rx->stats.irqs, 1);
    world_drain(5);
    world_quiet();
    assert_int_equal(world_masked(VNET_RX), false);
    assert_int_equal(rx->stats.irqs_spurious, 0);
}

/* Transmit completions are waited for by the three quarters: few interrupts, and yet the last. */
static void test_hybrid_tx_moderation(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 256, .seed = 3 };
    (void)state;
    world_init(&c);
    for (int i = 0; i < 4; i++)
        world_send(25);
    for (int i = 0; i < 101; i++)
        world_host_tx();
    for (int i = 1; i <= 75; i++) {
        assert_int_equal(world_q(VNET_TX)->stats.irqs, 0);
        world_host_complete(false);
        world_show(VNET_TX);
        /* The first decision of a device has nothing to compare with and is always yes. */
        if (world_ring(VNET_TX)->irqs_wanted)
            world_irq(VNET_TX);
        else
            world.irq_waiting[VNET_TX] = false;
    }
    assert_int_equal(world_q(VNET_TX)->stats.irqs, 1);
    world_drain(64);
    world_quiet();
    assert_in_range(world_q(VNET_TX)->stats.irqs, 2, 8);
}

static void test_intr_never_masks(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = false, .ring_size = 32, .seed = 9 };
    (void)state;
    world_init(&c);
    world.jitter = true;
    for (int i = 0; i < 20000; i++) {
        world_step(64);
        for (int j = 0; j < VNET_QUEUES; j++)
            assert_int_equal(world_masked(j), false);
    }
    world_drain(64);
    world_quiet();
}

/* A queue that latched broken says so once, hurts nobody, and stop gives its buffers back. */
static unsigned given_back;

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    (void)q;
    given_back++;
    world.free_bufs[world.free_count++] = b;
}

static void test_broken_and_stop(void **state)
{
    static const enum ring_dev_trick lies[] = { RING_DEV_ID_RANGE, RING_DEV_IDX_JUMP };
    (void)state;
    for (unsigned lie = 0; lie < (packed ? 1 : 2); lie++) {
        for (int index = 0; index < VNET_QUEUES; index++) {
            struct world_config c = {
                .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3
            };
            world_init(&c);
            world_frames(3);
            world_send(3);
            world_ring(index)->trick = lies[lie];
            world_drain(64);
            for (int i = 0; i < VNET_QUEUES; i++)
                assert_int_equal(world_q(i)->stats.broken, i == index);
            given_back = 0;
            assert_int_equal(vnet_stop(&world.dev, give_back), 0);
            assert_int_equal(world.free_count, WORLD_POOL);
            assert_true(given_back >= 16);
        }
    }
}

/* It breaks behind frames that were sound: they are received, and of all the buffers that go to and
 * fro at that moment none is lost. */
static void test_broken_behind_frames(void **state)
{
    (void)state;
    for (unsigned sound = 1; sound <= 8; sound++) {
        struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
        world_init(&c);
        world_frames(sound + 1);
        for (unsigned i = 0; i < sound; i++) {
            if (i == 1)
                world_ring(VNET_RX)->trick = RING_DEV_LEN_LONG; /* one of them to be posted again */
            world_host_rx();
        }
        world_ring(VNET_RX)->trick = RING_DEV_ID_RANGE;
        world_host_rx();
        world_show(VNET_RX);
        world_drain(64);
        assert_int_equal(world_q(VNET_RX)->stats.broken, 1);
        assert_int_equal(world.received, sound > 1 ? sound - 1 : 1);
        given_back = 0;
        assert_int_equal(vnet_stop(&world.dev, give_back), 0);
        assert_int_equal(world.free_count, WORLD_POOL);
    }
}

static void test_stop_in_full_flight(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 40; seed++) {
        struct world_config c = {
            .packed = packed, .event_idx = seed & 1, .ring_size = 32, .seed = seed
        };
        world_init(&c);
        world.jitter = true;
        for (int i = 0; i < 500; i++)
            world_step(8);
        world.jitter = false;
        assert_int_equal(vnet_stop(&world.dev, give_back), 0);
        assert_int_equal(world.free_count, WORLD_POOL);
        for (int i = 0; i < VNET_QUEUES; i++)
            assert_int_equal(vnet_check(world_q(i)), 0);
        assert_null(model_violation(&world.model));
    }
}

static void test_stop_waits_for_reset(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
    (void)state;
    world_init(&c);
    world.model.hangs_in_reset = true;
    given_back = 0;
    assert_int_equal(vnet_stop(&world.dev, give_back), -VNET_E_RESET_TIMEOUT);
    assert_int_equal(given_back, 0);
    world.model.hangs_in_reset = false;
    assert_int_equal(vnet_stop(&world.dev, give_back), 0);
    assert_int_equal(world.free_count, WORLD_POOL);
}

/* Which seed it was when a schedule went wrong. */
static int tell_seed(void **state)
{
    (void)state;
    print_message("# last seed: %u\n", (unsigned)world.config.seed);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest all[] = {
        cmocka_unit_test_teardown(test_random_schedules, tell_seed),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_rx_alloc_failure),
        cmocka_unit_test(test_rx_alloc_fault_point),
        cmocka_unit_test(test_rx_lengths),
        cmocka_unit_test(test_tx_full),
        cmocka_unit_test(test_tx_reclaims_itself),
        cmocka_unit_test(test_tx_completed_while_arming),
        cmocka_unit_test(test_shared_line),
        cmocka_unit_test(test_broken_and_stop),
        cmocka_unit_test(test_broken_behind_frames),
        cmocka_unit_test(test_stop_in_full_flight),
        cmocka_unit_test(test_stop_waits_for_reset),
    };
    static const struct CMUnitTest poll[] = {
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_poll_asks_for_no_irq),
    };
    static const struct CMUnitTest intr[] = {
        cmocka_unit_test(test_intr_never_masks),
    };
    static const struct CMUnitTest hybrid[] = {
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_hybrid_masks),
        cmocka_unit_test(test_hybrid_tx_moderation),
    };
    int failed = 0;
    for (int format = 0; format < 2; format++) {
        packed = format;
        print_message("# rings: %s\n", packed ? "packed" : "split");
        failed += cmocka_run_group_tests_name(vnet_mode.name, all, NULL, NULL);
        if (is_hybrid())
            failed += cmocka_run_group_tests_name("hybrid alone", hybrid, NULL, NULL);
        else if (vnet_mode.works_in_irq)
            failed += cmocka_run_group_tests_name("intr alone", intr, NULL, NULL);
        else
            failed += cmocka_run_group_tests_name("poll alone", poll, NULL, NULL);
    }
    return failed;
}
