/* The way back from a broken ring or a device that says it needs a reset. */
#include "mode.h"

int vnet_broken(const struct vnet_dev *dev)
{
    for (int i = 0; i < vnet_queues(dev); i++) {
        if (dev->q[i].ring.broken)
            return -(int)dev->q[i].ring.broken;
    }
    return dev->ctrl.on ? -(int)dev->ctrl.ring.broken : 0;
}

int vnet_needs_reset(struct vnet_dev *dev)
{
    struct vnet_transport *t = dev->transport;
    return t->ops->status_get(t) & VIRTIO_STATUS_NEEDS_RESET ? -VNET_E_NEEDS_RESET : 0;
}

struct room { /* of the memory that there is */
    size_t ring[VNET_QUEUES_MAX + 1], shadow[VNET_QUEUES_MAX + 1];
    int n;
};

static void measure(const struct vnet_dev *dev, struct room *r)
{
    r->n = vnet_queues(dev);
    for (int i = 0; i < r->n; i++) {
        r->ring[i] = vring_bytes(&dev->q[i].layout);
        r->shadow[i] = vring_shadow_bytes(&dev->q[i].layout);
    }
    if (dev->ctrl.on) {
        r->ring[r->n] = vnet_ctrl_bytes(dev);
        r->shadow[r->n] = vring_shadow_bytes(&dev->ctrl.layout);
        r->n++;
    }
}

static bool suffices(const struct room *had, const struct room *needs)
{
    if (needs->n != had->n)
        return false;
    for (int i = 0; i < needs->n; i++) {
        if (needs->ring[i] > had->ring[i] || needs->shadow[i] > had->shadow[i])
            return false;
    }
    return true;
}

int vnet_restart(struct vnet_dev *dev, void (*give_back)(struct vnet_q *q, struct vnet_buf *buf))
{
    struct room had, needs;
    measure(dev, &had);
    int error = vnet_stop(dev, give_back);
    if (!error)
        error = vnet_reattach(dev);
    if (error)
        return error;
    measure(dev, &needs);
    if (!suffices(&had, &needs))
        return -VNET_E_CHANGED;
    for (int i = 0; i < vnet_queues(dev); i++) {
        /* The watchdog's last look was at the ring that was. */
        dev->q[i].watched_ns = 0;
        dev->q[i].stats.broken = 0;
    }
    error = vnet_start(dev, dev->memory, dev->shadow);
    dev->restarts += !error;
    return error;
}
