/* Receive: harvest frames, put a fresh buffer in the place of each, hand the frames up. */
#include "mode.h"
#include "../trace/trace.h"
#include "../faultinj/fault.h"

static struct vnet_buf *replacement(struct vnet_q *q)
{
    if (FAULT(rx_alloc, q))
        return NULL;
    return vnet_up_alloc(q);
}

static void post(struct vnet_q *q, struct vnet_buf *b)
{
    /* Cannot fail: every post fills the descriptor that a pop or the start just left free. */
    uint32_t unused = VNET_HDR_BYTES - q->hdr_bytes;
    vring_add(&q->ring, b, env_dma_addr(b->data + unused), b->capacity - unused, true);
    q->stats.posted++;
}

/* Takes one used entry. Returns the frame, or NULL if it was dropped. In both cases as many buffers
 * are posted after as before: the replacement is allocated first, and without one the frame's own
 * buffer goes back, so a short pool costs frames but never starves the ring. */
static struct vnet_buf *take(struct vnet_q *q, struct vnet_buf *b, uint32_t bytes, bool overlong)
{
    if (overlong || bytes < q->hdr_bytes) {
        q->stats.drop_length++;
        TRACE(drop, q, TRACE_DROP_LENGTH, 1);
        post(q, b);
        return NULL;
    }
    struct vnet_buf *fresh = replacement(q);
    if (!fresh) {
        q->stats.drop_alloc++;
        TRACE(drop, q, TRACE_DROP_ALLOC, 1);
        post(q, b);
        return NULL;
    }
    post(q, fresh);
    b->len = bytes - q->hdr_bytes;
    q->stats.packets++;
    q->stats.bytes += b->len;
    return b;
}

uint32_t vnet_rx_service(struct vnet_q *q, uint32_t budget)
{
    uint32_t done = 0;
    while (done < budget) {
        struct vnet_buf *batch[VNET_BATCH];
        uint32_t room = budget - done < VNET_BATCH ? budget - done : VNET_BATCH;
        uint32_t popped = 0, kept = 0, bytes;
        bool overlong;
        struct vnet_buf *b;
        while (popped < room && (b = vring_pop(&q->ring, &bytes, &overlong))) {
            popped++;
            b = take(q, b, bytes, overlong);
            if (b)
                batch[kept++] = b;
        }
        if (!popped)
            break;
        done += popped;
        TRACE(harvest, q, q->ring.harvested, popped);
        vnet_flush(q);
        if (kept)
            vnet_up_rx(q, batch, kept);
    }
    vnet_note_broken(q);
    return done;
}

uint32_t vnet_rx_fill(struct vnet_q *q)
{
    while (q->ring.free_count) {
        struct vnet_buf *b = vnet_up_alloc(q);
        if (!b) {
            TRACE(refill_short, q, q->ring.published, q->ring.free_count);
            return q->ring.free_count;
        }
        post(q, b);
    }
    return 0;
}
