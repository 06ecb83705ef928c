#include "liar.h"
#include <string.h>

void liar_init(struct liar *l, struct vring *ring)
{
    memset(l, 0, sizeof(*l));
    l->ring = ring;
    l->written = ring->harvested;
    l->at = ring->packed ? ring->p.used_at : 0;
}

static bool usable(const struct liar *l, uint16_t id)
{
    return l->ring->shadow[id].descs && l->sequence[id % 256u] <= l->ring->harvested;
}

static int find(struct liar *l, uint32_t skip)
{
    const struct vring *r = l->ring;
    for (uint32_t i = 0; i < r->size; i++) {
        uint16_t id = (uint16_t)((l->next_id + skip + i) % r->size);
        if (usable(l, id))
            return id;
    }
    return -1;
}

static uint16_t advance(const struct vring *r, uint16_t at, uint32_t n)
{
    uint32_t slot = (at & ~PVIRTQ_WRAP) + n;
    if (slot < r->size)
        return (uint16_t)(at + n);
    return (uint16_t)((slot - r->size) % r->size | ((at & PVIRTQ_WRAP) ^ PVIRTQ_WRAP));
}

static void entry(struct liar *l, uint32_t id, uint32_t bytes, uint16_t descs)
{
    struct vring *r = l->ring;
    l->written++;
    if (!r->packed) {
        struct virtq_used_elem *e = &r->s.used->ring[(l->written - 1) % r->size];
        *e = (struct virtq_used_elem){ le32(id), le32(bytes) };
        return;
    }
    struct pvirtq_desc *d = &r->p.desc[(l->at & ~PVIRTQ_WRAP) % r->size];
    d->id = le16((uint16_t)id);
    d->len = le32(bytes);
    d->flags = le16(l->at & PVIRTQ_WRAP ? PVIRTQ_DESC_F_AVAIL | PVIRTQ_DESC_F_USED : 0);
    l->at = advance(r, l->at, descs);
}

void *liar_use(struct liar *l, uint32_t skip, uint32_t bytes)
{
    int id = find(l, skip);
    if (id < 0)
        return NULL;
    struct vring_shadow *s = &l->ring->shadow[id];
    void *cookie = s->cookie;
    l->next_id = (uint16_t)((id + 1) % l->ring->size);
    l->sequence[id % 256] = l->written + 1;
    entry(l, (uint32_t)id, bytes, s->descs);
    return cookie;
}

void liar_show(struct liar *l)
{
    if (!l->ring->packed)
        l->ring->s.used->idx = le16((uint16_t)l->written);
}

static void scribble(struct liar *l)
{
    struct vring *r = l->ring;
    uint8_t *memory = r->packed ? (uint8_t *)r->p.desc : (uint8_t *)r->s.desc;
    struct vring_config c = { .size = r->size,
                              .packed = r->packed,
                              .legacy = fuzz.transport->legacy };
    uint32_t at = fuzz_16(), n = fuzz_8() % 16;
    size_t bytes = vring_bytes(&c);
    for (uint32_t i = 0; i < n; i++)
        memory[(at + i) % bytes] = fuzz_8();
}

static void say_kicks(struct liar *l, uint16_t value)
{
    struct vring *r = l->ring;
    if (r->packed) {
        r->p.device->off_wrap = le16(value);
        r->p.device->flags = le16(fuzz_8() & 3);
    } else {
        r->s.used->flags = le16(fuzz_8());
        *(uint16_t *)&r->s.used->ring[r->size] = le16(value);
    }
}

void liar_deed(struct liar *l, enum liar_deed deed)
{
    struct vring *r = l->ring;
    uint32_t skip, n;
    switch (deed) {
    case LIAR_USE:
        skip = fuzz_8();
        n = fuzz_16();
        liar_use(l, skip, n == 0xffff ? fuzz_32() : n);
        break;
    case LIAR_MANY:
        for (n = fuzz_8(); n && liar_use(l, 0, VNET_HDR_BYTES + n % 64); n--)
            ;
        break;
    case LIAR_SHOW:
        liar_show(l);
        break;
    case LIAR_KICKS:
        say_kicks(l, fuzz_16());
        break;
    case LIAR_ENTRY:
        n = fuzz_16();
        entry(l, n == 0xffff ? fuzz_32() : n, fuzz_16(), 1);
        break;
    case LIAR_INDEX:
        if (r->packed)
            r->p.desc[fuzz_8() % r->size].flags = le16(fuzz_16());
        else
            r->s.used->idx = le16((uint16_t)(r->harvested + fuzz_16()));
        break;
    default:
        scribble(l);
    }
}
