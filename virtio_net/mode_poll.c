/* Mode poll: no interrupt is ever asked for. The port calls vnet_poll in a loop; latency is the
 * loop's period and the CPU is always busy. */
#include "mode.h"
#include "../trace/trace.h"

const struct vnet_mode vnet_mode = { .name = "poll" };

void mode_start(struct vnet_q *q)
{
    vnet_irq_mask(q);
}

void mode_irq(struct vnet_q *q, uint16_t waiting)
{
    (void)q;
    (void)waiting;
}

void mode_sent(struct vnet_q *q)
{
    (void)q;
}

struct vnet_poll_result vnet_poll(struct vnet_q *q, uint32_t budget)
{
    struct vnet_poll_result r = { .done = vnet_service(q, budget), .again = true };
    vring_repark(&q->ring);
    vnet_count_poll(q, r.done);
    if (r.done)
        TRACE(poll, q, q->ring.harvested, r.done);
    return r;
}
