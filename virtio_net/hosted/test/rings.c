/* What the backend does with frames: as vhost, with kicks off while it works. */
#include <string.h>
#include <unistd.h>
#include "../../../experiments/loadgen/frame.h"
#include "../../vnet.h"
#include "backend.h"

#define FRAME_BYTES     60u
#define PINGPONG_WINDOW 16u
#define TRICK_AFTER     100u
#define ROUND           1000

static struct queue *rx_of(uint32_t pair)
{
    return &backend.queue[2 * pair];
}

static struct queue *tx_of(uint32_t pair)
{
    return &backend.queue[2 * pair + 1];
}

static const uint8_t here[6] = { 2, 0, 0, 0, 0, 0xbe },
                     there[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static void check_driver(struct queue *q)
{
    if (q->dev.driver_error)
        blame("queue %d: %s", (int)(q - backend.queue), q->dev.driver_error);
}

static bool take(struct queue *q, struct ring_dev_buf *b)
{
    bool got = serves(q) && ring_dev_take(&q->dev, b);
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
static void deliver(uint32_t pair, const struct ring_dev_buf *to, const uint8_t *frame,
                    uint32_t bytes)
{
    struct virtio_net_hdr header = { .num_buffers = 1 };
    if (to->parts != 1 || to->writable_bytes < VNET_BUF_BYTES)
        blame("a receive buffer of %u bytes in %u parts", to->writable_bytes, to->parts);
    memcpy(to->part[0].data, &header, sizeof(header));
    memcpy(to->part[0].data + sizeof(header), frame, bytes);
    give(rx_of(pair), to, (uint32_t)sizeof(header) + bytes);
    backend.given++;
    backend.pair[pair].given++;
}

static void check_echo(struct pair *p, const uint8_t *frame, uint32_t bytes)
{
    struct frame_info info;
    if (!frame_parse(frame, bytes, &info) || info.seq < p->next || bytes != FRAME_BYTES ||
        memcmp(frame + FRAME_AT_DST, here, 6) || memcmp(frame + FRAME_AT_SRC, there, 6))
        blame("frame %lu came back changed, twice or out of order", p->next);
    if (info.seq > p->next && !backend.gaps)
        blame("frame %lu did not come back", p->next);
    p->next = info.seq + 1;
    p->returned++;
    backend.returned++;
}

static uint32_t take_frame(uint32_t pair, const struct ring_dev_buf *b, uint8_t *frame)
{
    uint32_t bytes = gather(b, frame, VNET_BUF_BYTES);
    check_header(frame, bytes);
    backend.taken++;
    backend.pair[pair].taken++;
    return bytes;
}

/* Where what came by this pair goes back: among those that are in use. */
static uint32_t steered(uint32_t pair)
{
    uint32_t used = 0;
    while (used < backend.pairs && serves(rx_of(used)))
        used++;
    return used ? (pair + backend.steer) % used : pair;
}

/* Whether one was taken. */
static bool echo_one(uint32_t pair, uint8_t *frame, struct ring_dev_buf *b)
{
    static struct ring_dev_buf to;
    struct queue *tx = tx_of(pair), *rx = rx_of(steered(pair));
    if (!serves(rx) || !ring_dev_waiting(&rx->dev) || !take(tx, b))
        return false;
    uint32_t bytes = take_frame(pair, b, frame);
    if (backend.held < backend.hold) {
        backend.held++;
        return true;
    }
    if (!take(rx, &to))
        blame("a receive buffer that was there is gone");
    deliver(steered(pair), &to, frame + VNET_HDR_BYTES, bytes - VNET_HDR_BYTES);
    if (backend.taken == TRICK_AFTER)
        tx->dev.trick = backend.trick;
    give(tx, b, 0);
    return true;
}

static bool collect_one(uint32_t pair, uint8_t *frame, struct ring_dev_buf *b)
{
    if (backend.deaf || !take(tx_of(pair), b))
        return false;
    uint32_t bytes = take_frame(pair, b, frame);
    check_echo(&backend.pair[pair], frame + VNET_HDR_BYTES, bytes - VNET_HDR_BYTES);
    give(tx_of(pair), b, 0);
    return true;
}

/* Nothing but a receive buffer is missing for the next frame. */
static bool has_frame(uint32_t pair)
{
    const struct pair *p = &backend.pair[pair];
    bool window = backend.work != WORK_PINGPONG || p->given - p->returned < PINGPONG_WINDOW;
    return backend.work != WORK_ECHO && pair < backend.spread &&
           p->given < backend.frames / backend.spread && window;
}

static bool generate_one(uint32_t pair, uint8_t *frame, struct ring_dev_buf *b)
{
    struct frame_info info = { .run = 1, .seq = backend.pair[pair].given };
    if (!has_frame(pair) || !take(rx_of(pair), b))
        return false;
    frame_build(frame, FRAME_BYTES, there, here, &info);
    deliver(pair, b, frame, FRAME_BYTES);
    return true;
}

static bool work_once(uint32_t pair)
{
    static uint8_t frame[VNET_BUF_BYTES];
    static struct ring_dev_buf b;
    if (backend.die_after && backend.taken + backend.given >= backend.die_after)
        _exit(0);
    if (backend.work == WORK_ECHO)
        return echo_one(pair, frame, &b);
    bool did = generate_one(pair, frame, &b);
    return collect_one(pair, frame, &b) || did;
}

/* Kicks for receive buffers are wanted only while there is none. One that came since the last look
 * was not kicked for: with a frame for it there is more to do. */
static bool kicks_on(uint32_t pair, struct queue *rx, struct queue *tx)
{
    bool more = false;
    if (serves(tx) && !backend.deaf)
        more |= ring_dev_kicks_on(&tx->dev);
    if (serves(rx))
        more |= ring_dev_waiting(&rx->dev) ? has_frame(pair) : ring_dev_kicks_on(&rx->dev);
    return more;
}

/* A ring that frames go out by, and the one that they come back by. True: there is more to do, and
 * messages come first. */
static bool serve_pair(uint32_t pair)
{
    bool echoes = backend.work == WORK_ECHO;
    struct queue *tx = tx_of(pair), *rx = rx_of(echoes ? steered(pair) : pair);
    int did = 0;
    do {
        if (serves(rx))
            ring_dev_kicks_off(&rx->dev);
        if (serves(tx))
            ring_dev_kicks_off(&tx->dev);
        while (did < ROUND && work_once(pair))
            did++;
        if (did == ROUND)
            return true;
    } while (kicks_on(pair, rx, tx) && (!echoes || (serves(rx) && ring_dev_waiting(&rx->dev))));
    check_driver(rx);
    check_driver(tx);
    return false;
}

bool serve(void)
{
    bool more = false;
    for (uint32_t i = 0; i < backend.pairs; i++)
        more |= serve_pair(i);
    return more;
}
