/* Split virtqueue (virtio 1.3, "Split Virtqueues"). */
#include "vring_format.h"

static size_t avail_offset(const struct vring_config *c)
{
    return sizeof(struct virtq_desc) * c->size;
}

static size_t used_offset(const struct vring_config *c)
{
    size_t align = c->legacy ? VIRTIO_PCI_LEGACY_ALIGN : VIRTQ_USED_ALIGN;
    size_t end = avail_offset(c) + sizeof(struct virtq_avail) + 2u * c->size + 2u;
    return (end + align - 1) & ~(align - 1);
}

size_t vring_split_bytes(const struct vring_config *c)
{
    return used_offset(c) + sizeof(struct virtq_used) + sizeof(struct virtq_used_elem) * c->size +
           2u;
}

static uint16_t *used_event(const struct vring *r)
{
    return &r->s.avail->ring[r->size];
}

static uint16_t *avail_event(const struct vring *r)
{
    return (uint16_t *)&r->s.used->ring[r->size];
}

void vring_split_init(struct vring *r, const struct vring_config *c, uint8_t *memory)
{
    r->s.desc = (struct virtq_desc *)memory;
    r->s.avail = (struct virtq_avail *)(memory + avail_offset(c));
    r->s.used = (struct virtq_used *)(memory + used_offset(c));
    r->added = r->published = r->harvested = c->start;
    r->s.kicked_idx = r->s.parked_idx = c->start;
    r->s.avail->idx = r->s.used->idx = le16(c->start);
}

void vring_split_addresses(const struct vring *r, struct vnet_ring_addr *addr)
{
    addr->desc = env_dma_addr(r->s.desc);
    addr->avail = env_dma_addr(r->s.avail);
    addr->used = env_dma_addr(r->s.used);
}

/* A slot that names the id already is left alone: the device may hold its cache line. */
static inline void offer(uint16_t *slot, uint16_t id)
{
    if (*slot != le16(id))
        *slot = le16(id);
}

uint32_t vring_split_add(struct vring *r, const struct vring_item *items, uint32_t n,
                         bool device_writes)
{
    struct vring_shadow *const shadow = r->shadow;
    struct virtq_desc *const desc = r->s.desc;
    uint16_t *const slots = r->s.avail->ring;
    const uint32_t mask = r->size - 1u, writable = device_writes ? UINT32_MAX : 0;
    const uint16_t flags = le16(device_writes ? VIRTQ_DESC_F_WRITE : 0);
    uint32_t at = (uint32_t)r->added, id = r->free_head;
    if (r->broken)
        return 0;
    if (n > r->free_count)
        n = r->free_count;
    for (const struct vring_item *item = items; item < items + n; item++, at++) {
        struct vring_shadow *s = &shadow[id];
        vring_hold(s, item->cookie, item->bytes & writable, 1);
        desc[id].addr = le64(item->addr);
        desc[id].len = le32(item->bytes);
        desc[id].flags = flags;
        desc[id].next = 0;
        offer(&slots[at & mask], (uint16_t)id);
        id = s->next;
    }
    r->free_head = (uint16_t)id;
    r->free_count = (uint16_t)(r->free_count - n);
    r->added += n;
    return n;
}

/* Fills `n` descriptors of a chain; `next_of` leads from one to the next. */
static uint32_t fill_chain(struct virtq_desc *table, const struct vring_shadow *links, uint16_t at,
                           const struct vring_part *parts, unsigned n, unsigned readable)
{
    uint32_t device_bytes = 0;
    for (unsigned i = 0; i < n; i++) {
        uint16_t next = links ? links[at].next : (uint16_t)(at + 1);
        uint16_t flags = i < readable ? 0 : VIRTQ_DESC_F_WRITE;
        bool last = i + 1 == n;
        table[at] = (struct virtq_desc){
            .addr = le64(parts[i].addr),
            .len = le32(parts[i].bytes),
            .flags = le16(last ? flags : flags | VIRTQ_DESC_F_NEXT),
            .next = last ? 0 : le16(next),
        };
        device_bytes += i < readable ? 0 : parts[i].bytes;
        at = next;
    }
    return device_bytes;
}

int vring_split_add_parts(struct vring *r, void *cookie, const struct vring_part *parts,
                          unsigned readable, unsigned writable)
{
    unsigned n = readable + writable;
    bool indirect = n > 1 && n <= r->indirect_parts;
    uint16_t descs = indirect ? 1 : (uint16_t)n, id = r->free_head, last = id;
    if (r->broken || !n || n > r->size || descs > r->free_count)
        return -1;
    for (uint16_t i = 1; i < descs; i++)
        last = r->shadow[last].next;
    r->free_head = r->shadow[last].next;
    uint32_t device_bytes;
    if (indirect) {
        struct virtq_desc *table =
            (struct virtq_desc *)r->indirect + (size_t)id * r->indirect_parts;
        device_bytes = fill_chain(table, NULL, 0, parts, n, readable);
        r->s.desc[id] = (struct virtq_desc){
            .addr = le64(env_dma_addr(table)),
            .len = le32(n * (uint32_t)sizeof(*table)),
            .flags = le16(VIRTQ_DESC_F_INDIRECT),
        };
    } else {
        device_bytes = fill_chain(r->s.desc, r->shadow, id, parts, n, readable);
    }
    vring_hold(&r->shadow[id], cookie, device_bytes, descs);
    r->free_count = (uint16_t)(r->free_count - descs);
    offer(&r->s.avail->ring[r->added & (r->size - 1u)], id);
    r->added++;
    return 0;
}

static struct vring_shadow *last_of_chain(const struct vring *r, struct vring_shadow *first)
{
    struct vring_shadow *last = first;
    for (uint16_t i = 1; i < first->descs; i++)
        last = &r->shadow[last->next];
    return last;
}

void vring_split_release(struct vring *r, uint16_t id)
{
    struct vring_freed freed;
    struct vring_shadow *s = &r->shadow[id];
    uint16_t descs = s->descs;
    vring_free_begin(&freed, r);
    vring_free(&freed, id, s, last_of_chain(r, s));
    vring_free_end(&freed, r, descs);
}

uint16_t vring_split_publish(struct vring *r)
{
    uint16_t fresh = (uint16_t)(r->added - r->published);
    if (r->broken || !fresh)
        return 0;
    /* Counted first: an interrupt may come between the two, with the buffers already used, and
     * vring_pending must not take that for a jump of used.idx. */
    r->published = r->added;
    /* "Updating idx": descriptors and avail slots must be visible before the index that covers
     * them. From here on the device owns the buffers. */
    env_store_release16(&r->s.avail->idx, le16((uint16_t)r->added));
    return fresh;
}

enum vring_kick vring_split_kick_needed(struct vring *r, uint16_t *word)
{
    uint16_t old = r->s.kicked_idx, fresh = (uint16_t)r->published;
    if (r->broken || old == fresh)
        return VRING_KICK_NONE;
    r->s.kicked_idx = fresh;
    /* "Notifying The Device": the index store must be visible before the suppression word is read.
     * Without the full barrier the device can read the old index and go to sleep while we read the
     * old word and do not wake it. */
    env_mb();
    if (r->event_idx) {
        *word = le16(env_load_once16(avail_event(r)));
        return vring_need_event(*word, fresh, old) ? VRING_KICK_SEND : VRING_KICK_BY_EVENT;
    }
    *word = le16(env_load_once16(&r->s.used->flags));
    return *word & VIRTQ_USED_F_NO_NOTIFY ? VRING_KICK_BY_FLAG : VRING_KICK_SEND;
}

uint16_t vring_split_pending(struct vring *r)
{
    if (r->broken)
        return 0;
    uint16_t n = (uint16_t)(le16(env_load_acquire16(&r->s.used->idx)) - (uint16_t)r->harvested);
    if (n > r->published - r->harvested) {
        vring_break(r, VNET_E_USED_JUMP);
        return 0;
    }
    return n;
}

uint32_t vring_split_pop(struct vring *r, struct vring_used *used, uint32_t n)
{
    struct vring_shadow *const shadow = r->shadow;
    const struct virtq_used_elem *const ring = r->s.used->ring;
    const uint32_t size = r->size, mask = size - 1, waiting = vring_split_pending(r);
    const uint32_t from = (uint32_t)r->harvested, to = from + (n < waiting ? n : waiting);
    uint32_t at = from, more = 0;
    struct vring_freed freed;
    vring_free_begin(&freed, r);
    for (; at != to; at++, used++) {
        const struct virtq_used_elem *e = &ring[at & mask];
        uint32_t id = le32(env_load_once32(&e->id));
        uint32_t len = le32(env_load_once32(&e->len));
        if (id >= size) {
            vring_break(r, VNET_E_USED_ID_RANGE);
            break;
        }
        struct vring_shadow *s = &shadow[id], *last = s;
        if (s->descs != 1) { /* few */
            if (!s->descs) {
                vring_break(r, VNET_E_USED_ID_FREE);
                break;
            }
            more += s->descs - 1u;
            last = last_of_chain(r, s);
        }
        vring_return(used, s, len);
        vring_free(&freed, (uint16_t)id, s, last);
    }
    n = at - from;
    vring_free_end(&freed, r, n + more);
    /* Stored once: an interrupt that looks meanwhile counts all of these as waiting. */
    r->harvested += n;
    return n;
}

uint16_t vring_split_mask(struct vring *r)
{
    r->masked = true;
    if (!r->event_idx) {
        __atomic_store_n(&r->s.avail->flags, le16(VIRTQ_AVAIL_F_NO_INTERRUPT), __ATOMIC_RELAXED);
        return VIRTQ_AVAIL_F_NO_INTERRUPT;
    }
    /* With EVENT_IDX avail.flags must stay 0 ("Used Buffer Notification Suppression"), so the event
     * is parked a whole ring behind, where no used.idx of the near future can cross it. */
    r->s.parked_idx = (uint16_t)r->harvested;
    uint16_t parked = (uint16_t)(r->s.parked_idx - r->size - 1);
    __atomic_store_n(used_event(r), le16(parked), __ATOMIC_RELAXED);
    return parked;
}

void vring_split_repark(struct vring *r)
{
    /* Parked once, the event would match again after 2^16 entries; a quarter of that is early
     * enough and costs a compare on most calls. */
    if (r->masked && r->event_idx && (uint16_t)(r->harvested - r->s.parked_idx) >= 0x4000)
        vring_split_mask(r);
}

uint16_t vring_split_arm(struct vring *r, uint16_t after, uint16_t *word)
{
    if (r->event_idx) {
        *word = (uint16_t)(r->harvested + after - 1);
        __atomic_store_n(used_event(r), le16(*word), __ATOMIC_RELAXED);
    } else {
        *word = 0;
        after = 1;
        __atomic_store_n(&r->s.avail->flags, 0, __ATOMIC_RELAXED);
    }
    /* After the store: a late interrupt that comes between the two and masks must not be undone
     * behind its back. Believing less masked than is costs a store; the other way, a storm. */
    env_wmb();
    r->masked = false;
    /* Arm, then look: an entry used before the device saw the new word raises no interrupt, and the
     * barrier makes sure that we then see the entry. */
    env_mb();
    uint16_t found = vring_split_pending(r);
    if (found < after)
        return 0;
    *word = vring_split_mask(r);
    return found;
}
