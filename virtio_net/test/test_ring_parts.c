/* Buffers of several parts, as chains, lists and indirect tables; and long schedules of everything,
 * in both formats. */
#include "ring_pair.h"
#include <string.h>

static struct ring_dev_buf b;

static void expect_parts(unsigned readable, unsigned writable)
{
    assert_int_equal(b.parts, readable + writable);
    assert_int_equal(b.readable, readable);
    for (unsigned i = 0; i < b.parts; i++) {
        assert_int_equal(b.part[i].bytes, 1 + i % PAIR_BYTES);
        assert_int_equal(b.part[i].writable, i >= readable);
        if (i)
            assert_ptr_not_equal(b.part[i].data, b.part[i - 1].data);
    }
}

/* Every split of up to five parts, in rings that wrap in the middle of a chain. */
static void pass_all(uint16_t size)
{
    for (unsigned lap = 0; lap < 3u * size; lap++) {
        for (unsigned readable = 0; readable <= 4; readable++) {
            for (unsigned writable = 0; writable <= 4; writable++) {
                uint32_t bytes;
                bool overlong;
                if (!readable && !writable)
                    continue;
                unsigned n = readable + writable;
                bool indirect = n > 1 && n <= pair_indirect;
                bool fits = n <= size && (indirect || n <= ring.free_count);
                assert_int_equal(pair_add_parts(readable, writable), fits ? 0 : -1);
                if (!fits)
                    continue;
                assert_int_equal(ring.free_count, size - (indirect ? 1 : n));
                vring_publish(&ring);
                if (!ring_dev_take(&dev, &b))
                    fail_msg("%s", dev.driver_error ? dev.driver_error : "not there");
                expect_parts(readable, writable);
                uint8_t *first = b.part[0].data;
                ring_dev_use(&dev, b.id, b.writable_bytes);
                ring_dev_show(&dev);
                assert_ptr_equal(pair_pop(&bytes, &overlong), first);
                assert_int_equal(bytes, b.writable_bytes);
                assert_false(overlong);
                assert_int_equal(ring.free_count, size);
                pair_healthy();
            }
        }
    }
}

static void test_parts(void **state)
{
    static const uint16_t sizes[] = { 1, 2, 8, 16 };
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                for (pair_indirect = 0; pair_indirect <= 6; pair_indirect += 3) {
                    pair_init(sizes[i], true);
                    pass_all(sizes[i]);
                }
            }
        }
    pair_indirect = 0;
}

/* A chain is counted whole by the driver and once by the indices; its length claims are checked
 * against the sum of its writable parts. */
/* rule: PS-1 rule: PS-4 rule: PS-5 */
static void test_chain_lengths(void **state)
{
    uint32_t bytes;
    bool overlong;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (pair_indirect = 0; pair_indirect <= 4; pair_indirect += 4) {
                pair_init(8, true);
                assert_int_equal(pair_add_parts(1, 3), 0);
                vring_publish(&ring);
                assert_true(ring_dev_take(&dev, &b));
                assert_int_equal(b.writable_bytes, 2 + 3 + 4);
                ring_dev_use(&dev, b.id, 2 + 3 + 4 + 1);
                ring_dev_show(&dev);
                assert_non_null(pair_pop(&bytes, &overlong));
                assert_true(overlong);
                assert_int_equal(bytes, 9);
                pair_healthy();
            }
        }
    pair_indirect = 0;
}

/* A used id that names the middle of a chain. */
static void test_not_a_head(void **state)
{
    struct vring_used used;
    (void)state;
    pair_packed = false;
    pair_init(8, true);
    assert_int_equal(pair_add_parts(0, 3), 0);
    vring_publish(&ring);
    assert_true(ring_dev_take(&dev, &b));
    ring.s.used->ring[0] =
        (struct virtq_used_elem){ .id = le32(ring_shadow[b.id].next), .len = le32(1) };
    ring.s.used->idx = le16(1);
    assert_int_equal(vring_pop(&ring, &used, 1), 0);
    assert_int_equal(ring.broken, VNET_E_USED_ID_FREE);
}

static unsigned seen_available;

static void count_available(void)
{
    seen_available += ring_dev_waiting(&dev);
}

/* Nothing of a packed batch is available before vring_publish, however much of it is written. */
static void test_packed_batch_appears_at_once(void **state)
{
    (void)state;
    pair_packed = true;
    for (uint16_t start = 0; start < 8; start++) {
        pair_init_at(8, true, start);
        pair_add(2);
        assert_false(ring_dev_waiting(&dev));
        assert_int_equal(pair_add_parts(1, 2), 0);
        count_available();
        assert_false(ring_dev_waiting(&dev));
        pair_add(1);
        assert_false(ring_dev_waiting(&dev));
        assert_int_equal(vring_publish(&ring), 4);
        pair_use(4);
        assert_false(ring_dev_waiting(&dev));
        ring_dev_show(&dev);
        assert_int_equal(pair_pop_all(), 4);
        pair_healthy();
    }
    assert_int_equal(seen_available, 0);
}

static void add_some(struct rng *r)
{
    if (rng_below(r, 3))
        pair_add(rng_below(r, ring.free_count + 1u));
    else
        pair_add_parts(rng_below(r, 3), 1 + rng_below(r, 3));
}

/* A long schedule of everything, its invariants checked after each step. */
static void step(struct rng *r)
{
    uint16_t word;
    switch (rng_below(r, 6)) {
    case 0:
        add_some(r);
        break;
    case 1:
        vring_publish(&ring);
        break;
    case 2:
        vring_kick_needed(&ring, &word);
        break;
    case 3:
        if (ring_dev_take(&dev, &b)) {
            uint16_t id = b.id;
            if (rng_below(r, 2) && ring_dev_take(&dev, &b)) /* out of order */
                ring_dev_use(&dev, b.id, 1);
            ring_dev_use(&dev, id, 1);
        }
        break;
    case 4:
        ring_dev_show(&dev);
        ring_dev_signal(&dev);
        break;
    default:
        if (rng_below(r, 2))
            vring_arm(&ring, (uint16_t)(1 + rng_below(r, ring.size < 4 ? 1 : 4)), &word);
        else
            vring_mask(&ring);
        pair_pop_all();
        vring_repark(&ring);
    }
}

static void test_long_schedule(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 80; seed++) {
        struct rng r = { seed * 0x9e3779b97f4a7c15ull };
        pair_packed = seed & 2;
        pair_indirect = seed & 4 ? 3 : 0;
        pair_init((uint16_t)(1u << rng_below(&r, 9)), seed & 1);
        for (int i = 0; i < 5000; i++) {
            step(&r);
            pair_healthy();
        }
    }
    pair_indirect = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),         cmocka_unit_test(test_chain_lengths),
        cmocka_unit_test(test_not_a_head),    cmocka_unit_test(test_packed_batch_appears_at_once),
        cmocka_unit_test(test_long_schedule),
    };
    return cmocka_run_group_tests_name("ring parts", tests, NULL, NULL);
}
