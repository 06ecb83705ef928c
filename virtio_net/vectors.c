/* Who gets which MSI-X entry. */
#include "vnet.h"

enum vnet_vectors vnet_share_vectors(struct vnet_config *cfg, unsigned entries)
{
    const uint16_t none = VIRTIO_MSI_NO_VECTOR;
    uint16_t queues = VNET_QUEUES * (cfg->pairs ? cfg->pairs : 1);
    bool own = entries > queues, shared = !own && entries > 1;
    for (uint16_t i = 0; i < queues; i++)
        cfg->vector[i] = own ? i : shared ? 1 : none;
    cfg->config_vector = own ? queues : shared ? 0 : none;
    return own ? VNET_VECTORS_OWN : shared ? VNET_VECTORS_SHARED : VNET_VECTORS_NONE;
}
