/* Transmit: queue frames, reclaim the sent ones, and the one kick decision for both queues. */
#include "mode.h"
#include "../trace/trace.h"

uint32_t vnet_tx_reclaim(struct vnet_q *q, uint32_t budget)
{
    uint32_t done = 0;
    while (done < budget) {
        struct vring_used used[VNET_BATCH];
        struct vnet_buf *batch[VNET_BATCH];
        uint32_t room = budget - done < VNET_BATCH ? budget - done : VNET_BATCH;
        uint32_t n = vring_pop(&q->ring, used, room);
        if (!n)
            break;
        /* The used length of a transmit buffer says nothing ("Transmitting Packets": the device
         * wrote nothing), and devices that claim otherwise exist: ignored. */
        for (uint32_t i = 0; i < n; i++) {
            batch[i] = used[i].cookie;
            q->stats.bytes += batch[i]->len;
        }
        done += n;
        q->stats.packets += n;
        TRACE(harvest, q, q->ring.harvested, n);
        vnet_up_tx_done(q, batch, n);
    }
    vnet_note_broken(q);
    return done;
}

static uint32_t add_batch(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    struct vring_item items[VNET_BATCH];
    uint32_t unused = VNET_HDR_BYTES - q->hdr_bytes;
    for (uint32_t i = 0; i < n; i++) {
        struct vnet_buf *b = bufs[i];
        *(struct virtio_net_hdr *)b->data = (struct virtio_net_hdr){ 0 };
        items[i] = (struct vring_item){ b, env_dma_addr(b->data + unused), q->hdr_bytes + b->len };
    }
    return vring_add(&q->ring, items, n, false);
}

uint32_t vnet_tx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    /* Reclaiming while a quarter is still free keeps senders from ever waiting for the interrupt
     * of a ring that the device has long emptied. */
    if (q->ring.free_count < q->ring.size / 4 || q->ring.free_count < n)
        vnet_tx_reclaim(q, UINT32_MAX);
    uint32_t k = 0, took, batch;
    do {
        batch = n - k < VNET_BATCH ? n - k : VNET_BATCH;
        took = add_batch(q, bufs + k, batch);
        k += took;
    } while (took == batch && k < n);
    q->stats.posted += k;
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
    if (q->index == VNET_TX)
        mode_sent(q);
}
