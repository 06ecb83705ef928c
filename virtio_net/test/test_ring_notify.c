/* The split ring alone: when the driver kicks, and when it lets the device interrupt. */
#include "ring_pair.h"

/* By counting, not by the formula: does the event lie in what was published? */
static bool named(uint16_t old, uint32_t batch, uint16_t event)
{
    for (uint32_t i = 0; i < batch; i++) {
        if ((uint16_t)(old + i) == event)
            return true;
    }
    return false;
}

/* Each batch of a small ring, at indices with and without wrap, against each of the 65536 events.
 */
static void test_kick_by_event(void **state)
{
    static const uint16_t starts[] = { 0, 7, 32760, 65530, 65535 };
    uint16_t word;
    (void)state;
    for (unsigned s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
        for (uint32_t batch = 1; batch <= 16; batch++) {
            pair_init_at(16, true, starts[s]);
            pair_add(batch);
            vring_publish(&ring);
            for (uint32_t event = 0; event < 65536; event++) {
                ring_dev_kick_at(&dev, (uint16_t)event);
                ring.kicked_idx = starts[s];
                bool send = vring_kick_needed(&ring, &word) == VRING_KICK_SEND;
                if (send != named(starts[s], batch, (uint16_t)event) || word != event)
                    fail_msg("from %u, %u published, event %u", starts[s], batch, event);
            }
        }
    }
}

/* One decision covers all that was published since the last, in however many pieces. */
static void test_kick_counts_all(void **state)
{
    uint16_t word;
    (void)state;
    pair_init(16, true);
    ring_dev_kick_at(&dev, 2);
    for (unsigned i = 0; i < 9; i++) {
        pair_add(1);
        vring_publish(&ring);
    }
    assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_SEND);
    assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_NONE);
    pair_add(1);
    vring_publish(&ring);
    assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_BY_EVENT);
}

static void test_kick_by_flag(void **state)
{
    uint16_t word;
    (void)state;
    pair_init(16, false);
    pair_add(1);
    vring_publish(&ring);
    assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_SEND);
    ring_dev_kicks_off(&dev);
    pair_add(1);
    vring_publish(&ring);
    assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_BY_FLAG);
    assert_int_equal(word, VIRTQ_USED_F_NO_NOTIFY);
    ring.used->flags = 0xfffe; /* every bit but the one that counts */
    pair_add(1);
    vring_publish(&ring);
    assert_int_equal(vring_kick_needed(&ring, &word), VRING_KICK_SEND);
    pair_healthy();
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

/* x86 lets a load pass an earlier store: between the two only a full barrier helps. Which accesses
 * are ordered how is checked by what the driver asks of the compiler. */
static void test_barriers(void **state)
{
    uint16_t word;
    (void)state;
    for (int event_idx = 0; event_idx < 2; event_idx++) {
        pair_init(16, event_idx);
        pair_add(1);
        points_used = 0;
        vring_publish(&ring);
        vring_kick_needed(&ring, &word);
        unsigned shown = position(POINT_STORE, &ring.avail->idx, __ATOMIC_RELEASE);
        unsigned fence = position(POINT_FENCE, NULL, __ATOMIC_SEQ_CST);
        const void *told = event_idx ? (void *)&ring.used->ring[16] : (void *)&ring.used->flags;
        assert_true(shown < fence);
        assert_true(fence < position(POINT_LOAD, told, __ATOMIC_RELAXED));
        points_used = 0;
        vring_arm(&ring, 1, &word);
        const void *word_at =
            event_idx ? (void *)&ring.avail->ring[16] : (void *)&ring.avail->flags;
        fence = position(POINT_FENCE, NULL, __ATOMIC_SEQ_CST);
        assert_true(position(POINT_STORE, word_at, __ATOMIC_RELAXED) < fence);
        assert_true(fence < position(POINT_LOAD, &ring.used->idx, __ATOMIC_ACQUIRE));
    }
}

/* The used entry is read after the index that covers it, and each field of it once. */
static void test_single_reads(void **state)
{
    uint32_t bytes;
    bool overlong;
    (void)state;
    pair_init(16, true);
    pair_one();
    points_used = 0;
    assert_non_null(vring_pop(&ring, &bytes, &overlong));
    assert_int_equal(points_used, 3);
    assert_int_equal(position(POINT_LOAD, &ring.used->idx, __ATOMIC_ACQUIRE), 1);
    position(POINT_LOAD, &ring.used->ring[0].id, __ATOMIC_RELAXED);
    position(POINT_LOAD, &ring.used->ring[0].len, __ATOMIC_RELAXED);
}

/* Three times round the 16-bit index: a parked event that is not moved along matches every time. */
static void test_masked_stays_masked(void **state)
{
    static const uint16_t sizes[] = { 2, 16, 256, 1024 };
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        pair_init_at(sizes[i / 2], i & 1, 100);
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

/* The device runs a whole ring ahead while nobody harvests. */
static void test_masked_full_ring(void **state)
{
    (void)state;
    for (uint32_t start = 0; start < 65536; start += 97) {
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

static void test_words(void **state)
{
    uint16_t word;
    (void)state;
    pair_init_at(16, true, 1000);
    assert_int_equal(vring_mask(&ring), 1000 - 17);
    assert_int_equal(ring.avail->ring[16], 1000 - 17);
    assert_int_equal(ring.avail->flags, 0);
    vring_arm(&ring, 3, &word);
    assert_int_equal(word, 1002);
    assert_int_equal(ring.avail->ring[16], 1002);
    pair_init_at(16, false, 1000);
    assert_int_equal(vring_mask(&ring), VIRTQ_AVAIL_F_NO_INTERRUPT);
    assert_int_equal(ring.avail->flags, VIRTQ_AVAIL_F_NO_INTERRUPT);
    vring_arm(&ring, 3, &word);
    assert_int_equal(word, 0);
    assert_int_equal(ring.avail->flags, 0);
}

/* Armed for the n-th entry: none before it interrupts, that one does. With flags: the first. */
static void test_arm_distance(void **state)
{
    uint16_t word;
    (void)state;
    for (uint16_t after = 1; after <= 16; after++) {
        for (int event_idx = 0; event_idx < 2; event_idx++) {
            pair_init_at(16, event_idx, 65530);
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
static void test_arm_race(void **state)
{
    uint16_t word;
    (void)state;
    for (int event_idx = 0; event_idx < 2; event_idx++) {
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
            pair_init_at(16, event_idx, 0);
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
}

/* Delayed: fewer than asked for may wait without an interrupt, as many as asked for may not. */
static void test_delayed_arm(void **state)
{
    uint16_t word;
    (void)state;
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
            assert_int_equal(word, 4);
            pair_use(5 - waiting);
            ring_dev_show(&dev);
            assert_true(ring_dev_signal(&dev));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kick_by_event),    cmocka_unit_test(test_kick_counts_all),
        cmocka_unit_test(test_kick_by_flag),     cmocka_unit_test(test_barriers),
        cmocka_unit_test(test_single_reads),     cmocka_unit_test(test_masked_stays_masked),
        cmocka_unit_test(test_masked_full_ring), cmocka_unit_test(test_words),
        cmocka_unit_test(test_arm_distance),     cmocka_unit_test(test_arm_race),
        cmocka_unit_test(test_delayed_arm),
    };
    return cmocka_run_group_tests_name("ring notifications", tests, NULL, NULL);
}
