#include "frames.h"
#include "points.h"
#include <string.h>

struct frames frames;
uint16_t frames_with_mtu = 1500;
static _Alignas(16) uint8_t rings[VNET_QUEUES][1 << 18];
static struct vring_shadow shadows[VNET_QUEUES][FRAMES_RING];

void test_point(enum test_point_kind point, const volatile void *at, int order)
{
    (void)point;
    (void)at;
    (void)order;
}

static uint8_t pattern(uint64_t number, uint32_t at)
{
    return (uint8_t)(number * 31 + at * 7 + (at >> 8));
}

static struct vnet_buf *take_buf(void)
{
    assert_true(frames.free_count > 0);
    struct vnet_buf *b = frames.free_bufs[--frames.free_count];
    b->next = NULL;
    b->offload = (struct vnet_offload){ 0 };
    return b;
}

static void put_buf(struct vnet_buf *b)
{
    for (unsigned i = 0; i < frames.free_count; i++)
        assert_ptr_not_equal(b, frames.free_bufs[i]);
    b->next = (void *)b; /* of no use to anyone who does not set them */
    memset(&b->offload, 0xff, sizeof(b->offload));
    frames.free_bufs[frames.free_count++] = b;
}

static void put_frame(struct vnet_buf *frame)
{
    for (struct vnet_buf *next; frame; frame = next) {
        next = frame->next;
        put_buf(frame);
    }
}

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t k = 0;
    (void)q;
    assert_in_range(n, 1, VNET_BATCH);
    while (k < n && frames.free_count && (!frames.alloc_fails || frames.alloc_left)) {
        frames.alloc_left -= frames.alloc_fails;
        bufs[k++] = frames.free_bufs[--frames.free_count];
    }
    return k;
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++)
        put_buf(bufs[i]);
}

static void check_frame(const struct vnet_buf *frame)
{
    const uint8_t *data = frame->data + VNET_HDR_BYTES;
    uint32_t at = 0;
    uint64_t number;
    memcpy(&number, data, sizeof(number));
    number = le64(number);
    for (const struct vnet_buf *b = frame; b; b = b->next, data = b ? b->data : NULL) {
        for (uint32_t i = 0; i < b->len; i++, at++) {
            if (at >= sizeof(number) && data[i] != pattern(number, at))
                fail_msg("frame %u differs at byte %u", (unsigned)number, at);
        }
    }
    assert_true(number > frames.last || !frames.received);
    frames.last = number;
    frames.received_bytes += at;
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    assert_int_equal(q->index, VNET_RX);
    assert_in_range(n, 1, VNET_BATCH);
    for (uint32_t i = 0; i < n; i++) {
        check_frame(bufs[i]);
        frames.received++;
        frames.said = bufs[i]->offload;
        put_frame(bufs[i]);
    }
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    assert_int_equal(q->index, VNET_TX);
    for (uint32_t i = 0; i < n; i++)
        put_frame(bufs[i]);
    frames.sent_back += n;
}

void vnet_up_schedule(struct vnet_q *q)
{
    (void)q;
}

void frames_up(uint64_t features)
{
    void *memory[] = { rings[0], rings[1] }, *shadow[] = { shadows[0], shadows[1] };
    struct vnet_config cfg = { .want = features, .vector = { 0, 1 }, .config_vector = 2 };
    struct vnet_transport *transport;
    memset(&frames, 0, sizeof(frames));
    for (unsigned i = 0; i < FRAMES_POOL; i++) {
        frames.bufs[i] = (struct vnet_buf){ .data = frames.data[i], .capacity = VNET_BUF_BYTES };
        put_buf(&frames.bufs[i]);
    }
    model_any_init(&frames.device, MODEL_MODERN, features | VNET_F(VERSION_1), FRAMES_RING);
    frames.device.config.mtu = frames_with_mtu;
    assert_int_equal(model_any_probe(&frames.device, &transport), 0);
    assert_int_equal(vnet_attach(&frames.dev, transport, &cfg), 0);
    for (int i = 0; i < VNET_QUEUES; i++)
        assert_true(vring_bytes(&frames.dev.q[i].layout) <= sizeof(rings[i]));
    assert_int_equal(vnet_start(&frames.dev, memory, shadow), 0);
    assert_null(model_violation(&frames.device));
}

static void give_back(struct vnet_q *q, struct vnet_buf *frame)
{
    (void)q;
    put_frame(frame);
}

void frames_down(void)
{
    if (model_violation(&frames.device))
        fail_msg("device: %s", model_violation(&frames.device));
    assert_int_equal(vnet_stop(&frames.dev, give_back), 0);
    assert_int_equal(frames.free_count, FRAMES_POOL);
}

static void fill(uint8_t *to, uint64_t number, uint32_t from, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t at = from + i;
        to[i] = at < sizeof(number) ? (uint8_t)(number >> 8 * at) : pattern(number, at);
    }
}

unsigned frames_deliver(const struct delivery *d)
{
    struct ring_dev *ring = &frames.device.queue[VNET_RX].ring;
    uint32_t at = 0;
    struct virtio_net_hdr *first = NULL;
    unsigned n = 0;
    do {
        struct ring_dev_buf b;
        assert_true(ring_dev_take(ring, &b));
        uint32_t header = n ? 0 : VNET_HDR_BYTES;
        uint32_t k =
            b.part[0].bytes - header < d->bytes - at ? b.part[0].bytes - header : d->bytes - at;
        if (!n) {
            first = (struct virtio_net_hdr *)b.part[0].data;
            *first = d->header;
        }
        fill(b.part[0].data + header, d->number, at, k);
        ring_dev_use(ring, b.id, header + k);
        at += k;
        n++;
    } while (at < d->bytes);
    first->num_buffers = le16(d->lies ? d->num_buffers_lie : (uint16_t)n);
    return n;
}

void frames_show(void)
{
    ring_dev_show(&frames.device.queue[VNET_RX].ring);
}

uint32_t frames_send(uint64_t number, unsigned parts, uint32_t each,
                     const struct vnet_offload *offload)
{
    struct vnet_buf *frame = NULL, **link = &frame;
    uint32_t at = 0;
    for (unsigned i = 0; i < parts; i++) {
        struct vnet_buf *b = *link = take_buf();
        b->len = each;
        fill(b->data + (i ? 0 : VNET_HDR_BYTES), number, at, each);
        at += each;
        link = &b->next;
    }
    frame->offload = *offload;
    uint32_t took = vnet_tx(&frames.dev.q[VNET_TX], &frame, 1);
    vnet_flush(&frames.dev.q[VNET_TX]);
    if (!took)
        put_frame(frame);
    return took;
}

struct virtio_net_hdr frames_taken(uint64_t number, unsigned *parts)
{
    struct ring_dev *ring = &frames.device.queue[VNET_TX].ring;
    static uint8_t expected[FRAMES_MAX], whole[FRAMES_MAX + VNET_HDR_BYTES];
    struct ring_dev_buf b;
    struct virtio_net_hdr h;
    uint32_t at = 0;
    assert_true(ring_dev_take(ring, &b));
    for (unsigned i = 0; i < b.parts; i++) {
        assert_false(b.part[i].writable);
        assert_true(at + b.part[i].bytes <= sizeof(whole));
        memcpy(whole + at, b.part[i].data, b.part[i].bytes);
        at += b.part[i].bytes;
    }
    memcpy(&h, whole, sizeof(h));
    fill(expected, number, 0, at - VNET_HDR_BYTES);
    assert_memory_equal(whole + VNET_HDR_BYTES, expected, at - VNET_HDR_BYTES);
    *parts = b.parts;
    ring_dev_use(ring, b.id, 0);
    ring_dev_show(ring);
    return h;
}
