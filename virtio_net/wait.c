#include "wait.h"
#include "vring.h"

/* Devices answer in microseconds; a broken one must not hang us. */
#define DEADLINE_NS 100000000ull

static int wait_for(bool (*settled)(struct vnet_transport *t, uint16_t queue),
                    struct vnet_transport *t, uint16_t queue, enum vnet_error late)
{
    uint64_t start = env_now();
    for (;;) {
        /* The clock before the look: a CPU taken away in between must not pass for a timeout. */
        bool over = env_now() - start > DEADLINE_NS;
        if (settled(t, queue))
            return 0;
        if (over)
            return -(int)late;
        env_relax();
    }
}

static bool status_is_zero(struct vnet_transport *t, uint16_t queue)
{
    (void)queue;
    return t->ops->status_get(t) == 0;
}

int vnet_wait_reset(struct vnet_transport *t)
{
    t->ops->reset(t);
    return wait_for(status_is_zero, t, 0, VNET_E_RESET_TIMEOUT);
}

static bool features_are_ok(struct vnet_transport *t, uint16_t queue)
{
    (void)queue;
    return t->ops->status_get(t) & VIRTIO_STATUS_FEATURES_OK;
}

int vnet_wait_features_ok(struct vnet_transport *t)
{
    t->ops->status_set(t, t->ops->status_get(t) | VIRTIO_STATUS_FEATURES_OK);
    return wait_for(features_are_ok, t, 0, VNET_E_FEATURES_REFUSED);
}

int vnet_wait_queue_enabled(struct vnet_transport *t, uint16_t queue)
{
    return wait_for(t->ops->queue_enabled, t, queue, VNET_E_ENABLE_TIMEOUT);
}

/* Both: QEMU's virtio-mmio offers RING_RESET, has no such register, and reads as "over" at once. */
static bool queue_is_free(struct vnet_transport *t, uint16_t queue)
{
    return t->ops->queue_reset_over(t, queue) && !t->ops->queue_enabled(t, queue);
}

int vnet_wait_queue_reset(struct vnet_transport *t, uint16_t queue)
{
    int error = t->ops->queue_reset(t, queue);
    return error ? error : wait_for(queue_is_free, t, queue, VNET_E_QUEUE_RESET_TIMEOUT);
}
