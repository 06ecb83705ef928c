/* The control queue itself: set-up, and a command's way there and back. */
#include "ctrl_send.h"

/* Longer than that of a register: a command may wait for the backend. */
#define DEADLINE_NS 1000000000ull

#define RING_MAX 16 /* one command at a time takes three descriptors */

static size_t area_offset(const struct vnet_ctrl *c)
{
    return (vring_bytes(&c->layout) + 15) & ~(size_t)15;
}

size_t vnet_ctrl_bytes(const struct vnet_dev *dev)
{
    return area_offset(&dev->ctrl) + sizeof(struct vnet_ctrl_area);
}

int vnet_ctrl_attach(struct vnet_dev *dev, uint16_t index)
{
    struct vnet_transport *t = dev->transport;
    struct vnet_ctrl *c = &dev->ctrl;
    uint16_t max = t->ops->queue_max(t, index);
    c->on = true;
    c->index = index;
    c->area = NULL;
    c->layout = dev->q[VNET_TX].layout;
    c->layout.indirect_parts = 0;
    c->layout.size = t->legacy || max < RING_MAX ? max : RING_MAX;
    return max < 3 || !vring_size_ok(&c->layout) ? -VNET_E_CTRL_QUEUE : 0;
}

int vnet_ctrl_setup(struct vnet_dev *dev, void *memory, void *shadow)
{
    struct vnet_transport *t = dev->transport;
    struct vnet_ctrl *c = &dev->ctrl;
    int error = vring_init(&c->ring, &c->layout, memory, shadow);
    if (error)
        return error;
    struct vnet_ring_addr addr;
    vring_addresses(&c->ring, &addr);
    c->area = (struct vnet_ctrl_area *)((uint8_t *)memory + area_offset(c));
    error = t->ops->queue_setup(t, c->index, c->layout.size, &addr, VIRTIO_MSI_NO_VECTOR, &c->bell);
    if (error)
        return error;
    vring_mask(&c->ring);
    return vnet_wait_queue_enabled(t, c->index);
}

static int add(struct vnet_ctrl *c, const struct vnet_ctrl_command *command)
{
    struct vring_part parts[3] = {
        { env_dma_addr(&c->area->header), sizeof(c->area->header) },
        { env_dma_addr(c->area->data), command->len },
    };
    unsigned readable = command->len ? 2 : 1;
    parts[readable] = (struct vring_part){ env_dma_addr(&c->area->ack),
                                           (uint32_t)sizeof(c->area->ack) + command->result };
    return vring_add_parts(&c->ring, c, parts, readable, 1);
}

static int await(struct vnet_ctrl *c)
{
    uint64_t start = env_now();
    for (;;) {
        struct vring_used used;
        /* The clock before the look: a CPU taken away in between must not pass for a timeout. */
        bool over = env_now() - start > DEADLINE_NS;
        if (vring_pop(&c->ring, &used, 1))
            return 0;
        if (over)
            vring_break(&c->ring, VNET_E_CTRL_TIMEOUT);
        if (c->ring.broken)
            return -(int)c->ring.broken;
        env_relax();
    }
}

int vnet_ctrl_send(struct vnet_dev *dev, const struct vnet_ctrl_command *command)
{
    struct vnet_ctrl *c = &dev->ctrl;
    uint16_t word;
    if (!c->on || !(dev->features.accepted & command->feature))
        return -VNET_E_CTRL_FEATURE;
    if (c->ring.broken)
        return -(int)c->ring.broken;
    c->area->header = (struct virtio_net_ctrl_hdr){ command->class, command->command };
    c->area->ack = VIRTIO_NET_CTRL_ERR; /* until the device says otherwise */
    add(c, command);                    /* there is room: nothing else is in the ring */
    vring_publish(&c->ring);
    if (vring_kick_needed(&c->ring, &word) == VRING_KICK_SEND)
        env_doorbell(c->bell);
    c->commands++;
    int error = await(c);
    if (error)
        return error;
    vring_repark(&c->ring);
    if (c->area->ack == VIRTIO_NET_CTRL_OK)
        return 0;
    c->refused++;
    return -VNET_E_CTRL_REFUSED;
}
