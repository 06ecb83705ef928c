/* The life of a device: reset, negotiation, queues, DRIVER_OK, and the way back. */
#include "mode.h"
#include "wait.h"
#include "../trace/trace.h"

#define CONFIG_TRIES    16
#define MTU_MIN         68u /* "Device configuration layout" */
#define ETHERNET_HEADER 14u
#define VLAN_TAG        4u

const char *vnet_error_text(int error)
{
    static const char *const text[] = {
        "no error",
#define ERROR(name, text) text,
#include "errors.def"
    };
    unsigned i = (unsigned)(error < 0 ? -error : error);
    return i < sizeof(text) / sizeof(text[0]) ? text[i] : "unknown error";
}

static void status_add(struct vnet_transport *t, uint8_t bit)
{
    t->ops->status_set(t, t->ops->status_get(t) | bit);
}

static int fail(struct vnet_transport *t, int error)
{
    status_add(t, VIRTIO_STATUS_FAILED);
    return error;
}

/* "Device configuration layout": without MAC the driver makes one, locally administered; it keeps
 * it over restarts. */
static void make_mac(uint8_t mac[6])
{
    uint64_t now = env_now() * 0x9e3779b97f4a7c15ull;
    if (mac[0])
        return;
    for (int i = 1; i < 6; i++)
        mac[i] = (uint8_t)(now >> 8 * i);
    mac[0] = 2;
}

static uint16_t config16(struct vnet_transport *t, size_t field)
{
    return t->ops->config_read16(t, (uint32_t)field);
}
#define CONFIG16(t, field) config16(t, offsetof(struct virtio_net_config, field))

/* "Driver Requirements: Device Configuration Space": fields wider than 32 bit, and several fields
 * together, are read again if the generation changed meanwhile. */
static int read_config(struct vnet_dev *dev)
{
    struct vnet_transport *t = dev->transport;
    for (int i = 0; i < CONFIG_TRIES; i++) {
        uint32_t before = t->ops->config_generation(t);
        uint16_t status = VIRTIO_NET_S_LINK_UP;
        if (dev->features.accepted & VNET_F(MAC)) {
            for (uint32_t j = 0; j < 6; j++)
                dev->mac[j] = t->ops->config_read8(t, j);
        }
        if (dev->features.accepted & VNET_F(STATUS))
            status = CONFIG16(t, status);
        if (t->ops->config_generation(t) == before) {
            dev->link_up = status & VIRTIO_NET_S_LINK_UP;
            dev->announce |=
                dev->features.accepted & VNET_F(GUEST_ANNOUNCE) && status & VIRTIO_NET_S_ANNOUNCE;
            return 0;
        }
    }
    return -VNET_E_CONFIG;
}

void vnet_config_changed(struct vnet_dev *dev)
{
    dev->config_changes++;
    /* A configuration that does not come to rest is announced again when it does. */
    read_config(dev);
}

static int choose_layout(struct vnet_q *q, uint16_t asked)
{
    uint64_t accepted = q->dev->features.accepted;
    q->layout.packed = accepted & VNET_F(RING_PACKED);
    q->layout.event_idx = accepted & VNET_F(EVENT_IDX);
    /* Receive buffers are of one part: they need no tables. */
    if (accepted & VNET_F(INDIRECT_DESC) && !vnet_is_rx(q))
        q->layout.indirect_parts = VNET_INDIRECT_PARTS;
    q->layout.start = VRING_START(q->layout.packed);
    q->layout.legacy = q->dev->transport->legacy;
    uint16_t max = q->dev->transport->ops->queue_max(q->dev->transport, q->index);
    if (!max)
        return -VNET_E_NO_QUEUE;
    q->layout.size = asked ? asked : max;
    if (q->layout.size > max)
        return -VNET_E_QUEUE_SIZE;
    /* A device of any size, for a packed ring, gets the largest split ring that it can hold. */
    while (!asked && !q->layout.packed && q->layout.size & (q->layout.size - 1))
        q->layout.size &= (uint16_t)(q->layout.size - 1);
    return vring_size_ok(&q->layout) ? 0 : -VNET_E_QUEUE_SIZE;
}

/* "Legacy Interface: Device Operation": without VERSION_1 and MRG_RXBUF, no num_buffers. */
static uint16_t header_bytes(const struct vnet_dev *dev)
{
    bool full = !dev->transport->legacy || dev->features.accepted & VNET_F(MRG_RXBUF);
    return full ? VNET_HDR_BYTES : VIRTIO_NET_HDR_LEGACY_BYTES;
}

/* Bits that the driver takes only if it can make something of what the device says beside them:
 * "MTU" and "Receive-side scaling (RSS)". */
static uint64_t wanted(struct vnet_dev *dev, const struct vnet_config *cfg, uint64_t offered)
{
    struct vnet_transport *t = dev->transport;
    uint64_t want = cfg->want;
    dev->mtu = VNET_FRAME_MAX - ETHERNET_HEADER;
    if (want & offered & VNET_F(RSS) && !vnet_rss_limits(t, &dev->rss_limits))
        want &= ~VNET_F(RSS);
    if (!(want & offered & VNET_F(MTU)))
        return want;
    uint16_t mtu = CONFIG16(t, mtu);
    if (mtu < MTU_MIN || (mtu > dev->mtu && !(want & offered & VNET_F(MRG_RXBUF))))
        return want & ~VNET_F(MTU);
    dev->mtu = mtu;
    return want;
}

/* How many pairs to set up, and where the control queue is: after all that the device has. */
static int count_queues(struct vnet_dev *dev, const struct vnet_config *cfg, uint16_t *ctrl)
{
    uint16_t most = 1;
    if (dev->features.accepted & (VNET_F(MQ) | VNET_F(RSS)))
        most = CONFIG16(dev->transport, max_virtqueue_pairs);
    if (!most || most > VIRTIO_NET_PAIRS_MAX)
        return -VNET_E_PAIRS;
    *ctrl = (uint16_t)(VNET_QUEUES * most);
    dev->pairs = cfg->pairs ? cfg->pairs : 1;
    if (dev->pairs > most)
        dev->pairs = most;
    if (dev->pairs > VNET_PAIRS_MAX)
        dev->pairs = VNET_PAIRS_MAX;
    return 0;
}

static int attach_queues(struct vnet_dev *dev, const struct vnet_config *cfg)
{
    uint16_t ctrl;
    int error = count_queues(dev, cfg, &ctrl);
    for (uint16_t i = 0; i < vnet_queues(dev) && !error; i++) {
        struct vnet_q *q = &dev->q[i];
        q->dev = dev;
        q->index = i;
        q->hdr_bytes = header_bytes(dev);
        q->merges = dev->features.accepted & VNET_F(MRG_RXBUF);
        q->vector = cfg->vector[i];
        /* "MTU": without it the device takes what it takes. */
        q->len_max = dev->features.accepted & VNET_F(MTU) ? dev->mtu + ETHERNET_HEADER + VLAN_TAG
                                                          : UINT32_MAX;
        error = choose_layout(q, cfg->ring_size[i % VNET_QUEUES]);
    }
    if (!error && dev->features.accepted & VNET_F(CTRL_VQ))
        error = vnet_ctrl_attach(dev, ctrl);
    return error;
}

int vnet_reattach(struct vnet_dev *dev)
{
    struct vnet_transport *t = dev->transport;
    const struct vnet_config *cfg = &dev->config;
    dev->announce = false;
    dev->ctrl.on = false;
    int error = vnet_wait_reset(t);
    if (error)
        return error;
    status_add(t, VIRTIO_STATUS_ACKNOWLEDGE);
    status_add(t, VIRTIO_STATUS_DRIVER);
    /* Read once: a device that offers something else the next time would get an MTU, say, for
     * buffers that were not negotiated. */
    uint64_t offered = t->ops->features_get(t);
    error = vnet_features_negotiate(&dev->features, t, offered, wanted(dev, cfg, offered));
    if (!error)
        error = t->ops->set_config_vector(t, cfg->config_vector);
    if (!error && !(dev->features.accepted & VNET_F(MAC)))
        make_mac(dev->mac);
    if (!error)
        error = read_config(dev);
    if (!error)
        error = attach_queues(dev, cfg);
    return error ? fail(t, error) : 0;
}

int vnet_queue_setup(struct vnet_q *q, void *memory, void *shadow)
{
    struct vnet_transport *t = q->dev->transport;
    int error = vring_init(&q->ring, &q->layout, memory, shadow);
    if (error)
        return error;
    struct vnet_ring_addr addr;
    vring_addresses(&q->ring, &addr);
    error = t->ops->queue_setup(t, q->index, q->layout.size, &addr, q->vector, &q->bell);
    return error ? error : vnet_wait_queue_enabled(t, q->index);
}

int vnet_attach(struct vnet_dev *dev, struct vnet_transport *t, const struct vnet_config *cfg)
{
    *dev = (struct vnet_dev){ .transport = t, .config = *cfg };
    return vnet_reattach(dev);
}

static int setup_queues(struct vnet_dev *dev, void *const *memory, void *const *shadow)
{
    uint16_t n = vnet_queues(dev);
    int error = 0;
    for (int i = 0; i < n && !error; i++)
        error = vnet_queue_setup(&dev->q[i], memory[i], shadow[i]);
    if (!error && dev->ctrl.on)
        error = vnet_ctrl_setup(dev, memory[n], shadow[n]);
    for (int i = VNET_RX; i < n && !error; i += VNET_QUEUES) {
        if (vnet_rx_fill(&dev->q[i]) == dev->q[i].layout.size)
            error = -VNET_E_MEMORY;
    }
    return error;
}

/* Until it is told, the device uses the first pair alone. One that refuses RSS is asked for its own
 * way to spread frames, and one that refuses that too goes on as it was. */
static int use_all_pairs(struct vnet_dev *dev)
{
    int error = -VNET_E_CTRL_FEATURE;
    dev->pairs_used = 1;
    dev->rss_on = 0;
    if (dev->pairs == 1)
        return 0;
    if (dev->features.accepted & VNET_F(RSS))
        error = vnet_rss_start(dev);
    if ((error == -VNET_E_CTRL_FEATURE || error == -VNET_E_CTRL_REFUSED) &&
        dev->features.accepted & VNET_F(MQ))
        error = vnet_ctrl_pairs(dev, dev->pairs);
    return error == -VNET_E_CTRL_REFUSED ? 0 : error;
}

int vnet_start(struct vnet_dev *dev, void *const *memory, void *const *shadow)
{
    for (int i = 0; i < vnet_queues(dev) + dev->ctrl.on; i++) {
        dev->memory[i] = memory[i];
        dev->shadow[i] = shadow[i];
    }
    int error = setup_queues(dev, memory, shadow);
    if (error)
        return fail(dev->transport, error);
    for (int i = 0; i < vnet_queues(dev); i++) {
        TRACE(vq_start, &dev->q[i], 0, dev->q[i].layout.size);
        mode_start(&dev->q[i]);
    }
    /* Buffers may be in the ring before DRIVER_OK, a kick may not ("Device Initialization"). */
    status_add(dev->transport, VIRTIO_STATUS_DRIVER_OK);
    for (int i = VNET_RX; i < vnet_queues(dev); i += VNET_QUEUES)
        vnet_flush(&dev->q[i]);
    error = use_all_pairs(dev);
    return error ? fail(dev->transport, error) : 0;
}

int vnet_stop(struct vnet_dev *dev, void (*give_back)(struct vnet_q *q, struct vnet_buf *buf))
{
    int error = vnet_wait_reset(dev->transport);
    if (error)
        return error;
    for (int i = 0; i < vnet_queues(dev); i++)
        vnet_queue_empty(&dev->q[i], give_back);
    return 0;
}

void vnet_note_broken(struct vnet_q *q)
{
    if (!q->ring.broken || q->stats.broken)
        return;
    q->stats.broken = 1;
    TRACE(broken, q, q->ring.broken, q->ring.harvested);
}

int vnet_check(const struct vnet_q *q)
{
    return vring_check(&q->ring);
}
