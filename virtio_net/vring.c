/* What does not depend on the ring's format: memory, the way out of a reset, the invariants. */
#include "vring_format.h"

static size_t ring_bytes(const struct vring_config *c)
{
    return c->packed ? vring_packed_bytes(c) : vring_split_bytes(c);
}

/* Indirect tables follow the ring, aligned as descriptors. */
static size_t indirect_offset(const struct vring_config *c)
{
    return (ring_bytes(c) + VIRTQ_DESC_ALIGN - 1) & ~(size_t)(VIRTQ_DESC_ALIGN - 1);
}

size_t vring_bytes(const struct vring_config *c)
{
    if (!c->indirect_parts)
        return ring_bytes(c);
    return indirect_offset(c) + sizeof(struct virtq_desc) * c->indirect_parts * c->size;
}

size_t vring_shadow_bytes(const struct vring_config *c)
{
    return sizeof(struct vring_shadow) * c->size;
}

bool vring_size_ok(const struct vring_config *c)
{
    if (c->size < 1 || c->size > VIRTQ_SIZE_MAX)
        return false;
    /* "Virtqueues" of both formats: split needs a power of 2, packed takes any size. */
    return c->packed || !(c->size & (c->size - 1));
}

int vring_init(struct vring *r, const struct vring_config *c, void *memory, void *shadow)
{
    if (!vring_size_ok(c))
        return -VNET_E_QUEUE_SIZE;
    uintptr_t align = c->legacy ? VIRTIO_PCI_LEGACY_ALIGN : VIRTQ_DESC_ALIGN;
    if (!memory || !shadow || (uintptr_t)memory % align)
        return -VNET_E_MEMORY;
    uint8_t *base = memory;
    size_t bytes = vring_bytes(c);
    for (size_t i = 0; i < bytes; i++)
        base[i] = 0;
    *r = (struct vring){
        .size = c->size,
        .indirect_parts = c->indirect_parts,
        .packed = c->packed,
        .event_idx = c->event_idx,
        .free_count = c->size,
        .free_tail = (uint16_t)(c->size - 1),
        .shadow = shadow,
        .indirect = base + indirect_offset(c),
    };
    for (uint16_t i = 0; i < c->size; i++)
        r->shadow[i] = (struct vring_shadow){ .next = (uint16_t)(i + 1) };
    if (c->packed)
        vring_packed_init(r, c, base);
    else
        vring_split_init(r, c, base);
    return 0;
}

void vring_addresses(const struct vring *r, struct vnet_ring_addr *addr)
{
    if (r->packed)
        vring_packed_addresses(r, addr);
    else
        vring_split_addresses(r, addr);
}

void *vring_reclaim(struct vring *r)
{
    while (r->reclaim_next < r->size) {
        uint16_t id = r->reclaim_next++;
        struct vring_shadow *s = &r->shadow[id];
        if (!s->descs)
            continue;
        void *cookie = s->cookie;
        if (r->packed)
            vring_packed_release(r, id);
        else
            vring_split_release(r, id);
        return cookie;
    }
    /* Nothing is in flight any more, published or not. */
    r->added = r->published = r->harvested;
    r->reclaim_next = 0;
    return NULL;
}

int vring_check(const struct vring *r)
{
    uint32_t held = 0, descs = 0, free_ids = 0;
    for (uint16_t id = 0; id < r->size; id++) {
        held += r->shadow[id].descs > 0;
        descs += r->shadow[id].descs;
    }
    if (descs + r->free_count != r->size)
        return __LINE__;
    uint16_t id = r->free_head;
    for (; id < r->size && free_ids <= r->size; free_ids++, id = r->shadow[id].next) {
        if (r->shadow[id].descs)
            return __LINE__;
    }
    if (id != vring_no_id(r))
        return __LINE__;
    if (free_ids != (r->packed ? r->size - held : r->free_count))
        return __LINE__;
    if (r->published < r->harvested || r->added < r->published)
        return __LINE__;
    if (!r->broken && r->added - r->harvested != held)
        return __LINE__;
    return 0;
}
