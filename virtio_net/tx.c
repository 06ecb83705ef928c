/* Transmit: queue frames, reclaim the sent ones, and the one kick decision for both queues. */
#include "mode.h"
#include "offload.h"
#include "../trace/trace.h"

uint32_t vnet_tx_reclaim(struct vnet_q *q, uint32_t budget)
{
    uint32_t done = 0, room, n;
    do {
        struct vring_used used[VNET_BATCH];
        struct vnet_buf *batch[VNET_BATCH];
        room = budget - done < VNET_BATCH ? budget - done : VNET_BATCH;
        n = vring_pop(&q->ring, used, room);
        if (!n)
            break;
        /* The used length of a transmit buffer says nothing ("Transmitting Packets": the device
         * wrote nothing), and devices that claim otherwise exist: ignored. */
        uint64_t bytes = 0;
        for (uint32_t i = 0; i < n; i++) {
            batch[i] = used[i].cookie;
            for (const struct vnet_buf *b = batch[i]; b; b = b->next)
                bytes += b->len;
        }
        q->stats.bytes += bytes;
        done += n;
        q->stats.packets += n;
        TRACE(harvest, q, q->ring.harvested, n);
        vnet_up_tx_done(q, batch, n);
    } while (n == room && done < budget);
    vnet_note_broken(q);
    return done;
}

/* A header that is clear is left alone: it may lie in a cache line before the frame's, which the
 * device has read and would have to fetch again. */
static struct virtio_net_hdr *clear_header(struct vnet_buf *b)
{
    struct virtio_net_hdr *h = (struct virtio_net_hdr *)b->data;
    uint64_t first;
    uint32_t rest;
    _Static_assert(sizeof(*h) == sizeof(first) + sizeof(rest), "the whole header");
    __builtin_memcpy(&first, b->data, sizeof(first));
    __builtin_memcpy(&rest, b->data + sizeof(first), sizeof(rest));
    if (first | rest)
        *h = (struct virtio_net_hdr){ 0 };
    return h;
}

/* Most frames: one buffer, and nothing asked of the device. */
static bool is_plain(const struct vnet_q *q, const struct vnet_buf *b)
{
    return !b->next && vnet_offload_none(&b->offload) && b->len <= q->len_max;
}

/* As many of the first n frames as are plain and have room, in one go. */
static uint32_t add_plain(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    struct vring_item items[VNET_BATCH];
    uint32_t unused = VNET_HDR_BYTES - q->hdr_bytes, k = 0;
    if (n > VNET_BATCH)
        n = VNET_BATCH;
    for (; k < n && is_plain(q, bufs[k]); k++) {
        struct vnet_buf *b = bufs[k];
        clear_header(b);
        items[k] = (struct vring_item){ b, env_dma_addr(b->data + unused), q->hdr_bytes + b->len };
    }
    return k ? vring_add(&q->ring, items, k, false) : 0;
}

/* The stretches of memory of a frame, its header with the first. Returns how many; 0: too many. */
static unsigned parts_of(const struct vnet_q *q, const struct vnet_buf *frame,
                         struct vring_part *parts, uint32_t *bytes)
{
    uint32_t skip = VNET_HDR_BYTES - q->hdr_bytes, header = q->hdr_bytes;
    unsigned n = 0;
    *bytes = 0;
    for (const struct vnet_buf *b = frame; b; b = b->next) {
        if (n == VNET_PARTS_MAX || n == q->ring.size)
            return 0;
        parts[n++] = (struct vring_part){ env_dma_addr(b->data + skip), header + b->len };
        *bytes += b->len;
        skip = header = 0;
    }
    return n;
}

/* A frame that no device could send for us goes back as if it had. */
static void refuse(struct vnet_q *q, struct vnet_buf *frame)
{
    q->stats.drop_offload++;
    TRACE(drop, q, TRACE_DROP_OFFLOAD, 1);
    vnet_up_tx_done(q, &frame, 1);
}

enum added { ADDED, NO_ROOM, REFUSED };

static enum added add_frame(struct vnet_q *q, struct vnet_buf *frame)
{
    struct vring_part parts[VNET_PARTS_MAX];
    uint32_t bytes;
    unsigned n = parts_of(q, frame, parts, &bytes);
    if (!n || !vnet_offload_ok(&frame->offload, q->dev->features.accepted, bytes) ||
        (bytes > q->len_max && !frame->offload.gso_type)) {
        refuse(q, frame);
        return REFUSED;
    }
    vnet_offload_put(&frame->offload, clear_header(frame));
    return vring_add_parts(&q->ring, frame, parts, n, 0) ? NO_ROOM : ADDED;
}

uint32_t vnet_tx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    if (q->index >= VNET_QUEUES * q->dev->pairs_used)
        return 0;
    /* Reclaiming while a quarter is still free keeps senders from ever waiting for the interrupt
     * of a ring that the device has long emptied. */
    if (q->ring.free_count < q->ring.size / 4 || q->ring.free_count < n)
        vnet_tx_reclaim(q, UINT32_MAX);
    uint32_t k = 0, took = 1;
    while (k < n && took) {
        took = add_plain(q, bufs + k, n - k);
        q->stats.posted += took;
        k += took;
        if (took || is_plain(q, bufs[k]))
            continue;
        enum added a = add_frame(q, bufs[k]);
        q->stats.posted += a == ADDED;
        took = a != NO_ROOM;
        k += took;
    }
    if (k < n) {
        q->stats.full++;
        TRACE(tx_full, q, q->ring.published, n - k);
    }
    return k;
}

static void kick(struct vnet_q *q)
{
    q->stats.kicks++;
    TRACE_STAMP(before);
    env_doorbell(q->bell);
    TRACE_COUNTED(kick, (uint32_t)q->stats.kicks, q, q->ring.published, before);
}

void vnet_flush(struct vnet_q *q)
{
    uint16_t word, fresh = vring_publish(&q->ring);
    if (!fresh)
        return;
    TRACE(publish, q, q->ring.published, fresh);
    switch (vring_kick_needed(&q->ring, &word)) {
    case VRING_KICK_SEND:
        kick(q);
        break;
    case VRING_KICK_BY_FLAG:
        q->stats.kicks_suppr_flag++;
        TRACE(kick_suppressed, q, q->ring.published, word);
        break;
    case VRING_KICK_BY_EVENT:
        q->stats.kicks_suppr_event++;
        TRACE_FLAGS(kick_suppressed, TRACE_F_EVENT_IDX, q, q->ring.published, word);
        break;
    case VRING_KICK_NONE:
        break;
    }
    if (!vnet_is_rx(q))
        mode_sent(q);
}
