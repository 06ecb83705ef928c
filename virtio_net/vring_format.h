/* What the two ring formats share, and what each gives to vring.c. Internal to vring*.c. */
#ifndef VNET_VRING_FORMAT_H
#define VNET_VRING_FORMAT_H

#include "vring.h"

/* The end of the free list. */
static inline uint16_t vring_no_id(const struct vring *r)
{
    return r->size;
}

/* Takes the first free id. There is one: the caller looked at free_count. */
static inline uint16_t vring_take_id(struct vring *r)
{
    uint16_t id = r->free_head;
    r->free_head = r->shadow[id].next;
    return id;
}

/* Gives back the chain of ids from `first` to `last`. */
static inline void vring_put_ids(struct vring *r, uint16_t first, uint16_t last)
{
    r->shadow[last].next = vring_no_id(r);
    if (r->free_head == vring_no_id(r))
        r->free_head = first;
    else
        r->shadow[r->free_tail].next = first;
    r->free_tail = last;
}

/* Ids that a pop takes back. They join the free list together, at its end. */
struct vring_freed {
    uint16_t first, last, descs;
};

/* The chain of ids from `id` to `last`. */
static inline void vring_free_later(struct vring_shadow *shadow, struct vring_freed *f, uint16_t id,
                                    uint16_t last)
{
    struct vring_shadow *s = &shadow[id];
    if (f->descs)
        shadow[f->last].next = id;
    else
        f->first = id;
    f->last = last;
    f->descs = (uint16_t)(f->descs + s->descs);
    s->descs = 0;
}

static inline void vring_free_now(struct vring *r, const struct vring_freed *f)
{
    if (!f->descs)
        return;
    vring_put_ids(r, f->first, f->last);
    r->free_count = (uint16_t)(r->free_count + f->descs);
}

static inline void vring_hold(struct vring_shadow *s, void *cookie, uint32_t device_bytes,
                              uint16_t descs)
{
    s->cookie = cookie;
    s->device_bytes = device_bytes;
    s->descs = descs;
}

static inline struct vring_used vring_returned(const struct vring_shadow *s, uint32_t len)
{
    bool overlong = len > s->device_bytes;
    return (struct vring_used){ s->cookie, overlong ? s->device_bytes : len, overlong };
}

size_t vring_split_bytes(const struct vring_config *c);
void vring_split_init(struct vring *r, const struct vring_config *c, uint8_t *memory);
void vring_split_addresses(const struct vring *r, struct vnet_ring_addr *addr);
void vring_split_release(struct vring *r, uint16_t id);

size_t vring_packed_bytes(const struct vring_config *c);
void vring_packed_init(struct vring *r, const struct vring_config *c, uint8_t *memory);
void vring_packed_addresses(const struct vring *r, struct vnet_ring_addr *addr);
void vring_packed_release(struct vring *r, uint16_t id);

#endif
