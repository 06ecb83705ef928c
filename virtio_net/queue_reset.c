/* One queue reset and set up again while the device runs. */
#include "mode.h"
#include "wait.h"
#include "../trace/trace.h"

void vnet_queue_empty(struct vnet_q *q, void (*give_back)(struct vnet_q *q, struct vnet_buf *buf))
{
    struct vnet_buf *b;
    while ((b = vring_reclaim(&q->ring))) {
        q->stats.given_back++;
        give_back(q, b);
    }
}

int vnet_queue_reset(struct vnet_q *q, void (*give_back)(struct vnet_q *q, struct vnet_buf *buf))
{
    int error = vnet_wait_queue_reset(q->dev->transport, q->index);
    if (!error)
        vnet_queue_empty(q, give_back);
    return error;
}

int vnet_queue_restart(struct vnet_q *q, void *memory, void *shadow)
{
    int error = vnet_queue_setup(q, memory, shadow);
    if (error)
        return error;
    /* The watchdog's last look was at the ring that was. */
    q->watched_ns = 0;
    q->stats.broken = 0;
    if (vnet_is_rx(q) && vnet_rx_fill(q) == q->layout.size)
        return -VNET_E_MEMORY;
    TRACE(vq_start, q, 0, q->layout.size);
    mode_start(q);
    vnet_flush(q);
    return 0;
}
