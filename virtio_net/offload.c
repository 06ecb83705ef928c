#include "offload.h"

static bool checksum_lies_inside(const struct vnet_offload *o, uint32_t bytes)
{
    return (uint32_t)o->csum_start + o->csum_offset + 2 <= bytes;
}

static bool segments_ok(const struct vnet_offload *o, uint64_t tcp4, uint64_t tcp6, uint64_t ecn,
                        uint64_t accepted)
{
    uint64_t needs = o->gso_type & VIRTIO_NET_HDR_GSO_ECN ? ecn : 0;
    switch (o->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return !needs; /* ECN alone is no kind of segment */
    case VIRTIO_NET_HDR_GSO_TCPV4:
        needs |= tcp4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        needs |= tcp6;
        break;
    default:
        return false;
    }
    return !(needs & ~accepted) && o->gso_size;
}

bool vnet_offload_ok(const struct vnet_offload *o, uint64_t accepted, uint32_t bytes)
{
    bool partial = o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
    if (o->flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM)
        return false;
    if (partial && !(accepted & VNET_F(CSUM) && checksum_lies_inside(o, bytes)))
        return false;
    /* "If the driver sets gso_type, it MUST also set NEEDS_CSUM": each segment has its own sum. */
    if (o->gso_type && (!partial || o->hdr_len > bytes))
        return false;
    return segments_ok(o, VNET_F(HOST_TSO4), VNET_F(HOST_TSO6), VNET_F(HOST_ECN), accepted);
}

void vnet_offload_put(const struct vnet_offload *o, struct virtio_net_hdr *h)
{
    h->flags = o->flags;
    h->gso_type = o->gso_type;
    h->hdr_len = le16(o->hdr_len);
    h->gso_size = le16(o->gso_size);
    h->csum_start = le16(o->csum_start);
    h->csum_offset = le16(o->csum_offset);
}

bool vnet_offload_get(struct vnet_offload *o, const struct virtio_net_hdr *h, uint64_t accepted,
                      uint32_t bytes)
{
    *o = (struct vnet_offload){ 0 };
    if (!(h->flags | h->gso_type))
        return true;
    struct vnet_offload said = {
        .flags = h->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID),
        .gso_type = h->gso_type,
        .gso_size = le16(h->gso_size),
    };
    if (!(accepted & VNET_F(GUEST_CSUM)))
        said.flags &= (uint8_t)~VIRTIO_NET_HDR_F_DATA_VALID;
    if (said.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        said.csum_start = le16(h->csum_start);
        said.csum_offset = le16(h->csum_offset);
        if (!(accepted & VNET_F(GUEST_CSUM)) || !checksum_lies_inside(&said, bytes))
            return false;
    }
    if (!segments_ok(&said, VNET_F(GUEST_TSO4), VNET_F(GUEST_TSO6), VNET_F(GUEST_ECN), accepted))
        return false;
    /* "hdr_len ... the driver MUST NOT rely on": a hint, kept only where it can be one. */
    uint16_t hdr_len = le16(h->hdr_len);
    said.hdr_len = said.gso_type && hdr_len <= bytes ? hdr_len : 0;
    *o = said;
    return true;
}
