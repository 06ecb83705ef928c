#include "rx_frame.h"
#include "offload.h"
#include "../trace/trace.h"

static const struct virtio_net_hdr *header_of(const struct vnet_q *q, const struct vnet_buf *b)
{
    return (const struct virtio_net_hdr *)(b->data + VNET_HDR_BYTES - q->hdr_bytes);
}

/* "Processing of Incoming Packets": how many buffers the frame that begins here has; 0 if that
 * cannot be. */
static uint32_t parts_of(struct vnet_q *q, const struct vring_used *first)
{
    if (!q->merges || first->bytes < q->hdr_bytes)
        return 1;
    uint16_t parts = le16(header_of(q, first->cookie)->num_buffers);
    return parts <= VNET_PARTS_MAX ? parts : 0;
}

/* Chains the buffers and writes their lengths. False: a length cannot be. */
static bool chain(const struct vnet_q *q, const struct vring_used *used, uint32_t parts)
{
    uint32_t header = q->hdr_bytes;
    bool possible = true;
    for (uint32_t i = 0; i < parts; i++) {
        struct vnet_buf *b = used[i].cookie;
        possible &= !used[i].overlong && used[i].bytes >= header;
        b->len = used[i].bytes - header;
        b->next = i + 1 < parts ? used[i + 1].cookie : NULL;
        header = 0;
    }
    return possible;
}

static uint32_t bytes_of(const struct vnet_buf *b)
{
    uint32_t bytes = 0;
    for (; b; b = b->next)
        bytes += b->len;
    return bytes;
}

static uint32_t post_again(struct rx_batch *batch, struct vnet_buf *frame)
{
    uint32_t n = 0;
    for (struct vnet_buf *b = frame; b; b = b->next, n++)
        batch->again[batch->again_used++] = b;
    return n;
}

uint32_t vnet_rx_drop_last(struct rx_batch *batch)
{
    struct vnet_buf *frame = batch->frames[--batch->frames_used];
    batch->bytes -= bytes_of(frame);
    return post_again(batch, frame);
}

/* Most frames: one buffer, of a length that can be, with a header that says nothing. Takes as many
 * as come first; what stopped it wants a closer look. */
static uint32_t take_plain(const struct vnet_q *q, struct rx_batch *batch,
                           const struct vring_used *used, uint32_t n)
{
    const uint32_t header = q->hdr_bytes, skip = VNET_HDR_BYTES - header;
    const bool merges = q->merges;
    struct vnet_buf **frames = batch->frames + batch->frames_used;
    uint64_t bytes = 0;
    uint32_t k = 0;
    for (; k < n; k++) {
        struct vnet_buf *b = used[k].cookie;
        const struct virtio_net_hdr *h = (const struct virtio_net_hdr *)(b->data + skip);
        if (used[k].overlong || used[k].bytes < header || h->flags | h->gso_type ||
            (merges && le16(h->num_buffers) != 1))
            break;
        b->len = used[k].bytes - header;
        bytes += b->len;
        b->next = NULL;
        b->offload = (struct vnet_offload){ 0 };
        frames[k] = b;
    }
    batch->frames_used += k;
    batch->bytes += bytes;
    return k;
}

static void sort(struct vnet_q *q, struct rx_batch *batch, const struct vring_used *used,
                 uint32_t parts)
{
    struct vnet_buf *frame = used[0].cookie;
    q->stats.more_bufs += parts - 1;
    if (!chain(q, used, parts)) {
        post_again(batch, frame);
        q->stats.drop_length++;
        TRACE(drop, q, TRACE_DROP_LENGTH, 1);
        return;
    }
    uint32_t bytes = bytes_of(frame);
    if (!vnet_offload_get(&frame->offload, header_of(q, frame), q->dev->features.accepted, bytes)) {
        post_again(batch, frame);
        q->stats.drop_header++;
        TRACE(drop, q, TRACE_DROP_HEADER, 1);
        return;
    }
    batch->frames[batch->frames_used++] = frame;
    batch->bytes += bytes;
}

/* "num_buffers": where the next frame begins can no longer be told, so what is left are buffers. */
static void lose_track(struct vnet_q *q, struct rx_batch *batch, const struct vring_used *used,
                       uint32_t n, enum vnet_error why)
{
    vring_break(&q->ring, why);
    for (uint32_t i = 0; i < n; i++)
        batch->again[batch->again_used++] = used[i].cookie;
    q->stats.drop_header++;
    q->stats.more_bufs += n - 1;
    TRACE(drop, q, TRACE_DROP_HEADER, 1);
}

uint32_t vnet_rx_take(struct vnet_q *q, struct rx_batch *batch, uint32_t room)
{
    struct vring_used used[RX_BUFS_MAX];
    uint32_t n = vring_pop(&q->ring, used, room), parts;
    batch->frames_used = batch->again_used = 0;
    batch->bytes = 0;
    for (uint32_t i = take_plain(q, batch, used, n); i < n; i += parts) {
        parts = parts_of(q, &used[i]);
        if (parts > n - i)
            n += vring_pop(&q->ring, used + n, parts - (n - i));
        if (!parts || parts > n - i) {
            lose_track(q, batch, used + i, n - i, parts ? VNET_E_FRAME_SHORT : VNET_E_NUM_BUFFERS);
            break;
        }
        sort(q, batch, used + i, parts);
    }
    return n;
}
