/* Interrupts: entry, masking, arming, and the watchdog for the one that never came. */
#include "mode.h"
#include "../trace/trace.h"
#include "../faultinj/fault.h"

void vnet_irq(struct vnet_q *q)
{
    if (FAULT(irq_drop, q))
        return;
    uint16_t waiting = vring_pending(&q->ring);
    q->stats.irqs++;
    if (waiting) {
        TRACE(irq, q, q->ring.harvested + waiting, q->vector);
    } else {
        q->stats.irqs_spurious++;
        TRACE(irq_spurious, q, q->ring.harvested, q->vector);
    }
    mode_irq(q, waiting);
}

/* The entries that the armed interrupt announces wait, or a send has taken them up already. */
static bool due(const struct vnet_q *q, uint16_t waiting)
{
    return !q->ring.masked && q->ring.harvested + waiting >= q->armed_until;
}

void vnet_irq_any(struct vnet_dev *dev)
{
    bool any = false;
    for (int i = 0; i < vnet_queues(dev); i++) {
        struct vnet_q *q = &dev->q[i];
        bool waiting = vring_pending(&q->ring) > 0;
        any |= waiting;
        if (waiting)
            vnet_irq(q);
        else if (q->ring.event_idx && due(q, 0))
            mode_irq(q, 0);
    }
    if (!any)
        vnet_irq(&dev->q[VNET_RX]);
}

/* What happened between the last look and the acknowledgement raises no interrupt any more. */
static void look_again(struct vnet_dev *dev, uint8_t causes)
{
    if (causes & VIRTIO_ISR_CONFIG)
        vnet_config_changed(dev);
    for (int i = 0; i < vnet_queues(dev); i++) {
        struct vnet_q *q = &dev->q[i];
        uint16_t waiting = vring_pending(&q->ring);
        if (waiting && due(q, waiting))
            mode_irq(q, waiting);
    }
}

bool vnet_irq_shared(struct vnet_dev *dev)
{
    const struct vnet_transport_ops *ops = dev->transport->ops;
    /* Read before draining: on PCI the read acknowledges, so what is used after it raises the line
     * anew. */
    uint8_t causes = ops->isr_read(dev->transport) & (VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
    if (causes & VIRTIO_ISR_CONFIG)
        vnet_config_changed(dev);
    if (causes & VIRTIO_ISR_QUEUE)
        vnet_irq_any(dev);
    if (causes && ops->irq_ack) {
        ops->irq_ack(dev->transport, causes);
        look_again(dev, causes);
    }
    return causes;
}

void vnet_irq_mask(struct vnet_q *q)
{
    if (q->ring.masked)
        return;
    uint16_t word = vring_mask(&q->ring);
    (void)word;
    TRACE(irq_mask, q, q->ring.harvested, word);
}

uint16_t vnet_irq_arm(struct vnet_q *q, uint16_t after)
{
    uint16_t word;
    /* With flags the first entry interrupts already. */
    q->armed_until = q->ring.harvested + (q->ring.event_idx ? after : 1);
    q->stats.arms++;
    uint16_t found = vring_arm(&q->ring, after, &word);
    if (!found) {
        TRACE(irq_arm, q, q->ring.harvested, word);
        return 0;
    }
    q->stats.arm_races++;
    TRACE(arm_race, q, q->ring.harvested, found);
    return found;
}

bool vnet_watchdog(struct vnet_q *q, uint64_t now, uint64_t patience_ns)
{
    uint16_t waiting = vring_pending(&q->ring);
    bool overdue = waiting && due(q, waiting);
    if (!overdue || q->watched != q->ring.harvested || !q->watched_ns) {
        q->watched = q->ring.harvested;
        q->watched_ns = overdue ? now : 0;
        return false;
    }
    if (now - q->watched_ns < patience_ns)
        return false;
    q->stats.rescues++;
    TRACE(rescue, q, q->ring.harvested, now - q->watched_ns);
    q->watched_ns = 0;
    mode_irq(q, waiting);
    return true;
}
