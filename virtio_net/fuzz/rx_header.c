/* Received headers, merged buffers and lengths. The device returns buffers as the specification
 * wants it; what it writes into them, and how many bytes it claims, is the input's. A frame that
 * reaches the stack says nothing that was not negotiated, and its buffers are those that were used
 * one after the other. */
#include "liar.h"
#include "seeds.h"

#define GUEST                                                                                      \
    (VNET_F(GUEST_CSUM) | VNET_F(GUEST_TSO4) | VNET_F(GUEST_TSO6) | VNET_F(GUEST_ECN) |            \
     VNET_F(MRG_RXBUF))

static struct liar device;
static uint64_t used_as[FUZZ_POOL]; /* the how-manieth use of the device, from 1 */
static uint32_t claimed[FUZZ_POOL]; /* bytes */
static uint64_t uses;

enum step {
    FRAME, /* skip, buffers, length of the last, header of 10 bytes, num_buffers */
    PLAIN, /* count: frames of one buffer without any offload */
    SHOW,
    POLL,  /* budget */
    SHORT, /* buffers */
    STEPS,
};

static void header(uint8_t *to, const uint8_t said[VNET_HDR_BYTES])
{
    unsigned bytes = fuzz.dev.q[VNET_RX].hdr_bytes;
    for (unsigned i = 0; i < bytes; i++)
        to[VNET_HDR_BYTES - bytes + i] = said[i];
}

static struct vnet_buf *use(uint32_t skip, uint32_t bytes)
{
    struct vnet_buf *b = liar_use(&device, skip, bytes);
    if (b) {
        used_as[fuzz_buf(b)] = ++uses;
        claimed[fuzz_buf(b)] = bytes;
    }
    return b;
}

static void frame(uint32_t skip, unsigned buffers, uint32_t last)
{
    uint8_t said[VNET_HDR_BYTES];
    for (unsigned i = 0; i < 10; i++)
        said[i] = fuzz_8();
    uint16_t parts = fuzz_16();
    said[10] = (uint8_t)parts;
    said[11] = (uint8_t)(parts >> 8);
    for (unsigned i = 0; i < buffers; i++) {
        struct vnet_buf *b = use(skip, i + 1 < buffers ? VNET_BUF_BYTES : last);
        if (b && !i)
            header(b->data, said);
    }
}

static void plain(unsigned frames)
{
    static const uint8_t one[VNET_HDR_BYTES] = { [10] = 1 };
    struct vnet_buf *b;
    while (frames-- && (b = use(0, VNET_HDR_BYTES + 60)))
        header(b->data, one);
}

static void said_by(const struct vnet_offload *o, uint32_t bytes)
{
    uint64_t accepted = fuzz.dev.features.accepted;
    uint8_t kind = o->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    bool partial = o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
    if (o->flags && !(accepted & VNET_F(GUEST_CSUM)))
        fuzz_fail("flags 0x%x without GUEST_CSUM", o->flags);
    if (partial && (uint32_t)o->csum_start + o->csum_offset + 2 > bytes)
        fuzz_fail("a checksum at %u + %u in %u bytes", o->csum_start, o->csum_offset, bytes);
    if ((kind && kind != VIRTIO_NET_HDR_GSO_TCPV4 && kind != VIRTIO_NET_HDR_GSO_TCPV6) ||
        (kind == VIRTIO_NET_HDR_GSO_TCPV4 && !(accepted & VNET_F(GUEST_TSO4))) ||
        (kind == VIRTIO_NET_HDR_GSO_TCPV6 && !(accepted & VNET_F(GUEST_TSO6))) ||
        (o->gso_type != kind && (!kind || !(accepted & VNET_F(GUEST_ECN)))))
        fuzz_fail("segments of type 0x%x, features 0x%llx", o->gso_type,
                  (unsigned long long)accepted);
    if (kind && !o->gso_size)
        fuzz_fail("segments of no bytes");
    if (o->hdr_len > bytes)
        fuzz_fail("headers of %u bytes in a frame of %u", o->hdr_len, bytes);
}

static void received(const struct vnet_buf *frame)
{
    uint32_t bytes = 0, head = fuzz.dev.q[VNET_RX].hdr_bytes;
    uint64_t last = used_as[fuzz_buf(frame)] - 1;
    for (const struct vnet_buf *b = frame; b; b = b->next, head = 0) {
        unsigned i = fuzz_buf(b);
        if (used_as[i] != ++last)
            fuzz_fail("a part of use %llu after one of use %llu", (unsigned long long)used_as[i],
                      (unsigned long long)last - 1);
        if (b->len + head != claimed[i])
            fuzz_fail("%u bytes of a buffer for which the device claimed %u", b->len + head,
                      claimed[i]);
        bytes += b->len;
    }
    if (frame->next && !fuzz.dev.q[VNET_RX].merges)
        fuzz_fail("a frame of several buffers without MRG_RXBUF");
    said_by(&frame->offload, bytes);
}

static void up(void)
{
    uint8_t how = fuzz_8(), what = fuzz_8();
    enum model_kind kind = how & 1 ? MODEL_LEGACY : MODEL_MODERN;
    uint64_t features = VNET_F(VERSION_1) | VNET_F(ANY_LAYOUT) | VNET_F(EVENT_IDX);
    static const uint64_t each[] = { VNET_F(GUEST_CSUM), VNET_F(GUEST_TSO4), VNET_F(GUEST_TSO6),
                                     VNET_F(GUEST_ECN), VNET_F(MRG_RXBUF) };
    for (unsigned i = 0; i < 5; i++)
        features |= what & 1 << i ? each[i] : 0;
    features |= how & 2 ? VNET_F(RING_PACKED) : 0;
    model_any_init(&fuzz.model, kind, features, how & 4 ? 16 : 256);
    fuzz.config = (struct vnet_config){ .want = features & (GUEST | ~GUEST),
                                        .vector = { 0, 1 },
                                        .config_vector = 2 };
    if (fuzz_attach() || fuzz_start())
        fuzz_fail("an honest device does not come up");
    liar_init(&device, &fuzz.dev.q[VNET_RX].ring);
    fuzz.received = received;
    uses = 0;
}

static void step(void)
{
    uint8_t skip, buffers;
    switch (fuzz_8() % STEPS) {
    case FRAME:
        skip = fuzz_8();
        buffers = fuzz_8();
        frame(skip, buffers, fuzz_16());
        break;
    case PLAIN:
        plain(fuzz_8());
        break;
    case SHOW:
        liar_show(&device);
        break;
    case POLL:
        vnet_poll(&fuzz.dev.q[VNET_RX], 1 + fuzz_8());
        break;
    case SHORT:
        fuzz.alloc_left = fuzz_8();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin(data, size);
    up();
    while (fuzz_left()) {
        step();
        fuzz_check();
    }
    fuzz_stop();
    return 0;
}

#define ALL 0x1f
const struct seed seeds[] = {
    SEED("plain", 0, 0, PLAIN, 9, SHOW, POLL, 64),
    SEED("plain_packed", 2, 0, PLAIN, 9, SHOW, POLL, 64),
    SEED("plain_legacy", 1, 0, PLAIN, 9, SHOW, POLL, 64),
    SEED("merged", 0, 16, FRAME, 0, 3, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, SHOW, POLL, 64),
    SEED("merged_packed", 2, 16, FRAME, 0, 3, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, SHOW,
         POLL, 64),
    SEED("merged_legacy", 1, 16, FRAME, 0, 3, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, SHOW,
         POLL, 64),
    SEED("too_many", 0, 16, FRAME, 0, 1, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 65, 0, SHOW, POLL,
         64),
    SEED("no_buffers", 0, 16, FRAME, 0, 1, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, SHOW, POLL,
         64),
    SEED("not_yet", 0, 16, FRAME, 0, 2, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, SHOW, POLL, 64),
    SEED("beyond_the_batch", 0, 16, PLAIN, 30, FRAME, 0, 9, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
         0, SHOW, POLL, 31, POLL, 64),
    SEED("checksum", 0, ALL, FRAME, 0, 1, 100, 0, 1, 0, 0, 0, 0, 0, 14, 0, 16, 0, 1, 0, SHOW, POLL,
         64),
    SEED("checksum_outside", 0, ALL, FRAME, 0, 1, 100, 0, 1, 0, 0, 0, 0, 0, 90, 0, 16, 0, 1, 0,
         SHOW, POLL, 64),
    SEED("valid", 0, ALL, FRAME, 0, 1, 100, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, SHOW, POLL, 64),
    SEED("tcp4", 0, ALL, FRAME, 0, 3, 100, 0, 1, 1, 54, 0, 0, 5, 34, 0, 16, 0, 3, 0, SHOW, POLL,
         64),
    SEED("tcp6_ecn", 0, ALL, FRAME, 0, 3, 100, 0, 1, 0x84, 54, 0, 0, 5, 34, 0, 16, 0, 3, 0, SHOW,
         POLL, 64),
    SEED("udp", 0, ALL, FRAME, 0, 3, 100, 0, 1, 3, 54, 0, 0, 5, 34, 0, 16, 0, 3, 0, SHOW, POLL, 64),
    SEED("short_frame", 0, 0, FRAME, 0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, SHOW, POLL,
         64),
    SEED("long_frame", 0, 0, FRAME, 0, 1, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, SHOW,
         POLL, 64),
    SEED("short_pool", 0, 16, SHORT, 2, FRAME, 0, 3, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0,
         PLAIN, 3, SHOW, POLL, 64),
};
const unsigned seeds_used = sizeof(seeds) / sizeof(seeds[0]);
