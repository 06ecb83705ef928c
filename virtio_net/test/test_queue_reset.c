/* One queue taken from the device amid traffic and given to it again: built for each mode. */
#include "world.h"

#define BUDGET   16
#define PATIENCE 1000u

static bool packed; /* the format of every test's rings */
static uint64_t given_back;

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    (void)q;
    given_back++;
    world.free_bufs[world.free_count++] = b;
}

static bool masked_at_start[VNET_QUEUES];

static void begin(const struct world_config *c)
{
    world_init(c);
    given_back = 0;
    for (int i = 0; i < VNET_QUEUES; i++)
        masked_at_start[i] = world_q(i)->ring.masked;
}

/* Neither side remembers anything of the ring that was. */
static void reset(int index)
{
    struct vring *r = &world_q(index)->ring;
    world.jitter = false; /* the caller keeps interrupts out, and the device is not to touch it */
    assert_int_equal(vnet_queue_reset(world_q(index), give_back), 0);
    assert_int_equal(vnet_check(world_q(index)), 0);
    world.host[index] = (struct world_host){ .asleep = true };
    world.irq_waiting[index] = false;
    assert_int_equal(vnet_queue_restart(world_q(index), world_memory(index), r->shadow), 0);
    assert_int_equal(vnet_check(world_q(index)), 0);
    assert_int_equal(r->masked, masked_at_start[index]);
    assert_null(model_violation(&world.model));
}

/* rule: VR-1 */ /* rule: VR-2 */
static void test_amid_traffic(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct world_config c = {
            .packed = packed,
            .kind = seed & 1 ? MODEL_MMIO : MODEL_MODERN,
            .event_idx = seed & 2,
            .shared_line = seed & 4,
            .ring_size = (uint16_t)(4u << seed / 8 % 6),
            .seed = seed,
        };
        begin(&c);
        for (int round = 0; round < 6; round++) {
            world.jitter = true;
            for (unsigned i = 0; i < 150; i++)
                world_step(BUDGET);
            reset(round % VNET_QUEUES);
        }
        uint64_t counted = 0;
        for (int i = 0; i < VNET_QUEUES; i++)
            counted += world_q(i)->stats.given_back;
        assert_int_equal(counted, given_back);
        world_sound(BUDGET);
    }
}

/* A queue that latched broken is sound again, and can be said to be broken again. */
static void test_broken_queue(void **state)
{
    (void)state;
    for (int index = 0; index < VNET_QUEUES; index++) {
        struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
        begin(&c);
        for (int times = 0; times < 2; times++) {
            world_frames(3);
            world_send(3);
            world_ring(index)->trick = RING_DEV_ID_RANGE;
            world_drain(BUDGET);
            assert_int_equal(world_q(index)->stats.broken, 1);
            reset(index);
            assert_int_equal(world_q(index)->stats.broken, 0);
        }
        world_sound(BUDGET);
    }
}

/* A restart that fails leaves a queue that can be reset again. */
static void test_no_memory(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
    (void)state;
    begin(&c);
    struct vnet_q *q = world_q(VNET_RX);
    uint8_t *memory = world_memory(VNET_RX);
    void *shadow = q->ring.shadow;
    assert_int_equal(vnet_queue_reset(q, give_back), 0);
    assert_int_equal(vnet_queue_restart(q, memory + 8, shadow), -VNET_E_MEMORY);
    world.alloc_fails = true;
    assert_int_equal(vnet_queue_restart(q, memory, shadow), -VNET_E_MEMORY);
    world.alloc_fails = false;
    reset(VNET_RX);
    world_sound(BUDGET);
}

/* What the watchdog saw waiting was in the ring before. */
static void test_patience_starts_anew(void **state)
{
    struct world_config c = { .packed = packed, .event_idx = true, .ring_size = 16, .seed = 3 };
    (void)state;
    begin(&c);
    for (int i = 0; i < 2; i++) {
        world_frames(1);
        while (world_host_rx())
            ;
        world_ring(VNET_RX)->trick = RING_DEV_IRQ_LOST;
        world_show(VNET_RX);
        world.in_irq = true;
        assert_false(vnet_watchdog(world_q(VNET_RX), 1 + PATIENCE * (uint64_t)i, PATIENCE));
        world.in_irq = false;
        if (i == 0)
            reset(VNET_RX);
    }
}

int main(void)
{
    static const struct CMUnitTest all[] = {
        cmocka_unit_test(test_amid_traffic),
        cmocka_unit_test(test_broken_queue),
        cmocka_unit_test(test_no_memory),
    };
    static const struct CMUnitTest with_irqs[] = {
        cmocka_unit_test(test_patience_starts_anew),
    };
    int failed = 0;
    for (int format = 0; format < 2; format++) {
        packed = format;
        print_message("# rings: %s\n", packed ? "packed" : "split");
        failed += cmocka_run_group_tests_name("queue reset", all, NULL, NULL);
        if (vnet_mode.uses_irqs)
            failed += cmocka_run_group_tests_name("queue reset, watched", with_irqs, NULL, NULL);
    }
    return failed;
}
