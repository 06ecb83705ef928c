/* Receive-side scaling: what the device can, what it is told, and what it may be told. */
#include "vnet.h"
#include "transport.h"

_Static_assert(VNET_RSS_KEY_BYTES <= VIRTIO_NET_RSS_KEY_LEAST, "every device takes our keys");
_Static_assert(VNET_PAIRS_MAX <= UINT8_MAX, "a pair is a byte in struct vnet_rss");

static uint32_t at(size_t field)
{
    return (uint32_t)field;
}
#define AT(field) at(offsetof(struct virtio_net_config, field))

/* Each field is a bound of its own, so it does not matter that they are not read all at once. */
bool vnet_rss_limits(struct vnet_transport *t, struct vnet_rss_limits *limits)
{
    uint8_t key_bytes = t->ops->config_read8(t, AT(rss_max_key_size));
    limits->entries = t->ops->config_read16(t, AT(rss_max_indirection_table_length));
    limits->hash_types = t->ops->config_read32(t, AT(supported_hash_types));
    return key_bytes >= VIRTIO_NET_RSS_KEY_LEAST && limits->entries >= VIRTIO_NET_RSS_TABLE_LEAST;
}

void vnet_rss_spread(const struct vnet_dev *dev, struct vnet_rss *rss, uint16_t entries)
{
    rss->entries = entries;
    for (unsigned i = 0; i < entries && i < VNET_RSS_TABLE_MAX; i++)
        rss->table[i] = (uint8_t)(i % dev->pairs);
}

void vnet_rss_default(const struct vnet_dev *dev, struct vnet_rss *rss)
{
    *rss = (struct vnet_rss){
        .hash_types = dev->rss_limits.hash_types & VIRTIO_NET_HASH_TYPES,
        .key_bytes = VNET_RSS_KEY_BYTES,
        .key = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
                 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
                 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa },
    };
    vnet_rss_spread(dev, rss, VIRTIO_NET_RSS_TABLE_LEAST);
}

/* "Setting RSS parameters": only receive queues that are enabled; one that was reset alone is not.
 */
static bool queues_enabled(struct vnet_dev *dev, const struct vnet_rss *rss)
{
    struct vnet_transport *t = dev->transport;
    uint32_t pairs = 1u << (rss->unclassified % 32);
    if (rss->unclassified >= dev->pairs)
        return false;
    for (unsigned i = 0; i < rss->entries; i++) {
        if (rss->table[i] >= dev->pairs)
            return false;
        pairs |= 1u << rss->table[i];
    }
    for (uint16_t i = 0; i < dev->pairs; i++) {
        if (pairs & 1u << i && !t->ops->queue_enabled(t, (uint16_t)(VNET_QUEUES * i + VNET_RX)))
            return false;
    }
    return true;
}

int vnet_rss_check(struct vnet_dev *dev, const struct vnet_rss *rss)
{
    const struct vnet_rss_limits *limits = &dev->rss_limits;
    if (!(dev->features.accepted & VNET_F(RSS)))
        return -VNET_E_CTRL_FEATURE;
    if (!rss->entries || rss->entries & (rss->entries - 1) || rss->entries > VNET_RSS_TABLE_MAX ||
        rss->entries > limits->entries)
        return -VNET_E_CTRL_DATA;
    if (rss->key_bytes > VNET_RSS_KEY_BYTES || rss->hash_types & ~limits->hash_types)
        return -VNET_E_CTRL_DATA;
    return queues_enabled(dev, rss) ? 0 : -VNET_E_CTRL_DATA;
}

int vnet_rss_start(struct vnet_dev *dev)
{
    struct vnet_rss rss = dev->rss;
    int error = vnet_rss_check(dev, &rss);
    if (error == -VNET_E_CTRL_FEATURE)
        return error;
    if (error)
        vnet_rss_default(dev, &rss);
    return vnet_ctrl_rss(dev, &rss);
}
