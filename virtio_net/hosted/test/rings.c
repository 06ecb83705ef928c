/* What the backend does with frames: as vhost, with kicks off while it works. */
#include <string.h>
#include <unistd.h>
#include "../../../experiments/loadgen/frame.h"
#include "../../vnet.h"
#include "backend.h"

#define RX (&backend.queue[0])
#define TX (&backend.queue[1])

#define FRAME_BYTES     60u
#define PINGPONG_WINDOW 16u
#define TRICK_AFTER     100u

static const uint8_t here[6] = { 2, 0, 0, 0, 0, 0xbe },
                     there[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static void check_driver(struct queue *q)
{
    if (q->dev.driver_error)
        blame("queue %d: %s", (int)(q - backend.queue), q->dev.driver_error);
}

static bool take(struct queue *q, struct ring_dev_buf *b)
{
    bool got = q->running && ring_dev_take(&q->dev, b);
    check_driver(q);
    return got;
}

static void give(struct queue *q, const struct ring_dev_buf *b, uint32_t bytes)
{
    ring_dev_use(&q->dev, b->id, bytes);
    ring_dev_show(&q->dev);
    if (ring_dev_signal(&q->dev) && q->call >= 0) {
        const uint64_t one = 1;
        backend.calls++;
        (void)!write(q->call, &one, sizeof(one));
    }
    check_driver(q);
}

/* One frame with its header, in one piece. */
static uint32_t gather(const struct ring_dev_buf *b, uint8_t *to, uint32_t room)
{
    uint32_t bytes = 0;
    for (unsigned i = 0; i < b->readable; i++) {
        if (b->part[i].bytes > room - bytes)
            blame("a frame of more than %u bytes", room);
        memcpy(to + bytes, b->part[i].data, b->part[i].bytes);
        bytes += b->part[i].bytes;
    }
    return bytes;
}

static void check_header(const uint8_t *frame, uint32_t bytes)
{
    static const uint8_t none[VNET_HDR_BYTES];
    if (bytes < VNET_HDR_BYTES + 14 || memcmp(frame, none, sizeof(none)))
        blame("a frame of %u bytes whose header is not all zero", bytes);
}

/* Into the buffer that was taken; num_buffers is 1. */
static void deliver(const struct ring_dev_buf *to, const uint8_t *frame, uint32_t bytes)
{
    struct virtio_net_hdr header = { .num_buffers = 1 };
    if (to->parts != 1 || to->writable_bytes < VNET_BUF_BYTES)
        blame("a receive buffer of %u bytes in %u parts", to->writable_bytes, to->parts);
    memcpy(to->part[0].data, &header, sizeof(header));
    memcpy(to->part[0].data + sizeof(header), frame, bytes);
    give(RX, to, (uint32_t)sizeof(header) + bytes);
    backend.given++;
}

static void check_echo(const uint8_t *frame, uint32_t bytes)
{
    struct frame_info info;
    if (!frame_parse(frame, bytes, &info) || info.seq != backend.returned || bytes != FRAME_BYTES ||
        memcmp(frame + FRAME_AT_DST, here, 6) || memcmp(frame + FRAME_AT_SRC, there, 6))
        blame("frame %lu came back changed, twice or out of order", backend.returned);
    backend.returned++;
}

/* Whether one was taken. */
static bool echo_one(uint8_t *frame, struct ring_dev_buf *b)
{
    static struct ring_dev_buf to;
    if (!RX->running || !ring_dev_waiting(&RX->dev) || !take(TX, b))
        return false;
    uint32_t bytes = gather(b, frame, VNET_BUF_BYTES);
    check_header(frame, bytes);
    backend.taken++;
    if (backend.held < backend.hold) {
        backend.held++;
        return true;
    }
    if (!take(RX, &to))
        blame("a receive buffer that was there is gone");
    deliver(&to, frame + VNET_HDR_BYTES, bytes - VNET_HDR_BYTES);
    if (backend.taken == TRICK_AFTER)
        TX->dev.trick = backend.trick;
    give(TX, b, 0);
    return true;
}

static bool collect_one(uint8_t *frame, struct ring_dev_buf *b)
{
    if (backend.deaf || !take(TX, b))
        return false;
    uint32_t bytes = gather(b, frame, VNET_BUF_BYTES);
    check_header(frame, bytes);
    backend.taken++;
    check_echo(frame + VNET_HDR_BYTES, bytes - VNET_HDR_BYTES);
    give(TX, b, 0);
    return true;
}

static bool generate_one(uint8_t *frame, struct ring_dev_buf *b)
{
    struct frame_info info = { .run = 1, .seq = backend.given };
    bool window =
        backend.work != WORK_PINGPONG || backend.given - backend.returned < PINGPONG_WINDOW;
    if (backend.given == backend.frames || !window || !take(RX, b))
        return false;
    frame_build(frame, FRAME_BYTES, there, here, &info);
    deliver(b, frame, FRAME_BYTES);
    return true;
}

static bool work_once(void)
{
    static uint8_t frame[VNET_BUF_BYTES];
    static struct ring_dev_buf b;
    if (backend.die_after && backend.taken + backend.given >= backend.die_after)
        _exit(0);
    if (backend.work == WORK_ECHO)
        return echo_one(frame, &b);
    bool did = generate_one(frame, &b);
    return collect_one(frame, &b) || did;
}

/* Kicks for receive buffers are wanted only while there is none. */
static bool kicks_on(void)
{
    bool more = false;
    for (int i = 0; i < QUEUES; i++) {
        struct queue *q = &backend.queue[i];
        bool wanted = (i == 1 && !backend.deaf) || (q->running && !ring_dev_waiting(&q->dev));
        more |= q->running && wanted && ring_dev_kicks_on(&q->dev);
    }
    return more;
}

void serve(void)
{
    do {
        for (int i = 0; i < QUEUES; i++)
            if (backend.queue[i].running)
                ring_dev_kicks_off(&backend.queue[i].dev);
        while (work_once())
            ;
    } while (kicks_on() &&
             (backend.work != WORK_ECHO || (RX->running && ring_dev_waiting(&RX->dev))));
    check_driver(RX);
    check_driver(TX);
}
