/* Mode intr: the classic driver. Every interrupt harvests all there is, in interrupt context, and
 * interrupts stay wanted throughout: the device alone decides how many there are. */
#include "mode.h"
#include "../trace/trace.h"

const struct vnet_mode vnet_mode = { .name = "intr", .uses_irqs = true, .works_in_irq = true };

void mode_start(struct vnet_q *q)
{
    vnet_irq_arm(q, 1);
}

/* With flags the interrupt was never off, so one that came during the harvest is latched and will
 * be taken; only used_event must follow the index, and be looked behind. */
static bool more_to_do(struct vnet_q *q)
{
    return q->ring.event_idx ? vnet_irq_arm(q, 1) > 0 : vring_pending(&q->ring) > 0;
}

/* With nothing waiting too: a send may have taken the announced entries before the interrupt came,
 * and used_event must then be moved on, or it stays behind the index and matches no more. */
void mode_irq(struct vnet_q *q, uint16_t waiting)
{
    (void)waiting;
    do
        vnet_service(q, UINT32_MAX);
    while (more_to_do(q));
}

void mode_sent(struct vnet_q *q)
{
    (void)q;
}

struct vnet_poll_result vnet_poll(struct vnet_q *q, uint32_t budget)
{
    struct vnet_poll_result r = { .done = vnet_service(q, budget) };
    r.again = more_to_do(q);
    vnet_count_poll(q, r.done);
    if (r.done)
        TRACE(poll, q, q->ring.harvested, r.done);
    return r;
}
