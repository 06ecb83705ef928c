/* The split ring alone: layout, passage of buffers, a device that lies, the way out of a reset. */
#include "ring_pair.h"
#include <string.h>

static void test_init(void **state)
{
    static const uint16_t bad[] = { 0, 1, 3, 6, 1000, 65535 };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(
            vring_init(&ring, bad[i], VIRTQ_USED_ALIGN, true, ring_memory, ring_shadow),
            -VNET_E_QUEUE_SIZE);
    assert_int_equal(vring_init(&ring, 4, VIRTQ_USED_ALIGN, true, ring_memory + 8, ring_shadow),
                     -VNET_E_MEMORY);
    assert_int_equal(vring_init(&ring, 4, VIRTQ_USED_ALIGN, true, NULL, ring_shadow),
                     -VNET_E_MEMORY);
    assert_int_equal(vring_init(&ring, 4, VIRTQ_USED_ALIGN, true, ring_memory, NULL),
                     -VNET_E_MEMORY);
}

/* A stale event word of an earlier life would suppress notifications of this one. */
static void test_init_leaves_nothing_stale(void **state)
{
    (void)state;
    for (uint16_t size = 2; size <= PAIR_SIZE_MAX; size *= 2) {
        pair_init(size, true);
        for (size_t i = 0; i < vring_bytes(size, VIRTQ_USED_ALIGN); i++)
            assert_int_equal(ring_memory[i], 0);
        assert_int_equal(ring_memory[vring_bytes(size, VIRTQ_USED_ALIGN)], 0xab);
        pair_healthy();
    }
}

/* The formulas of "Split Virtqueues" for a queue of 256, by hand. */
static void test_layout(void **state)
{
    struct vnet_ring_addr a;
    (void)state;
    pair_init(256, true);
    vring_addresses(&ring, &a);
    assert_int_equal(a.avail - a.desc, 16 * 256);
    assert_int_equal(a.used - a.avail, 6 + 2 * 256 + 2); /* 2 to be aligned to 4 */
    assert_int_equal(vring_bytes(256, VIRTQ_USED_ALIGN), 16 * 256 + 520 + 6 + 8 * 256);
}

/* A full ring round and round; every buffer comes back as itself. */
static void pass(uint16_t size)
{
    uint8_t *order[PAIR_SIZE_MAX];
    struct ring_dev_buf b;
    uint32_t bytes;
    bool overlong;
    pair_add(size);
    assert_int_equal(vring_add(&ring, order, 1, 1, true), -1);
    assert_int_equal(ring_dev_waiting(&dev), 0);
    assert_int_equal(vring_publish(&ring), size);
    assert_int_equal(vring_publish(&ring), 0);
    for (unsigned i = 0; i < size; i++) {
        assert_true(ring_dev_take(&dev, &b));
        assert_true(b.writable);
        assert_int_equal(b.bytes, PAIR_BYTES);
        order[i] = b.data;
        ring_dev_use(&dev, b.id, i % PAIR_BYTES);
    }
    assert_null(vring_pop(&ring, &bytes, &overlong));
    ring_dev_show(&dev);
    assert_int_equal(vring_pending(&ring), size);
    for (unsigned i = 0; i < size; i++) {
        assert_ptr_equal(vring_pop(&ring, &bytes, &overlong), order[i]);
        assert_int_equal(bytes, i % PAIR_BYTES);
        assert_false(overlong);
    }
    assert_null(vring_pop(&ring, &bytes, &overlong));
    pair_healthy();
}

static void test_sizes_and_wrap(void **state)
{
    (void)state;
    for (uint16_t size = 2; size <= PAIR_SIZE_MAX; size *= 2) {
        pair_init(size, false);
        while (ring.harvested <= 70000)
            pass(size);
    }
}

static void test_read_only_buffers(void **state)
{
    static uint8_t frame[60];
    struct ring_dev_buf b;
    uint32_t bytes;
    bool overlong;
    (void)state;
    pair_init(4, true);
    assert_int_equal(vring_add(&ring, frame, env_dma_addr(frame), 60, false), 0);
    vring_publish(&ring);
    assert_true(ring_dev_take(&dev, &b));
    assert_false(b.writable);
    ring_dev_use(&dev, b.id, 5);
    ring_dev_show(&dev);
    assert_ptr_equal(vring_pop(&ring, &bytes, &overlong), frame);
    assert_int_equal(bytes, 0);
    assert_true(overlong);
}

static void lie(enum ring_dev_trick trick, uint8_t reason)
{
    uint16_t word;
    pair_init(8, true);
    pair_add(8);
    vring_publish(&ring);
    pair_use(1);
    dev.trick = trick;
    pair_use(1);
    ring_dev_show(&dev);
    pair_pop_all();
    assert_int_equal(ring.broken, reason);
    /* Broken is for good, and harmless. */
    assert_int_equal(vring_add(&ring, ring_memory, 1, 1, true), -1);
    assert_int_equal(vring_publish(&ring), 0);
    assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_NONE);
    assert_int_equal(vring_pending(&ring), 0);
    assert_int_equal(pair_pop_all(), 0);
    assert_int_equal(ring.broken, reason);
    assert_int_equal(vring_check(&ring), 0);
}

static void test_device_lies(void **state)
{
    (void)state;
    lie(RING_DEV_ID_RANGE, VNET_E_USED_ID_RANGE);
    lie(RING_DEV_ID_TWICE, VNET_E_USED_ID_FREE);
    lie(RING_DEV_IDX_JUMP, VNET_E_USED_JUMP);
}

/* Backwards is a jump too, and so is one entry more than the device was given. */
static void test_jumps(void **state)
{
    static const int steps[] = { -1, 4, 5, 32768 };
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        pair_init_at(8, true, 65534);
        pair_add(3);
        vring_publish(&ring);
        pair_add(1); /* not published: the device does not hold it */
        ring.used->idx = (uint16_t)(65534 + steps[i]);
        assert_int_equal(vring_pending(&ring), 0);
        assert_int_equal(ring.broken, VNET_E_USED_JUMP);
    }
}

static void test_lengths(void **state)
{
    uint32_t bytes;
    bool overlong;
    (void)state;
    pair_init(8, true);
    pair_add(2);
    vring_publish(&ring);
    dev.trick = RING_DEV_LEN_LONG;
    pair_use(1);
    dev.trick = RING_DEV_LEN_SHORT;
    pair_use(1);
    ring_dev_show(&dev);
    assert_non_null(vring_pop(&ring, &bytes, &overlong));
    assert_true(overlong);
    assert_int_equal(bytes, PAIR_BYTES);
    assert_non_null(vring_pop(&ring, &bytes, &overlong));
    assert_false(overlong);
    assert_int_equal(bytes, 11);
    pair_healthy();
}

/* The device scribbles over the whole descriptor table: nothing of it is read back. */
static void test_scribbled_table(void **state)
{
    (void)state;
    pair_init(8, true);
    pair_add(8);
    vring_publish(&ring);
    pair_use(8);
    memset(ring.desc, 0xff, 8 * sizeof(struct virtq_desc));
    ring_dev_show(&dev);
    assert_int_equal(pair_pop_all(), 8);
    pair_healthy();
    pair_add(8);
    vring_publish(&ring);
    pair_use(8);
    pair_healthy();
}

/* An interrupt looks for entries while a pop in the thread below it is half done: of the two counts
 * of what was harvested only one is stored yet, whichever the compiler puts first. */
static void test_look_amid_pop(void **state)
{
    uint32_t bytes;
    bool overlong;
    (void)state;
    pair_init(8, true);
    pair_add(8);
    vring_publish(&ring);
    pair_use(8);
    ring_dev_show(&dev);
    assert_non_null(vring_pop(&ring, &bytes, &overlong));
    ring.used_idx--;
    assert_in_range(vring_pending(&ring), 7, 8);
    ring.used_idx++;
    ring.harvested--;
    assert_in_range(vring_pending(&ring), 7, 8);
    ring.harvested++;
    pair_healthy();
}

/* Of five buffers one was harvested, one used unseen, two lie with the device, one unpublished. */
static void test_reclaim(void **state)
{
    unsigned n = 0;
    uint32_t bytes;
    bool overlong;
    (void)state;
    pair_init_at(8, true, 65533);
    pair_add(4);
    vring_publish(&ring);
    pair_add(1);
    pair_use(2);
    ring_dev_show(&dev);
    assert_non_null(vring_pop(&ring, &bytes, &overlong));
    while (vring_reclaim(&ring))
        n++;
    assert_int_equal(n, 4);
    assert_int_equal(ring.free_count, 8);
    assert_int_equal(vring_check(&ring), 0);
    assert_int_equal(pair_pop_all(), 0); /* a late look takes nothing twice */
    assert_null(vring_reclaim(&ring));
}

/* A long schedule of everything, its invariants checked after each step. */
static void step(struct rng *r)
{
    struct ring_dev_buf b;
    uint16_t word;
    switch (rng_below(r, 6)) {
    case 0:
        pair_add(rng_below(r, ring.free_count + 1u));
        break;
    case 1:
        vring_publish(&ring);
        break;
    case 2:
        vring_kick_needed(&ring, &word);
        break;
    case 3:
        if (ring_dev_take(&dev, &b)) {
            static uint16_t id;
            id = b.id;
            if (rng_below(r, 2) && ring_dev_take(&dev, &b)) /* out of order */
                ring_dev_use(&dev, b.id, PAIR_USED);
            ring_dev_use(&dev, id, PAIR_USED);
        }
        break;
    case 4:
        ring_dev_show(&dev);
        break;
    default:
        if (rng_below(r, 2))
            vring_arm(&ring, (uint16_t)(1 + rng_below(r, 4)), &word);
        else
            vring_mask(&ring);
        pair_pop_all();
        vring_repark(&ring);
    }
}

static void test_long_schedule(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        struct rng r = { seed * 0x9e3779b97f4a7c15ull };
        pair_init((uint16_t)(2u << rng_below(&r, 8)), seed & 1);
        for (int i = 0; i < 5000; i++) {
            step(&r);
            pair_healthy();
        }
    }
}

/* vring_check itself finds what it is there to find. */
static void test_check_finds(void **state)
{
    (void)state;
    pair_init(8, true);
    pair_add(2);
    vring_publish(&ring);
    struct vring good = ring;
    struct vring_shadow held = ring_shadow[0];
    ring_shadow[0].with_device = false;
    assert_int_not_equal(vring_check(&ring), 0);
    ring_shadow[0] = held;
    ring_shadow[3].next_free = 3; /* a loop */
    assert_int_not_equal(vring_check(&ring), 0);
    ring_shadow[3].next_free = 4;
    assert_int_equal(vring_check(&ring), 0);
    ring.free_head = 0; /* held */
    assert_int_not_equal(vring_check(&ring), 0);
    ring = good;
    ring.free_count--;
    assert_int_not_equal(vring_check(&ring), 0);
    ring = good;
    ring.harvested++;
    assert_int_not_equal(vring_check(&ring), 0);
    ring = good;
    ring.published += 2;
    ring.avail_idx = (uint16_t)(ring.avail_idx + 2);
    assert_int_not_equal(vring_check(&ring), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_init_leaves_nothing_stale),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_sizes_and_wrap),
        cmocka_unit_test(test_read_only_buffers),
        cmocka_unit_test(test_device_lies),
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_scribbled_table),
        cmocka_unit_test(test_look_amid_pop),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_long_schedule),
        cmocka_unit_test(test_check_finds),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
