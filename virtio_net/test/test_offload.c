/* Checksums and segments: the header before a frame, each way, and chains of buffers to send. */
#include "frames.h"
#include <string.h>

#define SENDS (VNET_F(CSUM) | VNET_F(HOST_TSO4) | VNET_F(HOST_TSO6) | VNET_F(HOST_ECN))
#define RECEIVES                                                                                   \
    (VNET_F(GUEST_CSUM) | VNET_F(GUEST_TSO4) | VNET_F(GUEST_TSO6) | VNET_F(GUEST_ECN) |            \
     VNET_F(MRG_RXBUF))

static const uint64_t formats[] = { 0, VNET_F(INDIRECT_DESC), VNET_F(RING_PACKED),
                                    VNET_F(RING_PACKED) | VNET_F(INDIRECT_DESC) };
#define EACH_FORMAT(f) for (unsigned f = 0; f < 4; f++)

static struct vnet_q *tx(void)
{
    return &frames.dev.q[VNET_TX];
}

static const struct vnet_offload none, sum = { .flags = 1, .csum_start = 34, .csum_offset = 16 },
                                       tso4 = { .flags = 1,
                                                .gso_type = 1,
                                                .hdr_len = 54,
                                                .gso_size = 1460,
                                                .csum_start = 34,
                                                .csum_offset = 16 },
                                       tso6 = { .flags = 1,
                                                .gso_type = 4,
                                                .hdr_len = 74,
                                                .gso_size = 1440,
                                                .csum_start = 54,
                                                .csum_offset = 16 };

static void test_chains(void **state)
{
    (void)state;
    EACH_FORMAT(f)
    {
        uint64_t number = 0;
        frames_up(SENDS | formats[f]);
        for (unsigned parts = 1; parts <= VNET_PARTS_MAX; parts++) {
            unsigned seen;
            uint16_t held = tx()->ring.free_count;
            assert_int_equal(frames_send(++number, parts, 1000, parts % 2 ? &tso4 : &none), 1);
            bool one =
                parts == 1 || (formats[f] & VNET_F(INDIRECT_DESC) && parts <= VNET_INDIRECT_PARTS);
            assert_int_equal(held - tx()->ring.free_count, one ? 1 : parts);
            struct virtio_net_hdr h = frames_taken(number, &seen);
            assert_int_equal(seen, parts);
            assert_int_equal(le16(h.gso_size), parts % 2 ? 1460 : 0);
            assert_int_equal(vnet_tx_reclaim(tx(), 64), 1);
            assert_int_equal(vnet_check(tx()), 0);
        }
        assert_int_equal(tx()->stats.bytes, 1000u * VNET_PARTS_MAX * (VNET_PARTS_MAX + 1) / 2);
        frames_down();
    }
}

/* Plain frames and others in one call, until the ring is full: in order, and none twice. */
static void test_mixture(void **state)
{
    (void)state;
    EACH_FORMAT(f)
    {
        struct rng rng = { .s = f + 5 };
        uint64_t sent = 0, taken = 0, full = 0;
        frames_up(SENDS | formats[f]);
        for (unsigned round = 0; round < 20000; round++) {
            if (rng_below(&rng, 2)) {
                unsigned parts = rng_below(&rng, 3) ? 1 : 1 + rng_below(&rng, 5);
                const struct vnet_offload *o = rng_below(&rng, 3) ? &none : &sum;
                uint32_t took = frames_send(sent + 1, parts, 100 + rng_below(&rng, 500), o);
                sent += took;
                full += !took;
            } else if (taken < sent) {
                unsigned parts;
                frames_taken(++taken, &parts);
            }
        }
        assert_int_equal(tx()->stats.posted, sent);
        assert_int_equal(tx()->stats.full, full);
        assert_int_equal(vnet_check(tx()), 0);
        frames_down();
    }
}

/* rule: TX-2 rule: TX-10 */
static void test_sent_headers(void **state)
{
    const struct vnet_offload *const list[] = { &none, &sum, &tso4, &tso6 };
    (void)state;
    frames_up(SENDS);
    for (unsigned i = 0; i < 4; i++) {
        unsigned parts;
        assert_int_equal(frames_send(i, 1, 1000, list[i]), 1);
        struct virtio_net_hdr h = frames_taken(i, &parts);
        assert_int_equal(h.flags, list[i]->flags);
        assert_int_equal(h.gso_type, list[i]->gso_type);
        assert_int_equal(le16(h.hdr_len), list[i]->hdr_len);
        assert_int_equal(le16(h.gso_size), list[i]->gso_size);
        assert_int_equal(le16(h.csum_start), list[i]->csum_start);
        assert_int_equal(le16(h.csum_offset), list[i]->csum_offset);
        assert_int_equal(h.num_buffers, 0);
    }
    frames_down();
}

/* Whatever an earlier owner of the buffer left there. rule: TX-2 */
static void test_stale_headers(void **state)
{
    (void)state;
    frames_up(SENDS);
    for (unsigned i = 0; i < VNET_HDR_BYTES; i++) {
        static const uint8_t clear[VNET_HDR_BYTES];
        unsigned parts;
        for (unsigned k = 0; k < frames.free_count; k++) {
            memset(frames.free_bufs[k]->data, 0, VNET_HDR_BYTES);
            frames.free_bufs[k]->data[i] = 0x80;
        }
        assert_int_equal(frames_send(i, 1, 1000, &none), 1);
        struct virtio_net_hdr h = frames_taken(i, &parts);
        assert_memory_equal(&h, clear, sizeof(h));
        assert_int_equal(vnet_tx_reclaim(tx(), 64), 1);
    }
    frames_down();
}

struct header_case {
    uint64_t features;
    struct vnet_offload o;
    bool ok;
};

/* rule: TX-3 rule: TX-5 rule: TX-6 rule: TX-9 rule: TX-14 rule: TX-15 rule: TX-16 rule: TX-20 */
static void test_refused(void **state)
{
    static const struct header_case cases[] = {
        { SENDS, { .flags = 1, .csum_start = 34, .csum_offset = 16 }, true },
        { 0, { .flags = 1, .csum_start = 34, .csum_offset = 16 }, false },
        { SENDS, { .flags = 1, .csum_start = 982, .csum_offset = 16 }, true },
        { SENDS, { .flags = 1, .csum_start = 983, .csum_offset = 16 }, false },
        { SENDS, { .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff }, false },
        { SENDS, { .flags = 2 }, false },
        { SENDS, { .flags = 3, .csum_start = 34, .csum_offset = 16 }, false },
        { SENDS, { .flags = 1, .gso_type = 1, .gso_size = 1460, .csum_start = 34 }, true },
        { SENDS, { .flags = 1, .gso_type = 0x81, .gso_size = 1460, .csum_start = 34 }, true },
        { SENDS, { .flags = 1, .gso_type = 1, .gso_size = 0, .csum_start = 34 }, false },
        { SENDS, { .gso_type = 1, .gso_size = 1460 }, false },
        { SENDS, { .flags = 1, .gso_type = 1, .gso_size = 9, .hdr_len = 1000 }, true },
        { SENDS, { .flags = 1, .gso_type = 1, .gso_size = 9, .hdr_len = 1001 }, false },
        { SENDS, { .flags = 1, .gso_type = 3, .gso_size = 1460 }, false },
        { SENDS, { .flags = 1, .gso_type = 5, .gso_size = 1460 }, false },
        { SENDS, { .flags = 1, .gso_type = 0x80, .gso_size = 1460 }, false },
        { VNET_F(CSUM), { .flags = 1, .gso_type = 1, .gso_size = 1460 }, false },
        { VNET_F(CSUM) | VNET_F(HOST_TSO6), { .flags = 1, .gso_type = 1, .gso_size = 9 }, false },
        { VNET_F(CSUM) | VNET_F(HOST_TSO6), { .flags = 1, .gso_type = 4, .gso_size = 9 }, true },
        { VNET_F(CSUM) | VNET_F(HOST_TSO4),
          { .flags = 1, .gso_type = 0x81, .gso_size = 9 },
          false },
        { VNET_F(HOST_TSO4), { .flags = 1, .gso_type = 1, .gso_size = 1460 }, false },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frames_up(cases[i].features);
        /* Taken in either case: what cannot be sent must not stop what comes after it. */
        assert_int_equal(frames_send(1, 1, 1000, &cases[i].o), 1);
        assert_int_equal(frames_send(2, 1, 1000, &none), 1);
        unsigned parts;
        if (tx()->stats.drop_offload == cases[i].ok)
            fail_msg("case %u", i);
        assert_int_equal(tx()->stats.posted, cases[i].ok + 1u);
        if (cases[i].ok)
            frames_taken(1, &parts);
        frames_taken(2, &parts);
        frames_down();
    }
}

/* "MTU": a packet that is longer is not sent, unless it is to be cut. rule: NC-8 */
static void test_too_long(void **state)
{
    static const struct {
        unsigned parts;
        uint32_t each;
        const struct vnet_offload *offload;
        bool ok;
    } cases[] = { { 1, 1414, &none, true }, { 1, 1418, &none, true }, { 1, 1419, &none, false },
                  { 2, 709, &none, true },  { 2, 710, &none, false }, { 1, 1419, &sum, false },
                  { 3, 1200, &tso4, true }, { 1, 1400, &sum, true } };
    (void)state;
    frames_with_mtu = 1400;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frames_up(SENDS | VNET_F(MTU));
        assert_int_equal(frames_send(1, cases[i].parts, cases[i].each, cases[i].offload), 1);
        if (tx()->stats.posted != cases[i].ok)
            fail_msg("case %u", i);
        frames_down();
    }
    frames_with_mtu = 1500;
}

static void test_too_many_parts(void **state)
{
    (void)state;
    frames_up(SENDS | VNET_F(INDIRECT_DESC));
    assert_int_equal(frames_send(1, VNET_PARTS_MAX + 1, 20, &none), 1);
    assert_int_equal(tx()->stats.drop_offload, 1);
    assert_int_equal(frames.sent_back, 1);
    frames_down();
}

/* rule: RI-1 rule: RI-3 rule: RI-5 */
static void test_received_headers(void **state)
{
    static const struct header_case cases[] = {
        { 0, { 0 }, true },
        { 0, { .csum_start = 9, .csum_offset = 7, .gso_size = 3, .hdr_len = 4 }, true },
        { 0, { .flags = 1 }, false },
        { 0, { .flags = 2 }, true }, /* DATA_VALID that was not asked for says nothing */
        { RECEIVES, { .flags = 2 }, true },
        { 0, { .flags = 0xf8 }, true }, /* and flags that nobody knows say less */
        { RECEIVES, { .flags = 1, .csum_start = 34, .csum_offset = 16 }, true },
        { RECEIVES, { .flags = 1, .csum_start = 980, .csum_offset = 18 }, true },
        { RECEIVES, { .flags = 1, .csum_start = 980, .csum_offset = 19 }, false },
        { RECEIVES, { .flags = 1, .csum_start = 0xfffe, .csum_offset = 0xfffe }, false },
        { RECEIVES, { .flags = 1, .gso_type = 1, .gso_size = 1460, .csum_start = 34 }, true },
        { RECEIVES, { .flags = 1, .gso_type = 0x84, .gso_size = 1460, .csum_start = 34 }, true },
        { RECEIVES, { .flags = 1, .gso_type = 1, .gso_size = 0 }, false },
        { RECEIVES, { .flags = 1, .gso_type = 3, .gso_size = 8 }, false },
        { RECEIVES, { .flags = 1, .gso_type = 5, .gso_size = 8 }, false },
        { RECEIVES, { .gso_type = 0x80 }, false },
        { VNET_F(GUEST_CSUM), { .flags = 1, .gso_type = 1, .gso_size = 8 }, false },
        { RECEIVES & ~VNET_F(GUEST_TSO4), { .gso_type = 1, .gso_size = 8 }, false },
        { RECEIVES & ~VNET_F(GUEST_ECN), { .gso_type = 0x81, .gso_size = 8 }, false },
        { RECEIVES & ~VNET_F(MRG_RXBUF), { .gso_type = 1, .gso_size = 8 }, false },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct delivery d = { .number = 1, .bytes = 1000 };
        frames_up(cases[i].features);
        vnet_offload_put(&cases[i].o, &d.header);
        frames_deliver(&d);
        frames_deliver(&(struct delivery){ .number = 2, .bytes = 60 });
        frames_show();
        vnet_poll(&frames.dev.q[VNET_RX], 1);
        if (frames.received != cases[i].ok)
            fail_msg("case %u: %u frames", i, (unsigned)frames.received);
        if (cases[i].ok && frames.dev.features.accepted & VNET_F(GUEST_CSUM))
            assert_memory_equal(&frames.said, &cases[i].o, sizeof(frames.said));
        else
            assert_memory_equal(&frames.said, &none, sizeof(frames.said));
        vnet_poll(&frames.dev.q[VNET_RX], 1);
        assert_int_equal(frames.received, cases[i].ok + 1u);
        assert_int_equal(frames.dev.q[VNET_RX].stats.drop_header, !cases[i].ok);
        frames_down();
    }
}

/* A header length that is longer than the frame is no hint. */
/* rule: RI-4 */
static void test_hint(void **state)
{
    struct delivery d = { .number = 1, .bytes = 1000 };
    (void)state;
    frames_up(RECEIVES);
    for (unsigned i = 0; i < 2; i++) {
        d.number++;
        d.header = (struct virtio_net_hdr){
            .flags = 1, .gso_type = 1, .gso_size = le16(9), .hdr_len = le16((uint16_t)(1000 + i))
        };
        frames_deliver(&d);
        frames_show();
        vnet_poll(&frames.dev.q[VNET_RX], 1);
        assert_int_equal(frames.said.hdr_len, i ? 0 : 1000);
    }
    frames_down();
}

/* A feature without what it needs is not accepted, though both sides would have it. */
/* rule: FB-2 rule: NC-13 rule: RX-1 */
static void test_prerequisites(void **state)
{
    static const struct {
        uint64_t offered, accepted;
    } cases[] = {
        { VNET_F(HOST_TSO4) | VNET_F(HOST_TSO6) | VNET_F(HOST_ECN), 0 },
        { VNET_F(CSUM) | VNET_F(HOST_ECN) | VNET_F(HOST_TSO6), VNET_F(CSUM) | VNET_F(HOST_TSO6) },
        { VNET_F(GUEST_TSO4) | VNET_F(GUEST_CSUM) | VNET_F(GUEST_ECN), VNET_F(GUEST_CSUM) },
        { VNET_F(GUEST_TSO4) | VNET_F(MRG_RXBUF), VNET_F(MRG_RXBUF) },
        { RECEIVES, RECEIVES },
        { VNET_F(CTRL_RX) | VNET_F(CTRL_RX_EXTRA) | VNET_F(CTRL_VLAN) | VNET_F(CTRL_MAC_ADDR) |
              VNET_F(MQ) | VNET_F(GUEST_ANNOUNCE) | VNET_F(CTRL_GUEST_OFFLOADS) |
              VNET_F(NOTF_COAL) | VNET_F(VQ_NOTF_COAL),
          0 },
        { SENDS, SENDS },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frames_up(cases[i].offered);
        assert_int_equal(frames.dev.features.accepted, cases[i].accepted | VNET_F(VERSION_1));
        assert_int_equal(frames.dev.features.missing, cases[i].offered & ~cases[i].accepted);
        frames_down();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chains),        cmocka_unit_test(test_mixture),
        cmocka_unit_test(test_sent_headers),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_stale_headers), cmocka_unit_test(test_too_many_parts),
        cmocka_unit_test(test_too_long),      cmocka_unit_test(test_received_headers),
        cmocka_unit_test(test_hint),          cmocka_unit_test(test_prerequisites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
