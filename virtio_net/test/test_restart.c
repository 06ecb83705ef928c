/* The whole device reset amid traffic, for every reason there is: built for each mode. */
#include "world.h"

#define BUDGET 16

static bool packed; /* the format of every test's rings */
static uint64_t given_back;

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    (void)q;
    given_back++;
    world.free_bufs[world.free_count++] = b;
}

static int restart(void)
{
    world.jitter = false; /* the caller keeps interrupts out, and the device is not to touch it */
    int error = vnet_restart(&world.dev, give_back);
    for (int i = 0; i < VNET_QUEUES; i++) {
        world.host[i] = (struct world_host){ .asleep = !world.model.queue[i].doorbells };
        world.irq_waiting[i] = false;
        assert_int_equal(vnet_check(world_q(i)), 0);
    }
    world.scheduled = 0;
    return error;
}

static struct world_config config_of(uint64_t seed)
{
    return (struct world_config){
        .packed = packed,
        .kind = packed ? (enum model_kind)(seed % 2 * MODEL_MMIO)
                       : (enum model_kind)(seed % MODEL_KINDS),
        .event_idx = seed & 2,
        .shared_line = seed & 4,
        .ring_size = (uint16_t)(8u << seed / 8 % 5),
        .seed = seed,
    };
}

static void test_amid_traffic(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct world_config c = config_of(seed);
        world_init(&c);
        given_back = 0;
        for (int round = 1; round <= 4; round++) {
            world.jitter = true;
            for (unsigned i = 0; i < 150; i++)
                world_step(BUDGET);
            assert_int_equal(restart(), 0);
            assert_int_equal(world.dev.restarts, round);
        }
        assert_int_equal(world_q(VNET_RX)->stats.given_back + world_q(VNET_TX)->stats.given_back,
                         given_back);
        world_sound(BUDGET);
    }
}

/* With the second of two buffers that it returns at once: an id given twice is still out then. */
static void misbehave(int queue, enum ring_dev_trick trick)
{
    for (int i = 0; i < 2; i++) {
        if (i)
            world_ring(queue)->trick = trick;
        while (queue == VNET_RX ? world_host_rx() && world.host[VNET_RX].unshown <= i
                                : world_host_tx() && !world.host[VNET_TX].in_hand_used)
            ;
        if (queue == VNET_TX)
            world_host_complete(false);
    }
}

/* Each reason is there to be seen before, and gone after. */
/* rule: DS-4 */
static void test_reasons(void **state)
{
    static const struct {
        int queue; /* whose ring breaks; -1: the device speaks */
        enum ring_dev_trick trick;
        enum vnet_error why;
    } cases[] = {
        { -1, RING_DEV_HONEST, VNET_E_NEEDS_RESET },
        { VNET_RX, RING_DEV_ID_RANGE, VNET_E_USED_ID_RANGE },
        { VNET_TX, RING_DEV_ID_RANGE, VNET_E_USED_ID_RANGE },
        { VNET_RX, RING_DEV_ID_TWICE, VNET_E_USED_ID_FREE },
        { VNET_TX, RING_DEV_ID_TWICE, VNET_E_USED_ID_FREE },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world_config c = config_of(i);
        world_init(&c);
        for (int times = 0; times < 3; times++) {
            assert_int_equal(vnet_broken(&world.dev), 0);
            assert_int_equal(vnet_needs_reset(&world.dev), 0);
            world_frames(4);
            world_send(4);
            if (cases[i].queue < 0)
                world.model.status |= VIRTIO_STATUS_NEEDS_RESET;
            else
                misbehave(cases[i].queue, cases[i].trick);
            world_drain(BUDGET);
            int why = cases[i].queue < 0 ? vnet_needs_reset(&world.dev) : vnet_broken(&world.dev);
            assert_int_equal(why, -(int)cases[i].why);
            if (cases[i].queue >= 0)
                assert_int_equal(world_q(cases[i].queue)->stats.broken, 1);
            assert_int_equal(restart(), 0);
            for (int q = 0; q < VNET_QUEUES; q++)
                assert_int_equal(world_q(q)->stats.broken, 0);
        }
        world_sound(BUDGET);
    }
}

/* A device that comes back with less goes on with less, and with more it is refused. */
static void test_another_device(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .seed = 5 };
    (void)state;
    world_init(&c);
    uint64_t offered = world.model.offered;
    world.model.offered &= ~VNET_F(EVENT_IDX);
    assert_int_equal(restart(), 0);
    assert_false(world_q(VNET_RX)->ring.event_idx);
    world.model.offered = offered;
    world_sound(BUDGET);
    for (int i = 0; i < VNET_QUEUES; i++)
        world.model.queue[i].max = 2 * WORLD_RING_MAX;
    assert_int_equal(restart(), -VNET_E_CHANGED);
    assert_int_equal(world.free_count, WORLD_POOL);
}

/* rule: DC-2 */
static void test_hangs(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 5 };
    (void)state;
    world_init(&c);
    world.model.hangs_in_reset = true;
    /* It may still write: the buffers stay where they are. */
    unsigned free_count = world.free_count;
    assert_int_equal(vnet_restart(&world.dev, give_back), -VNET_E_RESET_TIMEOUT);
    assert_int_equal(world.free_count, free_count);
    world.model.hangs_in_reset = false;
    assert_int_equal(restart(), 0);
    world_sound(BUDGET);
}

/* What the watchdog saw waiting was in the ring before. */
static void test_patience_starts_anew(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
    (void)state;
    world_init(&c);
    for (uint64_t now = 1; now <= 1001; now += 1000) {
        world_frames(1);
        while (world_host_rx())
            ;
        world_ring(VNET_RX)->trick = RING_DEV_IRQ_LOST;
        world_show(VNET_RX);
        world.in_irq = true;
        assert_false(vnet_watchdog(world_q(VNET_RX), now, 1000));
        world.in_irq = false;
        if (now == 1)
            assert_int_equal(restart(), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest with_irqs[] = {
        cmocka_unit_test(test_patience_starts_anew),
    };
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amid_traffic),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_another_device),
        cmocka_unit_test(test_hangs),
    };
    int failed = 0;
    for (int format = 0; format < 2; format++) {
        packed = format;
        print_message("# rings: %s\n", packed ? "packed" : "split");
        failed += cmocka_run_group_tests_name("restart", tests, NULL, NULL);
        if (vnet_mode.uses_irqs)
            failed += cmocka_run_group_tests_name("restart, watched", with_irqs, NULL, NULL);
    }
    return failed;
}
