/* Mode hybrid: as NAPI does. An interrupt masks the queue and schedules a poll; polls run with a
 * budget outside interrupt context until the ring is empty, and only then is the interrupt armed
 * again, with the recheck that closes the race. Under load the ring is never empty, so interrupts
 * die away; idle costs nothing. */
#include "mode.h"
#include "../trace/trace.h"

const struct vnet_mode vnet_mode = { .name = "hybrid", .uses_irqs = true };

/* Receive: the next frame. Transmit: three quarters of what is in flight, as nobody waits for a
 * completion but the pool; the last ones are waited for one by one, so the ring always drains. */
static uint16_t arm_distance(const struct vnet_q *q)
{
    if (vnet_is_rx(q))
        return 1;
    uint32_t in_flight = (uint32_t)(q->ring.published - q->ring.harvested);
    uint32_t after = in_flight * 3 / 4;
    return after ? (uint16_t)after : 1;
}

static bool nothing_in_flight(const struct vnet_q *q)
{
    return q->ring.published == q->ring.harvested;
}

void mode_start(struct vnet_q *q)
{
    if (vnet_is_rx(q))
        vnet_irq_arm(q, 1);
    else
        vnet_irq_mask(q);
}

void mode_irq(struct vnet_q *q, uint16_t waiting)
{
    (void)waiting;
    vnet_irq_mask(q);
    vnet_up_schedule(q);
}

/* A completed frame found here is taken at once: it saves the interrupt that would announce it. */
void mode_sent(struct vnet_q *q)
{
    do
        vnet_tx_reclaim(q, UINT32_MAX);
    while (!nothing_in_flight(q) && vnet_irq_arm(q, arm_distance(q)));
}

struct vnet_poll_result vnet_poll(struct vnet_q *q, uint32_t budget)
{
    /* An interrupt that came while the last arm was under way found the queue masked still. */
    vnet_irq_mask(q);
    struct vnet_poll_result r = { .done = vnet_service(q, budget) };
    vnet_count_poll(q, r.done);
    if (r.done)
        TRACE(poll, q, q->ring.harvested, r.done);
    if (r.done >= budget) {
        q->stats.polls_budget++;
        TRACE(budget_out, q, q->ring.harvested, budget);
        r.again = true;
    } else if (!vnet_is_rx(q) && nothing_in_flight(q)) {
        vnet_irq_mask(q);
    } else {
        r.again = vnet_irq_arm(q, arm_distance(q)) > 0;
    }
    vring_repark(&q->ring);
    return r;
}
