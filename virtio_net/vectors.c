/* Who gets which MSI-X entry. */
#include "vnet.h"

static enum vnet_vectors share(struct vnet_config *cfg, unsigned pairs, unsigned entries)
{
    const uint16_t none = VIRTIO_MSI_NO_VECTOR;
    unsigned queues = VNET_QUEUES * pairs;
    bool own = entries > queues, shared = !own && entries > 1;
    for (uint16_t i = 0; i < VNET_QUEUES_MAX; i++)
        cfg->vector[i] = i >= queues ? none : own ? i : shared ? 1 : none;
    cfg->config_vector = own ? (uint16_t)queues : shared ? 0 : none;
    return own ? VNET_VECTORS_OWN : shared ? VNET_VECTORS_SHARED : VNET_VECTORS_NONE;
}

enum vnet_vectors vnet_share_vectors(struct vnet_config *cfg, unsigned entries)
{
    return share(cfg, cfg->pairs ? cfg->pairs : 1, entries);
}

int vnet_reshare_vectors(struct vnet_dev *dev, unsigned entries, enum vnet_vectors *how)
{
    *how = share(&dev->config, dev->pairs, entries);
    for (int i = 0; i < vnet_queues(dev); i++)
        dev->q[i].vector = dev->config.vector[i];
    return dev->transport->ops->set_config_vector(dev->transport, dev->config.config_vector);
}
