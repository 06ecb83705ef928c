/* The ring alone, in both formats: layout, passage of buffers, a device that lies, the way out of a
 * reset. */
#include "ring_pair.h"
#include <string.h>

static struct vring_config plain(uint16_t size)
{
    return (struct vring_config){
        .size = size,
        .packed = pair_packed,
        .event_idx = true,
        .start = VRING_START(pair_packed),
    };
}

static int init(uint16_t size, void *memory, void *shadow)
{
    struct vring_config c = plain(size);
    return vring_init(&ring, &c, memory, shadow);
}

static void test_init(void **state)
{
    static const uint16_t bad[] = { 0, 32769, 65535 }, bad_split[] = { 3, 6, 1000 };
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(init(bad[i], ring_memory, ring_shadow), -VNET_E_QUEUE_SIZE);
            for (size_t i = 0; i < sizeof(bad_split) / sizeof(bad_split[0]); i++)
                assert_int_equal(init(bad_split[i], ring_memory, ring_shadow),
                                 pair_packed ? 0 : -VNET_E_QUEUE_SIZE);
            assert_int_equal(init(4, ring_memory + 8, ring_shadow), -VNET_E_MEMORY);
            assert_int_equal(init(4, NULL, ring_shadow), -VNET_E_MEMORY);
            assert_int_equal(init(4, ring_memory, NULL), -VNET_E_MEMORY);
            struct vring_config legacy = plain(4);
            legacy.legacy = true;
            assert_int_equal(vring_init(&ring, &legacy, ring_memory + 16, ring_shadow),
                             -VNET_E_MEMORY);
        }
}

/* A stale event word of an earlier life would suppress notifications of this one. */
/* rule: SN-1 */
static void test_init_leaves_nothing_stale(void **state)
{
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (uint16_t size = 1; size <= PAIR_SIZE_MAX; size *= 2) {
                struct vring_config c = plain(size);
                pair_init(size, true);
                for (size_t i = 0; i < vring_bytes(&c); i++)
                    assert_int_equal(ring_memory[i], 0);
                assert_int_equal(ring_memory[vring_bytes(&c)], 0xab);
                pair_healthy();
            }
        }
}

/* The formulas of "Split Virtqueues" and "Packed Virtqueues" for a queue of 256, by hand. */
static void test_layout(void **state)
{
    struct vnet_ring_addr a;
    struct vring_config c;
    (void)state;
    pair_packed = false;
    pair_init(256, true);
    vring_addresses(&ring, &a);
    c = plain(256);
    assert_int_equal(a.avail - a.desc, 16 * 256);
    assert_int_equal(a.used - a.avail, 6 + 2 * 256 + 2); /* 2 to be aligned to 4 */
    assert_int_equal(vring_bytes(&c), 16 * 256 + 520 + 6 + 8 * 256);
    c.legacy = true;
    assert_int_equal(vring_init(&ring, &c, ring_memory, ring_shadow), 0);
    vring_addresses(&ring, &a);
    assert_int_equal(a.used - a.desc, 8192); /* the page after descriptors and avail ring */
    pair_packed = true;
    pair_init(256, true);
    vring_addresses(&ring, &a);
    c = plain(256);
    assert_int_equal(a.avail - a.desc, 16 * 256);
    assert_int_equal(a.used - a.avail, 4);
    assert_int_equal(vring_bytes(&c), 16 * 256 + 8);
    c.indirect_parts = 5;
    assert_int_equal(vring_bytes(&c), 16 * 256 + 16 + 256 * 5 * 16);
}

/* A full ring round and round; every buffer comes back as itself. */
static void pass(uint16_t size)
{
    static uint8_t *order[PAIR_SIZE_MAX];
    static struct ring_dev_buf b;
    struct vring_item one_more = { order, 1, 1 };
    struct vring_part part = { 1, 1 };
    uint32_t bytes;
    bool overlong;
    pair_add(size);
    assert_int_equal(vring_add(&ring, &one_more, 1, true), 0);
    assert_int_equal(vring_add_parts(&ring, order, &part, 0, 1), -1);
    assert_false(ring_dev_waiting(&dev));
    assert_int_equal(vring_publish(&ring), size);
    assert_int_equal(vring_publish(&ring), 0);
    for (unsigned i = 0; i < size; i++) {
        assert_true(ring_dev_take(&dev, &b));
        assert_int_equal(b.parts, 1);
        assert_int_equal(b.writable_bytes, PAIR_BYTES);
        order[i] = b.part[0].data;
        ring_dev_use(&dev, b.id, i % PAIR_BYTES);
    }
    assert_false(ring_dev_waiting(&dev));
    assert_null(pair_pop(&bytes, &overlong));
    ring_dev_show(&dev);
    assert_int_equal(vring_pending(&ring), size);
    for (unsigned i = 0; i < size; i++) {
        assert_ptr_equal(pair_pop(&bytes, &overlong), order[i]);
        assert_int_equal(bytes, i % PAIR_BYTES);
        assert_false(overlong);
    }
    assert_null(pair_pop(&bytes, &overlong));
    pair_healthy();
}

static void test_sizes_and_wrap(void **state)
{
    static const uint16_t odd[] = { 3, 5, 100, 255, 257, 1000, 1023 };
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (uint16_t size = 1; size <= PAIR_SIZE_MAX; size *= 2) {
                pair_init(size, false);
                while (ring.harvested <= 70000)
                    pass(size);
            }
        }
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        pair_init(odd[i], true);
        while (ring.harvested <= 10000)
            pass(odd[i]);
    }
}

/* A ring may go on from any index or slot, in either lap. */
static void test_starts_anywhere(void **state)
{
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (uint32_t start = 0; start < 65536; start += start % 4096 < 64 ? 1 : 61) {
                if (pair_packed && (start & 0x7fff) >= 64)
                    continue;
                pair_init_at(64, start & 1, (uint16_t)start);
                pass(64);
                pass(64);
            }
        }
}

/* The largest ring there may be: indices, and counts of what is free, at their limits. */
static void test_largest(void **state)
{
    static _Alignas(16) uint8_t memory[27 * VIRTQ_SIZE_MAX];
    static struct vring_shadow shadow[VIRTQ_SIZE_MAX];
    static struct ring_dev_buf b;
    struct vnet_ring_addr a;
    struct vring_used used;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            struct vring_config c = plain(VIRTQ_SIZE_MAX);
            assert_true(vring_bytes(&c) <= sizeof(memory));
            assert_int_equal(vring_init(&ring, &c, memory, shadow), 0);
            vring_addresses(&ring, &a);
            ring_dev_init(&dev, &(struct ring_dev_config){ .size = c.size,
                                                           .start = c.start,
                                                           .packed = c.packed,
                                                           .event_idx = true,
                                                           .desc = a.desc,
                                                           .avail = a.avail,
                                                           .used = a.used });
            for (int lap = 0; lap < 3; lap++) {
                pair_add(VIRTQ_SIZE_MAX);
                assert_int_equal(vring_publish(&ring), VIRTQ_SIZE_MAX);
                for (unsigned i = 0; i < VIRTQ_SIZE_MAX; i++) {
                    assert_true(ring_dev_take(&dev, &b));
                    ring_dev_use(&dev, b.id, 1);
                }
                ring_dev_show(&dev);
                assert_int_equal(vring_pending(&ring), VIRTQ_SIZE_MAX);
                for (unsigned i = 0; i < VIRTQ_SIZE_MAX; i++)
                    assert_int_equal(vring_pop(&ring, &used, 1), 1);
            }
            pair_healthy();
        }
}

static void test_read_only_buffers(void **state)
{
    static uint8_t frame[60];
    static struct ring_dev_buf b;
    struct vring_item item = { frame, env_dma_addr(frame), 60 };
    uint32_t bytes;
    bool overlong;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init(4, true);
            assert_int_equal(vring_add(&ring, &item, 1, false), 1);
            vring_publish(&ring);
            assert_true(ring_dev_take(&dev, &b));
            assert_int_equal(b.readable, 1);
            assert_int_equal(b.readable_bytes, 60);
            ring_dev_use(&dev, b.id, 5);
            ring_dev_show(&dev);
            assert_ptr_equal(pair_pop(&bytes, &overlong), frame);
            assert_int_equal(bytes, 0);
            assert_true(overlong);
        }
}

static void lie(enum ring_dev_trick trick, uint8_t reason)
{
    uint16_t word;
    struct vring_item item = { ring_memory, 1, 1 };
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
    assert_int_equal(vring_add(&ring, &item, 1, true), 0);
    assert_int_equal(pair_add_parts(1, 1), -1);
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
    for
        EACH_FORMAT(f)
        {
            lie(RING_DEV_ID_RANGE, VNET_E_USED_ID_RANGE);
            lie(RING_DEV_ID_TWICE, VNET_E_USED_ID_FREE);
        }
    pair_packed = false;
    lie(RING_DEV_IDX_JUMP, VNET_E_USED_JUMP);
}

/* Backwards is a jump too, and so is one entry more than the device was given. */
static void test_jumps(void **state)
{
    static const int steps[] = { -1, 4, 5, 32768 };
    (void)state;
    pair_packed = false;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        pair_init_at(8, true, 65534);
        pair_add(3);
        vring_publish(&ring);
        pair_add(1); /* not published: the device does not hold it */
        ring.s.used->idx = le16(65534 + steps[i]);
        assert_int_equal(vring_pending(&ring), 0);
        assert_int_equal(ring.broken, VNET_E_USED_JUMP);
    }
}

/* A packed device that marks slots it was never given: with nothing in flight nothing is looked at,
 * and never more is taken than is in flight. */
static void test_packed_marks_too_much(void **state)
{
    (void)state;
    pair_packed = true;
    pair_init(8, true);
    for (int i = 0; i < 8; i++)
        ring.p.desc[i] = (struct pvirtq_desc){
            .id = le16(i), .len = le32(1), .flags = le16(PVIRTQ_DESC_F_AVAIL | PVIRTQ_DESC_F_USED)
        };
    assert_int_equal(vring_pending(&ring), 0);
    assert_int_equal(pair_pop_all(), 0);
    pair_healthy();
    pair_add(3);
    vring_publish(&ring);
    for (int i = 0; i < 8; i++)
        ring.p.desc[i].flags = le16(PVIRTQ_DESC_F_AVAIL | PVIRTQ_DESC_F_USED);
    assert_int_equal(vring_pending(&ring), 3);
    assert_int_equal(pair_pop_all(), 3);
    pair_healthy();
}

static void test_lengths(void **state)
{
    uint32_t bytes;
    bool overlong;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init(8, true);
            pair_add(2);
            vring_publish(&ring);
            dev.trick = RING_DEV_LEN_LONG;
            pair_use(1);
            dev.trick = RING_DEV_LEN_SHORT;
            pair_use(1);
            ring_dev_show(&dev);
            assert_non_null(pair_pop(&bytes, &overlong));
            assert_true(overlong);
            assert_int_equal(bytes, PAIR_BYTES);
            assert_non_null(pair_pop(&bytes, &overlong));
            assert_false(overlong);
            assert_int_equal(bytes, 9);
            pair_healthy();
        }
}

/* The device scribbles over the whole descriptor table: nothing of it is read back. */
static void test_scribbled_table(void **state)
{
    (void)state;
    pair_packed = false;
    pair_init(8, true);
    pair_add(8);
    vring_publish(&ring);
    pair_use(8);
    memset(ring.s.desc, 0xff, 8 * sizeof(struct virtq_desc));
    ring_dev_show(&dev);
    assert_int_equal(pair_pop_all(), 8);
    pair_healthy();
    pair_add(8);
    vring_publish(&ring);
    pair_use(8);
    pair_healthy();
}

/* The same for chains: their links are the driver's own. */
static void test_scribbled_chain(void **state)
{
    (void)state;
    pair_packed = false;
    pair_init(8, true);
    for (int lap = 0; lap < 50; lap++) {
        assert_int_equal(pair_add_parts(1, 2), 0);
        assert_int_equal(pair_add_parts(2, 3), 0);
        vring_publish(&ring);
        pair_use(2);
        memset(ring.s.desc, lap, 8 * sizeof(struct virtq_desc));
        ring_dev_show(&dev);
        assert_int_equal(pair_pop_all(), 2);
        pair_healthy();
        assert_int_equal(ring.free_count, 8);
    }
}

/* An interrupt looks for entries while a pop in the thread below it is half done: the count of what
 * was harvested is stored before or after the position of a packed ring. */
static void test_look_amid_pop(void **state)
{
    uint32_t bytes;
    bool overlong;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init(8, true);
            pair_add(8);
            vring_publish(&ring);
            pair_use(8);
            ring_dev_show(&dev);
            assert_non_null(pair_pop(&bytes, &overlong));
            ring.harvested--;
            assert_in_range(vring_pending(&ring), 7, 8);
            ring.harvested++;
            if (pair_packed) {
                uint16_t at = ring.p.used_at;
                ring.p.used_at = pair_position(PVIRTQ_WRAP, 0);
                assert_in_range(vring_pending(&ring), 1, 8);
                ring.p.used_at = at;
            }
            pair_healthy();
        }
}

/* Of five buffers one was harvested, one used unseen, two lie with the device, one unpublished. */
static void test_reclaim(void **state)
{
    unsigned n = 0;
    uint32_t bytes;
    bool overlong;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init_at(8, true, pair_packed ? 6 : 65533);
            pair_add(3);
            assert_int_equal(pair_add_parts(0, 2), 0);
            vring_publish(&ring);
            pair_add(1);
            pair_use(2);
            ring_dev_show(&dev);
            assert_non_null(pair_pop(&bytes, &overlong));
            for (n = 0; vring_reclaim(&ring); n++)
                ;
            assert_int_equal(n, 4);
            assert_int_equal(ring.free_count, 8);
            assert_int_equal(vring_check(&ring), 0);
            assert_int_equal(pair_pop_all(), 0); /* a late look takes nothing twice */
            assert_null(vring_reclaim(&ring));
        }
}

/* vring_check itself finds what it is there to find. */
static void test_check_finds(void **state)
{
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init(8, true);
            pair_add(2);
            vring_publish(&ring);
            struct vring good = ring;
            struct vring_shadow held = ring_shadow[0];
            ring_shadow[0].descs = 0;
            assert_int_not_equal(vring_check(&ring), 0);
            ring_shadow[0] = held;
            ring_shadow[3].next = 3; /* a loop */
            assert_int_not_equal(vring_check(&ring), 0);
            ring_shadow[3].next = 8; /* cut short */
            assert_int_not_equal(vring_check(&ring), 0);
            ring_shadow[3].next = 4;
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
            ring.added += 2;
            assert_int_not_equal(vring_check(&ring), 0);
            ring = good;
            ring.published++;
            assert_int_not_equal(vring_check(&ring), 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_init_leaves_nothing_stale),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_sizes_and_wrap),
        cmocka_unit_test(test_starts_anywhere),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_read_only_buffers),
        cmocka_unit_test(test_device_lies),
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_packed_marks_too_much),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_scribbled_table),
        cmocka_unit_test(test_scribbled_chain),
        cmocka_unit_test(test_look_amid_pop),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_check_finds),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
