/* The split ring alone: when the driver kicks, and when it lets the device interrupt. */
#include "ring_pair.h"
#include <string.h>

/* By counting, not by the formula: does the event lie in what was published? */
static bool named(uint16_t start, uint32_t batch, uint16_t event)
{
    for (uint32_t i = 0; i < batch; i++) {
        if (pair_position(start, i) == event)
            return true;
    }
    return false;
}

static void decide_again(uint16_t start, uint32_t batch)
{
    if (pair_packed)
        ring.p.unkicked = (uint16_t)batch;
    else
        ring.s.kicked_idx = start;
}

static void kick_by_event(uint16_t size, uint16_t start, uint32_t batch)
{
    uint16_t word;
    pair_init_at(size, true, start);
    pair_add(batch);
    vring_publish(&ring);
    for (uint32_t event = 0; event < 65536; event++) {
        if (pair_packed && (event & 0x7fff) >= size) /* no such slot */
            continue;
        ring_dev_kick_at(&dev, (uint16_t)event);
        decide_again(start, batch);
        bool send = vring_kick_needed(&ring, &word) == VRING_KICK_SEND;
        if (send != named(start, batch, (uint16_t)event) || word != event)
            fail_msg("from %u, %u published, event %u", start, batch, event);
    }
}

/* Each batch of a small ring, at positions with and without wrap, against each event there is. */
/* rule: SN-5 rule: SN-6 rule: SN-7 */
static void test_kick_by_event(void **state)
{
    static const uint16_t starts[] = { 0, 7, 32760, 65530, 65535 };
    (void)state;
    pair_packed = false;
    for (unsigned s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
        for (uint32_t batch = 1; batch <= 16; batch++)
            kick_by_event(16, starts[s], batch);
    }
    pair_packed = true;
    for (uint16_t size = 1; size <= 17; size += 4) {
        for (uint16_t start = 0; start < 2 * size; start++) {
            for (uint32_t batch = 1; batch <= size; batch++)
                kick_by_event(size, start < size ? start : (uint16_t)((start - size) | 0x8000),
                              batch);
        }
    }
}

/* One decision covers all that was published since the last, in however many pieces. */
static void test_kick_counts_all(void **state)
{
    uint16_t word;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init(16, true);
            ring_dev_kick_at(&dev, pair_position(VRING_START(pair_packed), 2));
            for (unsigned i = 0; i < 9; i++) {
                pair_add(1);
                vring_publish(&ring);
            }
            pair_add(1); /* not published, so not decided about */
            assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_SEND);
            assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_NONE);
            vring_publish(&ring);
            assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_BY_EVENT);
        }
}

/* rule: SN-2 rule: SN-3 rule: SN-4 */
static void test_kick_by_flag(void **state)
{
    uint16_t word;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init(16, false);
            pair_add(1);
            vring_publish(&ring);
            assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_SEND);
            ring_dev_kicks_off(&dev);
            pair_add(1);
            vring_publish(&ring);
            assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_BY_FLAG);
            assert_int_equal(word, 1); /* VIRTQ_USED_F_NO_NOTIFY, PVIRTQ_EVENT_DISABLE */
            if (pair_packed)
                ring.p.device->flags = le16(0xfffc); /* every bit but those that count */
            else
                ring.s.used->flags = le16(0xfffe);
            pair_add(1);
            vring_publish(&ring);
            assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_SEND);
            pair_healthy();
        }
}

/* A device that names an event without EVENT_IDX, or uses the reserved value: rather kick. */
static void test_kick_by_unknown_flag(void **state)
{
    uint16_t word;
    (void)state;
    pair_packed = true;
    for (uint16_t flags = PVIRTQ_EVENT_DESC; flags <= 3; flags++) {
        pair_init(16, false);
        *ring.p.device =
            (struct pvirtq_event_suppress){ .off_wrap = le16(9), .flags = le16(flags) };
        pair_add(1);
        vring_publish(&ring);
        assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_SEND);
    }
}

static unsigned position(enum test_point_kind kind, const volatile void *at, int order)
{
    for (unsigned i = 0; i < points_used; i++) {
        if (points[i].kind == kind && points[i].at == at && points[i].order == order)
            return i + 1;
    }
    fail_msg("access of kind %d with order %d not seen", kind, order);
    return 0;
}

/* Where the driver tells the device, and where it is told, in the order of the accesses. */
static const void *publish_word(void)
{
    return pair_packed ? (void *)&ring.p.desc[0].flags : (void *)&ring.s.avail->idx;
}

static const void *device_word(bool event_idx)
{
    if (pair_packed)
        return ring.p.device;
    return event_idx ? (void *)&ring.s.used->ring[16] : (void *)&ring.s.used->flags;
}

static const void *arm_word(bool event_idx)
{
    if (pair_packed)
        return &ring.p.driver->flags;
    return event_idx ? (void *)&ring.s.avail->ring[16] : (void *)&ring.s.avail->flags;
}

static const void *used_word(void)
{
    return pair_packed ? (void *)&ring.p.desc[0].flags : (void *)&ring.s.used->idx;
}

/* x86 lets a load pass an earlier store: between the two only a full barrier helps. Which accesses
 * are ordered how is checked by what the driver asks of the compiler. */
static void test_barriers(void **state)
{
    uint16_t word;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (int event_idx = 0; event_idx < 2; event_idx++) {
                pair_init(16, event_idx);
                pair_add(1);
                points_used = 0;
                vring_publish(&ring);
                vring_kick_needed(&ring, &word);
                unsigned shown = position(POINT_STORE, publish_word(), __ATOMIC_RELEASE);
                unsigned fence = position(POINT_FENCE, NULL, __ATOMIC_SEQ_CST);
                assert_true(shown < fence);
                assert_true(fence < position(POINT_LOAD, device_word(event_idx), __ATOMIC_RELAXED));
                points_used = 0;
                vring_arm(&ring, 1, &word);
                fence = position(POINT_FENCE, NULL, __ATOMIC_SEQ_CST);
                unsigned armed = position(POINT_STORE, arm_word(event_idx), __ATOMIC_RELAXED);
                assert_true(armed < fence);
                assert_true(fence < position(POINT_LOAD, used_word(), __ATOMIC_ACQUIRE));
                if (pair_packed && event_idx) {
                    unsigned off =
                        position(POINT_STORE, &ring.p.driver->off_wrap, __ATOMIC_RELAXED);
                    unsigned between = position(POINT_FENCE, NULL, __ATOMIC_RELEASE);
                    assert_true(off < between && between < armed);
                }
            }
        }
}

/* Each descriptor of a packed batch is handed over after its other fields, and the first last. */
static void test_packed_hand_over(void **state)
{
    (void)state;
    pair_packed = true;
    pair_init(16, true);
    points_used = 0;
    pair_add(3);
    vring_publish(&ring);
    assert_int_equal(points_used, 6); /* a point before each store and one after */
    unsigned first = position(POINT_STORE, &ring.p.desc[0].flags, __ATOMIC_RELEASE);
    assert_true(position(POINT_STORE, &ring.p.desc[1].flags, __ATOMIC_RELEASE) < first);
    assert_true(position(POINT_STORE, &ring.p.desc[2].flags, __ATOMIC_RELEASE) < first);
    /* A list behind it is handed over from its end to its head. */
    pair_init(16, true);
    pair_add(1);
    points_used = 0;
    assert_int_equal(pair_add_parts(1, 2), 0);
    unsigned head = position(POINT_STORE, &ring.p.desc[1].flags, __ATOMIC_RELEASE);
    assert_true(position(POINT_STORE, &ring.p.desc[2].flags, __ATOMIC_RELEASE) < head);
    assert_true(position(POINT_STORE, &ring.p.desc[3].flags, __ATOMIC_RELEASE) < head);
}

/* What the device has is not written again, whatever else the driver does meanwhile. rule: PD-2 */
static void test_handed_over_for_good(void **state)
{
    static uint8_t handed_over[8 * sizeof(struct pvirtq_desc)];
    uint16_t word;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init(16, true);
            pair_add(3);
            assert_int_equal(pair_add_parts(2, 3), 0);
            vring_publish(&ring);
            const void *table = pair_packed ? (void *)ring.p.desc : (void *)ring.s.desc;
            memcpy(handed_over, table, sizeof(handed_over));
            vring_kick_needed(&ring, &word);
            vring_mask(&ring);
            vring_arm(&ring, 2, &word);
            pair_add(4);
            vring_publish(&ring);
            vring_kick_needed(&ring, &word);
            assert_int_equal(vring_pending(&ring), 0);
            assert_memory_equal(table, handed_over, sizeof(handed_over));
        }
}

/* The used entry is read after the word that covers it, and each field of it once. */
static void test_single_reads(void **state)
{
    uint32_t bytes;
    bool overlong;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            pair_init(16, true);
            pair_one();
            points_used = 0;
            assert_non_null(pair_pop(&bytes, &overlong));
            assert_int_equal(points_used, 3);
            assert_int_equal(position(POINT_LOAD, used_word(), __ATOMIC_ACQUIRE), 1);
            const void *id = pair_packed ? (void *)&ring.p.desc[0].id : &ring.s.used->ring[0].id;
            const void *len = pair_packed ? (void *)&ring.p.desc[0].len : &ring.s.used->ring[0].len;
            position(POINT_LOAD, id, __ATOMIC_RELAXED);
            position(POINT_LOAD, len, __ATOMIC_RELAXED);
        }
}

/* Three times round the 16-bit index: a parked event that is not moved along matches every time. */
static void test_masked_stays_masked(void **state)
{
    static const uint16_t sizes[] = { 2, 16, 256, 1024 };
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
                pair_init_at(sizes[i / 2], i & 1, pair_packed ? 1 : 100);
                vring_mask(&ring);
                for (unsigned n = 0; n < 200000; n++) {
                    if (pair_one())
                        fail_msg("interrupt at entry %u of a ring of %u", n, ring.size);
                    pair_pop_all();
                    vring_repark(&ring);
                }
                assert_int_equal(dev.irqs_wanted, 0);
                pair_healthy();
            }
        }
}

/* The device runs a whole ring ahead while nobody harvests. */
static void test_masked_full_ring(void **state)
{
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (uint32_t start = 0; start < 65536; start += 97) {
                if (pair_packed && (start & 0x7fff) >= 256)
                    continue;
                pair_init_at(256, true, (uint16_t)start);
                vring_mask(&ring);
                pair_add(256);
                vring_publish(&ring);
                for (int i = 0; i < 256; i++) {
                    pair_use(1);
                    ring_dev_show(&dev);
                    assert_false(ring_dev_signal(&dev));
                }
                pair_healthy();
            }
        }
}

static void test_words(void **state)
{
    uint16_t word;
    (void)state;
    pair_packed = false;
    pair_init_at(16, true, 1000);
    assert_int_equal(vring_mask(&ring), 1000 - 17);
    assert_int_equal(le16(ring.s.avail->ring[16]), 1000 - 17);
    assert_int_equal(le16(ring.s.avail->flags), 0);
    vring_arm(&ring, 3, &word);
    assert_int_equal(word, 1002);
    assert_int_equal(le16(ring.s.avail->ring[16]), 1002);
    pair_init_at(16, false, 1000);
    assert_int_equal(vring_mask(&ring), VIRTQ_AVAIL_F_NO_INTERRUPT);
    assert_int_equal(le16(ring.s.avail->flags), VIRTQ_AVAIL_F_NO_INTERRUPT);
    vring_arm(&ring, 3, &word);
    assert_int_equal(word, 0);
    assert_int_equal(le16(ring.s.avail->flags), 0);
}

static void test_packed_words(void **state)
{
    uint16_t word;
    (void)state;
    pair_packed = true;
    pair_init_at(16, true, 14 | PVIRTQ_WRAP);
    assert_int_equal(vring_mask(&ring), PVIRTQ_EVENT_DISABLE);
    assert_int_equal(le16(ring.p.driver->flags), PVIRTQ_EVENT_DISABLE);
    vring_arm(&ring, 3, &word);
    assert_int_equal(word, 0); /* slot 0 of the next lap */
    assert_int_equal(le16(ring.p.driver->off_wrap), 0);
    assert_int_equal(le16(ring.p.driver->flags), PVIRTQ_EVENT_DESC);
    pair_init(16, false);
    assert_int_equal(vring_mask(&ring), PVIRTQ_EVENT_DISABLE);
    vring_arm(&ring, 3, &word);
    assert_int_equal(word, PVIRTQ_EVENT_ENABLE);
    assert_int_equal(le16(ring.p.driver->flags), PVIRTQ_EVENT_ENABLE);
}

/* Armed for the n-th entry: none before it interrupts, that one does. With flags: the first. */
static void test_arm_distance(void **state)
{
    uint16_t word;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (uint16_t after = 1; after <= 16; after++) {
                for (int event_idx = 0; event_idx < 2; event_idx++) {
                    pair_init_at(16, event_idx, pair_packed ? 13 : 65530);
                    pair_add(16);
                    vring_publish(&ring);
                    assert_int_equal(vring_arm(&ring, after, &word), 0);
                    assert_false(ring.masked);
                    for (uint16_t i = 1; i <= after; i++) {
                        pair_use(1);
                        ring_dev_show(&dev);
                        assert_int_equal(ring_dev_signal(&dev), !event_idx || i == after);
                    }
                    pair_healthy();
                }
            }
        }
}

/* A packed ring is armed by slots: lists pass the event with fewer buffers, before the driver
 * looked or after. One of the two must notice. */
static void test_packed_arm_lists(void **state)
{
    static struct ring_dev_buf b;
    uint16_t word;
    (void)state;
    pair_packed = true;
    for (uint16_t after = 1; after <= 8; after++) {
        for (unsigned before = 0; before <= 4; before++) {
            unsigned told = 0;
            pair_init_at(12, true, 7);
            for (int i = 0; i < 4; i++)
                assert_int_equal(pair_add_parts(1, 2), 0);
            vring_publish(&ring);
            vring_mask(&ring);
            for (unsigned i = 0; i < 4; i++) {
                if (i == before)
                    told += vring_arm(&ring, after, &word) > 0;
                assert_true(ring_dev_take(&dev, &b));
                ring_dev_use(&dev, b.id, 1);
                ring_dev_show(&dev);
                told += ring_dev_signal(&dev);
            }
            if (before == 4)
                told += vring_arm(&ring, after, &word) > 0;
            assert_true(told > 0);
            pair_healthy();
        }
    }
}

static unsigned completes; /* entries that the device uses while the driver arms */
static bool signalled;

static void complete_at_fence(void)
{
    if (!completes)
        return;
    pair_use(completes);
    ring_dev_show(&dev);
    signalled = ring_dev_signal(&dev);
}

/* Entries were used before the device could know the new word: no interrupt, so the driver must
 * find them itself. Entries used after it: either way is right, but never neither. */
static void arm_race(bool event_idx)
{
    uint16_t word;
    for (unsigned n = 1; n <= 8; n++) {
        pair_init(16, event_idx);
        vring_mask(&ring);
        pair_add(8);
        vring_publish(&ring);
        pair_use(n);
        ring_dev_show(&dev);
        ring_dev_signal(&dev);
        assert_int_equal(vring_arm(&ring, 1, &word), n);
        assert_true(ring.masked);
        assert_int_equal(pair_pop_all(), n);
        pair_healthy();
    }
    for (completes = 0; completes <= 8; completes++) {
        pair_init_at(16, event_idx, VRING_START(pair_packed));
        pair_add(8);
        vring_publish(&ring);
        signalled = false;
        pair_at_fence = complete_at_fence;
        assert_int_equal(vring_arm(&ring, 1, &word), completes);
        assert_int_equal(signalled, completes > 0);
        assert_int_equal(ring.masked, completes > 0);
        pair_healthy();
    }
}

static void test_arm_race(void **state)
{
    (void)state;
    for
        EACH_FORMAT(f)
        {
            arm_race(false);
            arm_race(true);
        }
}

/* Delayed: fewer than asked for may wait without an interrupt, as many as asked for may not. */
static void test_delayed_arm(void **state)
{
    uint16_t word;
    (void)state;
    for
        EACH_FORMAT(f)
        {
            for (unsigned waiting = 0; waiting <= 8; waiting++) {
                pair_init(16, true);
                pair_add(8);
                vring_publish(&ring);
                pair_use(waiting);
                ring_dev_show(&dev);
                ring_dev_signal(&dev);
                assert_int_equal(vring_arm(&ring, 5, &word), waiting >= 5 ? waiting : 0);
                assert_int_equal(ring.masked, waiting >= 5);
                if (waiting < 5) {
                    assert_int_equal(word, pair_position(VRING_START(pair_packed), 4));
                    pair_use(5 - waiting);
                    ring_dev_show(&dev);
                    assert_true(ring_dev_signal(&dev));
                }
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kick_by_event),
        cmocka_unit_test(test_kick_counts_all),
        cmocka_unit_test(test_kick_by_flag),
        cmocka_unit_test(test_kick_by_unknown_flag),
        cmocka_unit_test(test_barriers),
        cmocka_unit_test(test_packed_hand_over),
        cmocka_unit_test(test_handed_over_for_good),
        cmocka_unit_test(test_single_reads),
        cmocka_unit_test(test_masked_stays_masked),
        cmocka_unit_test(test_masked_full_ring),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_packed_words),
        cmocka_unit_test(test_arm_distance),
        cmocka_unit_test(test_packed_arm_lists),
        cmocka_unit_test(test_arm_race),
        cmocka_unit_test(test_delayed_arm),
    };
    return cmocka_run_group_tests_name("ring notifications", tests, NULL, NULL);
}
