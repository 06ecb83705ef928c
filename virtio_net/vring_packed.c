/* Packed virtqueue (virtio 1.3, "Packed Virtqueues"). */
#include "vring_format.h"

#define SLOT(position) ((uint16_t)((position) & ~PVIRTQ_WRAP))

size_t vring_packed_bytes(const struct vring_config *c)
{
    return sizeof(struct pvirtq_desc) * c->size + 2 * sizeof(struct pvirtq_event_suppress);
}

void vring_packed_init(struct vring *r, const struct vring_config *c, uint8_t *memory)
{
    r->p.desc = (struct pvirtq_desc *)memory;
    r->p.driver = (struct pvirtq_event_suppress *)(r->p.desc + c->size);
    r->p.device = r->p.driver + 1;
    r->p.add_at = r->p.published_at = r->p.used_at = c->start;
}

void vring_packed_addresses(const struct vring *r, struct vnet_ring_addr *addr)
{
    addr->desc = env_dma_addr(r->p.desc);
    addr->avail = env_dma_addr(r->p.driver);
    addr->used = env_dma_addr(r->p.device);
}

/* n slots on, n at most the ring's size. "Driver and Device Ring Wrap Counters" */
static uint16_t advance(const struct vring *r, uint16_t at, uint32_t n)
{
    uint32_t slot = SLOT(at) + n;
    if (slot < r->size)
        return (uint16_t)(at + n);
    return (uint16_t)((slot - r->size) | ((at & PVIRTQ_WRAP) ^ PVIRTQ_WRAP));
}

/* "Driver Requirements: Packed Virtqueues, flags": the AVAIL bit is the wrap counter and the USED
 * bit its inverse. */
static uint16_t avail_bits(uint16_t at)
{
    return at & PVIRTQ_WRAP ? PVIRTQ_DESC_F_AVAIL : PVIRTQ_DESC_F_USED;
}

/* The flags that follow the wrap counter: from one lap to the next both change. */
#define LAP_BITS (PVIRTQ_DESC_F_AVAIL | PVIRTQ_DESC_F_USED)

/* Hands a descriptor over, its other fields first. The first that is not published yet waits for
 * vring_packed_publish: the device takes slots in order, so it cannot get past it. */
static void hand_over(struct vring *r, uint16_t at, uint16_t flags)
{
    if (at == r->p.published_at)
        r->p.head_flags = flags;
    else
        env_store_release16(&r->p.desc[SLOT(at)].flags, le16(flags));
}

static void fill(struct pvirtq_desc *d, uint64_t addr, uint32_t bytes, uint16_t id)
{
    d->addr = le64(addr);
    d->len = le32(bytes);
    d->id = le16(id);
}

uint32_t vring_packed_add(struct vring *r, const struct vring_item *items, uint32_t n,
                          bool device_writes)
{
    struct vring_shadow *const shadow = r->shadow;
    struct pvirtq_desc *const first = r->p.desc, *const end = first + r->size;
    const uint32_t writable = device_writes ? UINT32_MAX : 0;
    const uint16_t at = r->p.add_at;
    struct pvirtq_desc *d = &first[SLOT(at)];
    uint16_t bits = avail_bits(at) | (device_writes ? VIRTQ_DESC_F_WRITE : 0);
    /* As in hand_over. */
    const struct pvirtq_desc *const held = at == r->p.published_at ? d : NULL;
    uint32_t id = r->free_head;
    if (r->broken)
        return 0;
    if (n > r->free_count)
        n = r->free_count;
    for (const struct vring_item *item = items; item < items + n; item++) {
        struct vring_shadow *s = &shadow[id];
        vring_hold(s, item->cookie, item->bytes & writable, 1);
        fill(d, item->addr, item->bytes, (uint16_t)id);
        if (d == held)
            r->p.head_flags = bits;
        else
            env_store_release16(&d->flags, le16(bits));
        if (++d == end) {
            d = first;
            bits ^= LAP_BITS;
        }
        id = s->next;
    }
    r->free_head = (uint16_t)id;
    r->p.add_at = advance(r, at, n);
    r->free_count = (uint16_t)(r->free_count - n);
    r->added += n;
    return n;
}

static uint32_t writable_bytes(const struct vring_part *parts, unsigned readable, unsigned writable)
{
    uint32_t bytes = 0;
    for (unsigned i = readable; i < readable + writable; i++)
        bytes += parts[i].bytes;
    return bytes;
}

/* "Indirect Flag: Scatter-Gather Support": in the table only WRITE has a meaning. */
static void add_indirect(struct vring *r, uint16_t id, const struct vring_part *parts,
                         unsigned readable, unsigned n)
{
    struct pvirtq_desc *table = (struct pvirtq_desc *)r->indirect + (size_t)id * r->indirect_parts;
    for (unsigned i = 0; i < n; i++) {
        fill(&table[i], parts[i].addr, parts[i].bytes, 0);
        table[i].flags = le16(i < readable ? 0 : VIRTQ_DESC_F_WRITE);
    }
    fill(&r->p.desc[SLOT(r->p.add_at)], env_dma_addr(table), n * (uint32_t)sizeof(*table), id);
    hand_over(r, r->p.add_at, avail_bits(r->p.add_at) | VIRTQ_DESC_F_INDIRECT);
    r->p.add_at = advance(r, r->p.add_at, 1);
}

/* The first descriptor of a list is handed over last ("Driver Requirements: Scatter-Gather
 * Support"): from the back to the front. */
static void add_list(struct vring *r, uint16_t id, const struct vring_part *parts,
                     unsigned readable, unsigned n)
{
    uint16_t end = advance(r, r->p.add_at, n);
    for (unsigned i = n; i--;) {
        uint16_t at = advance(r, r->p.add_at, i);
        uint16_t next = i + 1 < n ? VIRTQ_DESC_F_NEXT : 0;
        fill(&r->p.desc[SLOT(at)], parts[i].addr, parts[i].bytes, id);
        hand_over(r, at, avail_bits(at) | next | (i < readable ? 0 : VIRTQ_DESC_F_WRITE));
    }
    r->p.add_at = end;
}

int vring_packed_add_parts(struct vring *r, void *cookie, const struct vring_part *parts,
                           unsigned readable, unsigned writable)
{
    unsigned n = readable + writable;
    bool indirect = n > 1 && n <= r->indirect_parts;
    uint16_t descs = indirect ? 1 : (uint16_t)n;
    if (r->broken || !n || n > r->size || descs > r->free_count)
        return -1;
    uint16_t id = vring_take_id(r);
    vring_hold(&r->shadow[id], cookie, writable_bytes(parts, readable, writable), descs);
    if (indirect)
        add_indirect(r, id, parts, readable, n);
    else
        add_list(r, id, parts, readable, n);
    r->free_count = (uint16_t)(r->free_count - descs);
    r->added++;
    return 0;
}

void vring_packed_release(struct vring *r, uint16_t id)
{
    struct vring_freed freed;
    struct vring_shadow *s = &r->shadow[id];
    uint16_t descs = s->descs;
    vring_free_begin(&freed, r);
    vring_free(&freed, id, s, s);
    vring_free_end(&freed, r, descs);
}

/* Slots from one position to a later one, at most a lap. */
static uint16_t distance(const struct vring *r, uint16_t from, uint16_t to)
{
    int lap = (from ^ to) & PVIRTQ_WRAP ? r->size : 0;
    return (uint16_t)(SLOT(to) - SLOT(from) + lap);
}

uint16_t vring_packed_publish(struct vring *r)
{
    uint16_t fresh = (uint16_t)(r->added - r->published), head = r->p.published_at;
    if (r->broken || !fresh)
        return 0;
    /* Counted first, as in a split ring. */
    r->published = r->added;
    r->p.unkicked = (uint16_t)(r->p.unkicked + distance(r, head, r->p.add_at));
    r->p.published_at = r->p.add_at;
    /* "Updating flags": everything that was added must be visible before the first of it is
     * available. From here on the device owns the buffers. */
    env_store_release16(&r->p.desc[SLOT(head)].flags, le16(r->p.head_flags));
    return fresh;
}

/* Whether the slot that the device named lies among the last `fresh` published ones. */
static bool named(const struct vring *r, uint16_t off_wrap, uint16_t fresh)
{
    uint16_t now = SLOT(r->p.published_at), event = SLOT(off_wrap);
    if ((off_wrap ^ r->p.published_at) & PVIRTQ_WRAP)
        event = (uint16_t)(event - r->size);
    return vring_need_event(event, now, (uint16_t)(now - fresh));
}

enum vring_kick vring_packed_kick_needed(struct vring *r, uint16_t *word)
{
    uint16_t fresh = r->p.unkicked;
    if (r->broken || !fresh)
        return VRING_KICK_NONE;
    r->p.unkicked = 0;
    /* As in a split ring: the flags store before the look at what the device wants. */
    env_mb();
    /* Both fields in one load: the device may change them between two. */
    uint32_t device = le32(env_load_once32((const uint32_t *)(const void *)r->p.device));
    uint16_t flags = device >> 16 & 3;
    if (flags == PVIRTQ_EVENT_DESC && r->event_idx) {
        *word = (uint16_t)device;
        return named(r, *word, fresh) ? VRING_KICK_SEND : VRING_KICK_BY_EVENT;
    }
    *word = flags;
    return flags == PVIRTQ_EVENT_DISABLE ? VRING_KICK_BY_FLAG : VRING_KICK_SEND;
}

/* Of a used descriptor both are the wrap counter. */
static uint16_t used_bits(uint16_t at)
{
    return at & PVIRTQ_WRAP ? LAP_BITS : 0;
}

static uint16_t used_position(uint16_t slot, uint16_t bits)
{
    return bits ? slot | PVIRTQ_WRAP : slot;
}

static bool is_used(const struct pvirtq_desc *d, uint16_t bits)
{
    return (le16(env_load_acquire16(&d->flags)) & LAP_BITS) == bits;
}

/* Used buffers in front of the driver, and the slots they hold. May run amid a pop: what that has
 * taken and not counted yet ends the count early, but never below the one that is there. */
static uint16_t count_used(const struct vring *r, uint32_t *slots)
{
    uint16_t n = 0, at = r->p.used_at;
    uint64_t in_flight = r->published - r->harvested;
    *slots = 0;
    while (n < in_flight && is_used(&r->p.desc[SLOT(at)], used_bits(at))) {
        n++;
        uint16_t id = le16(env_load_once16(&r->p.desc[SLOT(at)].id));
        uint16_t descs = id < r->size ? r->shadow[id].descs : 0;
        *slots += descs ? descs : 1; /* a damaged id is something to look at too */
        if (!descs)
            break;
        at = advance(r, at, descs);
    }
    return n;
}

uint16_t vring_packed_pending(struct vring *r)
{
    uint32_t slots;
    return r->broken ? 0 : count_used(r, &slots);
}

uint32_t vring_packed_pop(struct vring *r, struct vring_used *used, uint32_t n)
{
    struct vring_shadow *const shadow = r->shadow;
    const uint32_t size = r->size;
    const struct pvirtq_desc *const first = r->p.desc, *const end = first + size;
    const uint64_t in_flight = r->published - r->harvested;
    const struct pvirtq_desc *d = &first[SLOT(r->p.used_at)];
    uint16_t bits = used_bits(r->p.used_at);
    uint32_t i = 0, descs = 0;
    struct vring_freed freed;
    if (r->broken)
        return 0;
    if (n > in_flight)
        n = (uint32_t)in_flight;
    vring_free_begin(&freed, r);
    for (; i < n && is_used(d, bits); i++) {
        uint32_t id = le16(env_load_once16(&d->id));
        uint32_t len = le32(env_load_once32(&d->len));
        if (id >= size) {
            vring_break(r, VNET_E_USED_ID_RANGE);
            break;
        }
        struct vring_shadow *s = &shadow[id];
        if (!s->descs) {
            vring_break(r, VNET_E_USED_ID_FREE);
            break;
        }
        descs += s->descs;
        d += s->descs;
        if (d >= end) {
            d -= size;
            bits ^= LAP_BITS;
        }
        vring_return(&used[i], s, len);
        vring_free(&freed, (uint16_t)id, s, s);
    }
    vring_free_end(&freed, r, descs);
    r->p.used_at = used_position((uint16_t)(d - first), bits);
    r->harvested += i;
    return i;
}

uint16_t vring_packed_mask(struct vring *r)
{
    r->masked = true;
    __atomic_store_n(&r->p.driver->flags, le16(PVIRTQ_EVENT_DISABLE), __ATOMIC_RELAXED);
    return PVIRTQ_EVENT_DISABLE;
}

uint16_t vring_packed_arm(struct vring *r, uint16_t after, uint16_t *word)
{
    uint16_t flags = r->event_idx ? PVIRTQ_EVENT_DESC : PVIRTQ_EVENT_ENABLE;
    *word = flags;
    if (r->event_idx) {
        *word = advance(r, r->p.used_at, after - 1u);
        __atomic_store_n(&r->p.driver->off_wrap, le16(*word), __ATOMIC_RELAXED);
        /* A device that reads the flag must find the slot that goes with it. */
        env_wmb();
    } else {
        after = 1;
    }
    __atomic_store_n(&r->p.driver->flags, le16(flags), __ATOMIC_RELAXED);
    /* The belief after the store, and the look after both: as in a split ring. */
    env_wmb();
    r->masked = false;
    env_mb();
    uint32_t slots;
    uint16_t found = r->broken ? 0 : count_used(r, &slots);
    if (!found || slots < after)
        return 0;
    *word = vring_packed_mask(r);
    return found;
}

void vring_packed_repark(struct vring *r)
{
    (void)r; /* a flag masks for good */
}
