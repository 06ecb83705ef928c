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

/* Ids that come back join the free list at its end, each as soon as it is taken. */
struct vring_freed {
    struct vring_shadow *last; /* of the list */
    struct vring_shadow none;  /* that, of an empty one */
};

static inline void vring_free_begin(struct vring_freed *f, struct vring *r)
{
    f->last = r->free_head == vring_no_id(r) ? &f->none : &r->shadow[r->free_tail];
}

/* The chain of ids from `id`, whose entry is `first`, to that of `last`. */
static inline void vring_free(struct vring_freed *f, uint16_t id, struct vring_shadow *first,
                              struct vring_shadow *last)
{
    first->descs = 0;
    f->last->next = id;
    f->last = last;
}

/* They held `descs` descriptors. */
static inline void vring_free_end(struct vring_freed *f, struct vring *r, uint32_t descs)
{
    if (!descs)
        return;
    if (r->free_head == vring_no_id(r))
        r->free_head = f->none.next;
    f->last->next = vring_no_id(r);
    r->free_tail = (uint16_t)(f->last - r->shadow);
    r->free_count = (uint16_t)(r->free_count + descs);
}

static inline void vring_hold(struct vring_shadow *s, void *cookie, uint32_t device_bytes,
                              uint16_t descs)
{
    s->cookie = cookie;
    s->device_bytes = device_bytes;
    s->descs = descs;
}

/* The buffer of `s`, of which the device says that it wrote `len` bytes. */
static inline void vring_return(struct vring_used *used, const struct vring_shadow *s, uint32_t len)
{
    used->cookie = s->cookie;
    used->bytes = len;
    used->overlong = false;
    if (len > s->device_bytes) {
        used->bytes = s->device_bytes;
        used->overlong = true;
    }
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
