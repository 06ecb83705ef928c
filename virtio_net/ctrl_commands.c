/* What can be asked of a device by its control queue, and how each command is laid out. */
#include "ctrl_send.h"

/* The data of a command, written piece by piece: byte by byte, so nothing need be aligned. */
struct data {
    uint8_t *at;
    uint32_t len;
};

/* There is an area to write to, and it is not the device's. 0 or a negative enum vnet_error. */
static int begin(struct vnet_dev *dev, struct data *d)
{
    if (!dev->ctrl.on || !dev->ctrl.area)
        return -VNET_E_CTRL_FEATURE;
    *d = (struct data){ .at = dev->ctrl.area->data };
    return -(int)dev->ctrl.ring.broken;
}

static void put(struct data *d, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        d->at[d->len++] = (uint8_t)(value >> 8 * i);
}

static int send(struct vnet_dev *dev, uint64_t feature, uint8_t class, uint8_t command,
                uint32_t len)
{
    return vnet_ctrl_send(dev, &(struct vnet_ctrl_command){ feature, class, command, len, 0 });
}

static void put_mac(struct data *d, const uint8_t mac[6])
{
    for (int i = 0; i < 6; i++)
        d->at[d->len++] = mac[i];
}

static uint32_t get32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

int vnet_ctrl_rx_mode(struct vnet_dev *dev, uint8_t mode, bool on)
{
    struct data d;
    uint64_t feature = mode >= VIRTIO_NET_CTRL_RX_ALLUNI ? VNET_F(CTRL_RX_EXTRA) : VNET_F(CTRL_RX);
    int error = begin(dev, &d);
    if (error)
        return error;
    put(&d, on, 1);
    return send(dev, feature, VIRTIO_NET_CTRL_RX, mode, d.len);
}

static void put_table(struct data *d, const uint8_t (*macs)[6], uint32_t n)
{
    put(d, n, 4);
    for (uint32_t i = 0; i < n; i++)
        put_mac(d, macs[i]);
}

int vnet_ctrl_mac_table(struct vnet_dev *dev, const uint8_t (*unicast)[6], uint32_t unicasts,
                        const uint8_t (*multicast)[6], uint32_t multicasts)
{
    struct data d;
    int error = begin(dev, &d);
    if (error)
        return error;
    if (unicasts > VNET_CTRL_DATA / 6 || 8 + 6 * (unicasts + (uint64_t)multicasts) > VNET_CTRL_DATA)
        return -VNET_E_CTRL_DATA;
    put_table(&d, unicast, unicasts);
    put_table(&d, multicast, multicasts);
    return send(dev, VNET_F(CTRL_RX), VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, d.len);
}

int vnet_ctrl_mac(struct vnet_dev *dev, const uint8_t mac[6])
{
    struct data d;
    int error = begin(dev, &d);
    if (error)
        return error;
    put_mac(&d, mac);
    error =
        send(dev, VNET_F(CTRL_MAC_ADDR), VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, d.len);
    for (int i = 0; i < 6 && !error; i++)
        dev->mac[i] = mac[i];
    return error;
}

int vnet_ctrl_vlan(struct vnet_dev *dev, uint16_t vid, bool add)
{
    struct data d;
    int error = begin(dev, &d);
    if (error)
        return error;
    put(&d, vid, 2);
    return send(dev, VNET_F(CTRL_VLAN), VIRTIO_NET_CTRL_VLAN,
                add ? VIRTIO_NET_CTRL_VLAN_ADD : VIRTIO_NET_CTRL_VLAN_DEL, d.len);
}

int vnet_ctrl_announced(struct vnet_dev *dev)
{
    /* Before the answer: an announcement that comes meanwhile is another one. */
    dev->announce = false;
    return send(dev, VNET_F(GUEST_ANNOUNCE), VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK,
                0);
}

int vnet_ctrl_pairs(struct vnet_dev *dev, uint16_t pairs)
{
    struct data d;
    int error = begin(dev, &d);
    if (error)
        return error;
    if (!pairs || pairs > dev->pairs)
        return -VNET_E_CTRL_DATA;
    put(&d, pairs, 2);
    /* "Automatic receive steering": fewer from the moment the command is posted, more once it is
     * done. */
    if (pairs < dev->pairs_used)
        dev->pairs_used = pairs;
    dev->rss_on = 0;
    error = send(dev, VNET_F(MQ), VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_PAIRS_SET, d.len);
    if (!error)
        dev->pairs_used = pairs;
    return error;
}

_Static_assert(11 + 2 * VNET_RSS_TABLE_MAX + VNET_RSS_KEY_BYTES <= VNET_CTRL_DATA, "RSS command");

/* "Setting RSS parameters": struct virtio_net_rss_config. A receive queue goes by half its index
 * there, which is its pair. */
static void put_rss(struct data *d, const struct vnet_rss *rss, uint16_t pairs)
{
    put(d, rss->hash_types, 4);
    put(d, rss->entries - 1u, 2);
    put(d, rss->unclassified, 2);
    for (unsigned i = 0; i < rss->entries; i++)
        put(d, rss->table[i], 2);
    put(d, pairs, 2); /* transmit queues */
    put(d, rss->key_bytes, 1);
    for (unsigned i = 0; i < rss->key_bytes; i++)
        put(d, rss->key[i], 1);
}

int vnet_ctrl_rss(struct vnet_dev *dev, const struct vnet_rss *rss)
{
    struct data d;
    int error = begin(dev, &d);
    if (!error)
        error = vnet_rss_check(dev, rss);
    if (error)
        return error;
    put_rss(&d, rss, dev->pairs);
    dev->rss_on = 0;
    error = send(dev, VNET_F(RSS), VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_RSS_CONFIG, d.len);
    if (error)
        return error;
    dev->pairs_used = dev->pairs;
    dev->rss = *rss;
    dev->rss_on = 1;
    return 0;
}

int vnet_ctrl_offloads(struct vnet_dev *dev, uint64_t offloads)
{
    const uint64_t all =
        VNET_F(GUEST_CSUM) | VNET_F(GUEST_TSO4) | VNET_F(GUEST_TSO6) | VNET_F(GUEST_ECN);
    struct data d;
    int error = begin(dev, &d);
    if (error)
        return error;
    if (offloads & ~(all & dev->features.accepted) ||
        vnet_features_supported(offloads, dev->features.accepted & ~all) != offloads)
        return -VNET_E_CTRL_DATA;
    put(&d, offloads, 8);
    return send(dev, VNET_F(CTRL_GUEST_OFFLOADS), VIRTIO_NET_CTRL_GUEST_OFFLOADS,
                VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, d.len);
}

int vnet_ctrl_coalesce(struct vnet_dev *dev, bool rx, struct vnet_coalesce c)
{
    struct data d;
    int error = begin(dev, &d);
    if (error)
        return error;
    put(&d, c.packets, 4);
    put(&d, c.usecs, 4);
    return send(dev, VNET_F(NOTF_COAL), VIRTIO_NET_CTRL_NOTF_COAL,
                rx ? VIRTIO_NET_CTRL_NOTF_COAL_RX_SET : VIRTIO_NET_CTRL_NOTF_COAL_TX_SET, d.len);
}

int vnet_ctrl_vq_coalesce(struct vnet_dev *dev, uint16_t queue, struct vnet_coalesce c)
{
    struct data d;
    int error = begin(dev, &d);
    if (error)
        return error;
    if (queue >= vnet_queues(dev))
        return -VNET_E_CTRL_DATA;
    put(&d, queue, 2);
    put(&d, 0, 2);
    put(&d, c.packets, 4);
    put(&d, c.usecs, 4);
    return send(dev, VNET_F(VQ_NOTF_COAL), VIRTIO_NET_CTRL_NOTF_COAL,
                VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET, d.len);
}

int vnet_ctrl_vq_coalesce_get(struct vnet_dev *dev, uint16_t queue, struct vnet_coalesce *c)
{
    struct vnet_ctrl_command get = { VNET_F(VQ_NOTF_COAL), VIRTIO_NET_CTRL_NOTF_COAL,
                                     VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET, 4, 8 };
    struct data d;
    int error = begin(dev, &d);
    if (error)
        return error;
    if (queue >= vnet_queues(dev))
        return -VNET_E_CTRL_DATA;
    put(&d, queue, 2);
    put(&d, 0, 2);
    error = vnet_ctrl_send(dev, &get);
    if (error)
        return error;
    c->packets = get32(dev->ctrl.area->result);
    c->usecs = get32(dev->ctrl.area->result + 4);
    return 0;
}
