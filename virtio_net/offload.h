/* The header before a frame: what it says of checksums and segments ("Packet Transmission",
 * "Processing of Incoming Packets"). */
#ifndef VNET_OFFLOAD_H
#define VNET_OFFLOAD_H

#include "vnet.h"

static inline bool vnet_offload_none(const struct vnet_offload *o)
{
    return !(o->flags | o->gso_type);
}

/* Whether the device does this for a frame of `bytes`, and the request is well-formed. */
bool vnet_offload_ok(const struct vnet_offload *o, uint64_t accepted, uint32_t bytes);

/* Writes it into a zeroed header. */
void vnet_offload_put(const struct vnet_offload *o, struct virtio_net_hdr *h);

/* Reads it from the header of a received frame of `bytes`. False: the device may not say that; *o
 * is none. */
bool vnet_offload_get(struct vnet_offload *o, const struct virtio_net_hdr *h, uint64_t accepted,
                      uint32_t bytes);

#endif
