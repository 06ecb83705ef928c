/* MRG_RXBUF: frames over several receive buffers, in both ring formats. */
#include "frames.h"

static const uint64_t formats[] = { 0, VNET_F(RING_PACKED) };
#define EACH_FORMAT(f) for (unsigned f = 0; f < 2; f++)
#define MERGE          (VNET_F(MRG_RXBUF) | VNET_F(EVENT_IDX))

static struct vnet_q *rx(void)
{
    return &frames.dev.q[VNET_RX];
}

/* The ring is as full as ever, and no buffer is lost. */
static void whole(void)
{
    const struct vnet_stats *s = &rx()->stats;
    assert_int_equal(vnet_check(rx()), 0);
    assert_int_equal(rx()->ring.published - rx()->ring.harvested, FRAMES_RING);
    assert_int_equal(frames.free_count, FRAMES_POOL - FRAMES_RING);
    assert_int_equal(s->posted, FRAMES_RING + s->packets + s->more_bufs + s->drop_alloc +
                                    s->drop_header + s->drop_length);
}

/* rule: RX-3 rule: SU2-1 rule: SU2-2 */
static void test_sizes(void **state)
{
    static const uint32_t first = VNET_BUF_BYTES - VNET_HDR_BYTES;
    const uint32_t sizes[] = {
        60,   first - 1, first,     first + 1, first + VNET_BUF_BYTES, first + 1 + VNET_BUF_BYTES,
        9014, 65549,     FRAMES_MAX
    };
    (void)state;
    EACH_FORMAT(f)
    {
        frames_up(MERGE | formats[f]);
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct delivery d = { .number = i, .bytes = sizes[i] };
            unsigned n = frames_deliver(&d);
            uint64_t more = rx()->stats.more_bufs, bytes = frames.received_bytes;
            frames_show();
            /* The whole frame, however small the budget is. */
            assert_int_equal(vnet_poll(rx(), 1).done, n);
            assert_int_equal(frames.received, i + 1);
            assert_int_equal(frames.received_bytes - bytes, sizes[i]);
            assert_int_equal(rx()->stats.more_bufs - more, n - 1);
            whole();
        }
        assert_int_equal(rx()->stats.bytes, frames.received_bytes);
        frames_down();
    }
}

/* Frames of all sizes, shown one at a time or many together, while buffers run short. */
static void test_random(void **state)
{
    (void)state;
    EACH_FORMAT(f)
    {
        struct rng rng = { .s = 77 + f };
        uint64_t delivered = 0;
        frames_up(MERGE | formats[f]);
        for (unsigned round = 0; round < 4000; round++) {
            unsigned in_ring = 0;
            while (in_ring < FRAMES_RING - 44 && rng_below(&rng, 8)) {
                uint32_t most = rng_below(&rng, 4) ? 4000 : FRAMES_MAX;
                struct delivery d = { .number = delivered++,
                                      .bytes = 14 + rng_below(&rng, most - 13) };
                in_ring += frames_deliver(&d);
            }
            frames_show();
            frames.alloc_fails = !rng_below(&rng, 3);
            frames.alloc_left = rng_below(&rng, 40);
            while (vnet_poll(rx(), 1 + rng_below(&rng, 70)).again)
                ;
            assert_int_equal(frames.received + rx()->stats.drop_alloc, delivered);
            whole();
        }
        assert_true(rx()->stats.drop_alloc > 100);
        assert_int_equal(rx()->stats.packets, frames.received);
        assert_int_equal(rx()->stats.bytes, frames.received_bytes);
        frames_down();
    }
}

/* A device that has lost count: the ring is given up, with a reason, and every buffer comes home.
 */
static void test_impossible(void **state)
{
    static const struct {
        uint16_t lie;
        enum vnet_error why;
    } cases[] = { { 0, VNET_E_NUM_BUFFERS },
                  { VNET_PARTS_MAX + 1, VNET_E_NUM_BUFFERS },
                  { 0xffff, VNET_E_NUM_BUFFERS },
                  { 4, VNET_E_FRAME_SHORT } };
    (void)state;
    EACH_FORMAT(f)
    {
        for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            frames_up(MERGE | formats[f]);
            frames_deliver(&(struct delivery){ .number = 1, .bytes = 4000 });
            frames_deliver(&(struct delivery){
                .number = 2, .bytes = 2000, .lies = true, .num_buffers_lie = cases[i].lie });
            frames_deliver(&(struct delivery){ .number = 3, .bytes = 60 });
            frames_show();
            vnet_poll(rx(), 64);
            assert_int_equal(rx()->ring.broken, cases[i].why);
            assert_int_equal(rx()->stats.broken, 1);
            assert_int_equal(frames.received, 1);
            assert_int_equal(rx()->stats.drop_header, 1);
            frames_down();
        }
    }
}

/* A length that cannot be costs the whole frame, and nothing else. */
static void test_lengths(void **state)
{
    (void)state;
    EACH_FORMAT(f)
    {
        frames_up(MERGE | formats[f]);
        struct ring_dev *ring = &frames.device.queue[VNET_RX].ring;
        /* First of a batch, where plain frames are expected, and after a frame that is not. */
        ring->trick = RING_DEV_LEN_SHORT;
        frames_deliver(&(struct delivery){ .number = 1, .bytes = 60 });
        ring->trick = RING_DEV_LEN_LONG;
        frames_deliver(&(struct delivery){ .number = 2, .bytes = 4000 });
        frames_deliver(&(struct delivery){ .number = 3, .bytes = 5000 });
        ring->trick = RING_DEV_LEN_SHORT;
        frames_deliver(&(struct delivery){ .number = 4, .bytes = 60 });
        frames_deliver(&(struct delivery){ .number = 5, .bytes = 60 });
        frames_show();
        vnet_poll(rx(), 64);
        assert_int_equal(frames.received, 2);
        assert_int_equal(rx()->stats.drop_length, 3);
        whole();
        frames_down();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
