/* Receive: harvest frames, hand them up, put a fresh buffer in the place of each. */
#include "rx_frame.h"
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
    uint32_t want = 0, got = 0, ask, k;
    for (uint32_t i = 0; i < n; i++)
        want += !alloc_fails(q);
    while (got < want) {
        ask = want - got < VNET_BATCH ? want - got : VNET_BATCH;
        k = vnet_up_alloc(q, bufs + got, ask);
        got += k;
        if (k < ask)
            break;
    }
    return got;
}

/* Posts n buffers. There is room: each takes the place that a pop or the start left free. Only a
 * ring that has broken meanwhile takes none. */
static void post(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    struct vring_item items[RX_BUFS_MAX];
    uint32_t unused = VNET_HDR_BYTES - q->hdr_bytes;
    for (uint32_t i = 0; i < n; i++) {
        bufs[i]->next = NULL; /* it may come from a frame that was dropped */
        items[i] = (struct vring_item){ bufs[i], env_dma_addr(bufs[i]->data + unused),
                                        bufs[i]->capacity - unused };
    }
    uint32_t took = vring_add(&q->ring, items, n, true);
    q->stats.posted += took;
    if (took < n)
        vnet_up_free(q, bufs + took, n - took);
}

/* Drops frames from the end until `fresh` buffers replace those of the others. */
static void drop_unreplaced(struct vnet_q *q, struct rx_batch *batch, struct vnet_buf **next,
                            uint32_t fresh, uint32_t wanted)
{
    uint32_t dropped = 0;
    while (wanted > fresh) {
        wanted -= vnet_rx_drop_last(batch);
        dropped++;
    }
    q->stats.drop_alloc += dropped;
    TRACE(drop, q, TRACE_DROP_ALLOC, dropped);
    /* The last to fall had more buffers than were short. */
    if (fresh > wanted)
        vnet_up_free(q, next + wanted, fresh - wanted);
    for (uint32_t i = 0; i < wanted; i++)
        batch->again[batch->again_used++] = next[i];
}

/* Brings buffers for those of the frames. As many are posted after as before: they are allocated
 * first, and frames without one are dropped and their own go back, so a short pool costs frames but
 * never starves the ring. */
static void replace(struct vnet_q *q, struct rx_batch *batch, uint32_t wanted)
{
    struct vnet_buf **room = batch->again + batch->again_used, *next[RX_BUFS_MAX];
    uint32_t fresh = replacements(q, room, wanted);
    if (fresh == wanted) {
        batch->again_used += fresh;
        return;
    }
    for (uint32_t i = 0; i < fresh; i++)
        next[i] = room[i];
    drop_unreplaced(q, batch, next, fresh, wanted);
}

static void hand_up(struct vnet_q *q, struct rx_batch *batch)
{
    if (batch->frames_used)
        vnet_up_rx(q, batch->frames, batch->frames_used);
}

/* Takes up to room entries, and what the last frame has beyond them, and hands the frames up.
 * Returns the entries taken. */
static uint32_t harvest(struct vnet_q *q, uint32_t room)
{
    struct rx_batch batch;
    uint32_t n = vnet_rx_take(q, &batch, room);
    if (!n)
        return 0;
    replace(q, &batch, n - batch.again_used);
    q->stats.packets += batch.frames_used;
    q->stats.bytes += batch.bytes;
    TRACE(harvest, q, q->ring.harvested, n);
    if (FAULT(ring_break, q))
        vring_break(&q->ring, VNET_E_USED_JUMP);
    /* All there was, and not much: the device has buffers enough, and an answer to these frames
     * need not wait until it has more. */
    bool first = n < room && n < q->ring.size / 2;
    if (first)
        hand_up(q, &batch);
    post(q, batch.again, batch.again_used);
    vnet_flush(q);
    if (!first)
        hand_up(q, &batch);
    return n;
}

uint32_t vnet_rx_service(struct vnet_q *q, uint32_t budget)
{
    uint32_t done = 0, room, n;
    /* Less than there was room for was all: to look again takes the device's cache line from it. */
    do {
        room = budget - done < VNET_BATCH ? budget - done : VNET_BATCH;
        n = harvest(q, room);
        done += n;
    } while (n >= room && done < budget);
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
