/* Receive: harvest frames, put a fresh buffer in the place of each, hand the frames up. */
#include "mode.h"
#include "../trace/trace.h"
#include "../faultinj/fault.h"

static bool alloc_fails(struct vnet_q *q)
{
    (void)q;
    if (FAULT(rx_alloc, q))
        return true;
    return false;
}

/* Up to n buffers for as many harvested ones. */
static uint32_t replacements(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t want = 0;
    for (uint32_t i = 0; i < n; i++)
        want += !alloc_fails(q);
    return want ? vnet_up_alloc(q, bufs, want) : 0;
}

/* Posts n buffers. There is room: each takes the place that a pop or the start left free. Only a
 * ring that has broken meanwhile takes none. */
static void post(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    struct vring_item items[VNET_BATCH];
    uint32_t unused = VNET_HDR_BYTES - q->hdr_bytes;
    for (uint32_t i = 0; i < n; i++)
        items[i] = (struct vring_item){ bufs[i], env_dma_addr(bufs[i]->data + unused),
                                        bufs[i]->capacity - unused };
    uint32_t took = vring_add(&q->ring, items, n, true);
    q->stats.posted += took;
    if (took < n)
        vnet_up_free(q, bufs + took, n - took);
}

/* Sorts what was popped into frames, and buffers to be posted again because their length cannot be.
 * Returns the number of frames. */
static uint32_t frames_of(struct vnet_q *q, const struct vring_used *used, uint32_t n,
                          struct vnet_buf **frames, struct vnet_buf **again)
{
    uint32_t kept = 0, bad = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct vnet_buf *b = used[i].cookie;
        if (used[i].overlong || used[i].bytes < q->hdr_bytes) {
            again[bad++] = b;
            continue;
        }
        b->len = used[i].bytes - q->hdr_bytes;
        frames[kept++] = b;
    }
    if (bad) {
        q->stats.drop_length += bad;
        TRACE(drop, q, TRACE_DROP_LENGTH, bad);
    }
    return kept;
}

static void count_frames(struct vnet_q *q, struct vnet_buf **frames, uint32_t n)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += frames[i]->len;
    q->stats.packets += n;
    q->stats.bytes += bytes;
}

/* Takes up to room entries and hands their frames up. As many buffers are posted after as before:
 * the replacements are allocated first, and frames without one are dropped and their own buffers go
 * back, so a short pool costs frames but never starves the ring. Returns the entries taken. */
static uint32_t harvest(struct vnet_q *q, uint32_t room)
{
    struct vring_used used[VNET_BATCH];
    struct vnet_buf *frames[VNET_BATCH], *next[VNET_BATCH];
    uint32_t n = vring_pop(&q->ring, used, room);
    if (!n)
        return 0;
    uint32_t kept = frames_of(q, used, n, frames, next), posted = n - kept;
    uint32_t fresh = replacements(q, next + posted, kept);
    posted += fresh;
    if (fresh < kept) {
        q->stats.drop_alloc += kept - fresh;
        TRACE(drop, q, TRACE_DROP_ALLOC, kept - fresh);
    }
    for (; kept > fresh; kept--)
        next[posted++] = frames[kept - 1];
    post(q, next, posted);
    count_frames(q, frames, kept);
    TRACE(harvest, q, q->ring.harvested, n);
    vnet_flush(q);
    if (kept)
        vnet_up_rx(q, frames, kept);
    return n;
}

uint32_t vnet_rx_service(struct vnet_q *q, uint32_t budget)
{
    uint32_t done = 0, n = 1;
    while (done < budget && n) {
        n = harvest(q, budget - done < VNET_BATCH ? budget - done : VNET_BATCH);
        done += n;
    }
    vnet_note_broken(q);
    return done;
}

uint32_t vnet_rx_fill(struct vnet_q *q)
{
    while (q->ring.free_count) {
        struct vnet_buf *bufs[VNET_BATCH];
        uint32_t n = q->ring.free_count < VNET_BATCH ? q->ring.free_count : VNET_BATCH;
        n = vnet_up_alloc(q, bufs, n);
        if (!n) {
            TRACE(refill_short, q, q->ring.published, q->ring.free_count);
            return q->ring.free_count;
        }
        post(q, bufs, n);
    }
    return 0;
}
