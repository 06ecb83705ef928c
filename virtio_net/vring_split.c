/* Split virtqueue (virtio 1.3, "Split Virtqueues"): one descriptor a buffer. */
#include "vring.h"

static size_t avail_offset(uint16_t size)
{
    return sizeof(struct virtq_desc) * size;
}

static size_t used_offset(uint16_t size, size_t align)
{
    size_t end = avail_offset(size) + sizeof(struct virtq_avail) + 2u * size + 2u;
    return (end + align - 1) & ~(align - 1);
}

size_t vring_bytes(uint16_t size, size_t used_align)
{
    return used_offset(size, used_align) + sizeof(struct virtq_used) +
           sizeof(struct virtq_used_elem) * size + 2u;
}

size_t vring_shadow_bytes(uint16_t size)
{
    return sizeof(struct vring_shadow) * size;
}

static uint16_t *used_event(const struct vring *r)
{
    return &r->avail->ring[r->size];
}

static uint16_t *avail_event(const struct vring *r)
{
    return (uint16_t *)&r->used->ring[r->size];
}

static void latch_broken(struct vring *r, enum vnet_error reason)
{
    if (!r->broken)
        r->broken = (uint8_t)reason;
}

int vring_init(struct vring *r, uint16_t size, size_t used_align, bool event_idx, void *memory,
               void *shadow)
{
    /* "The queue size is always a power of 2" for split rings; 1 would make full and empty of a
     * one-slot free list hard to tell from broken, and no device offers it. */
    if (size < 2 || size > VIRTQ_SIZE_MAX || (size & (size - 1)))
        return -VNET_E_QUEUE_SIZE;
    if (!memory || !shadow || (uintptr_t)memory % VIRTQ_DESC_ALIGN)
        return -VNET_E_MEMORY;
    uint8_t *base = memory;
    for (size_t i = 0; i < vring_bytes(size, used_align); i++)
        base[i] = 0;
    *r = (struct vring){
        .size = size,
        .event_idx = event_idx,
        .free_count = size,
        .desc = memory,
        .avail = (struct virtq_avail *)(base + avail_offset(size)),
        .used = (struct virtq_used *)(base + used_offset(size, used_align)),
        .shadow = shadow,
    };
    for (uint16_t i = 0; i < size; i++)
        r->shadow[i] = (struct vring_shadow){ .next_free = (uint16_t)(i + 1) };
    return 0;
}

void vring_addresses(const struct vring *r, struct vnet_ring_addr *addr)
{
    addr->desc = env_dma_addr(r->desc);
    addr->avail = env_dma_addr(r->avail);
    addr->used = env_dma_addr(r->used);
}

int vring_add(struct vring *r, void *cookie, uint64_t dma, uint32_t bytes, bool device_writes)
{
    if (r->broken || !r->free_count)
        return -1;
    uint16_t id = r->free_head;
    struct vring_shadow *s = &r->shadow[id];
    r->free_head = s->next_free;
    r->free_count--;
    *s = (struct vring_shadow){
        .cookie = cookie,
        .device_bytes = device_writes ? bytes : 0,
        .with_device = true,
    };
    r->desc[id] = (struct virtq_desc){
        .addr = le64(dma),
        .len = le32(bytes),
        .flags = le16(device_writes ? VIRTQ_DESC_F_WRITE : 0),
    };
    r->avail->ring[r->avail_idx & (r->size - 1)] = le16(id);
    r->avail_idx++;
    return 0;
}

uint16_t vring_publish(struct vring *r)
{
    uint16_t fresh = (uint16_t)(r->avail_idx - (uint16_t)r->published);
    if (r->broken || !fresh)
        return 0;
    /* Counted first: an interrupt may come between the two, with the buffers already used, and
     * vring_pending must not take that for a jump of used.idx. */
    r->published += fresh;
    /* "Updating idx": descriptors and avail slots must be visible before the index that covers
     * them. From here on the device owns the buffers. */
    env_store_release16(&r->avail->idx, le16(r->avail_idx));
    return fresh;
}

enum vring_kick vring_kick_needed(struct vring *r, uint16_t *word)
{
    uint16_t old = r->kicked_idx, fresh = (uint16_t)r->published;
    if (r->broken || old == fresh)
        return VRING_KICK_NONE;
    r->kicked_idx = fresh;
    /* "Notifying The Device": the index store must be visible before the suppression word is read.
     * Without the full barrier the device can read the old index and go to sleep while we read the
     * old word and do not wake it. */
    env_mb();
    if (r->event_idx) {
        *word = le16(env_load_once16(avail_event(r)));
        return vring_need_event(*word, fresh, old) ? VRING_KICK_SEND : VRING_KICK_BY_EVENT;
    }
    *word = le16(env_load_once16(&r->used->flags));
    return *word & VIRTQ_USED_F_NO_NOTIFY ? VRING_KICK_BY_FLAG : VRING_KICK_SEND;
}

uint16_t vring_pending(struct vring *r)
{
    if (r->broken)
        return 0;
    /* From `harvested` alone: an interrupt may look while a pop in the thread below is half done,
     * and used_idx does not agree with it then. */
    uint16_t n = (uint16_t)(le16(env_load_acquire16(&r->used->idx)) - (uint16_t)r->harvested);
    if (n > r->published - r->harvested) {
        latch_broken(r, VNET_E_USED_JUMP);
        return 0;
    }
    return n;
}

void *vring_pop(struct vring *r, uint32_t *bytes, bool *overlong)
{
    if (!vring_pending(r))
        return NULL;
    const struct virtq_used_elem *e = &r->used->ring[r->used_idx & (r->size - 1)];
    uint32_t id = le32(env_load_once32(&e->id));
    uint32_t len = le32(env_load_once32(&e->len));
    if (id >= r->size) {
        latch_broken(r, VNET_E_USED_ID_RANGE);
        return NULL;
    }
    struct vring_shadow *s = &r->shadow[id];
    if (!s->with_device) {
        latch_broken(r, VNET_E_USED_ID_FREE);
        return NULL;
    }
    *overlong = len > s->device_bytes;
    *bytes = *overlong ? s->device_bytes : len;
    s->with_device = false;
    s->next_free = r->free_head;
    r->free_head = (uint16_t)id;
    r->free_count++;
    r->used_idx++;
    r->harvested++;
    return s->cookie;
}

uint16_t vring_mask(struct vring *r)
{
    r->masked = true;
    if (!r->event_idx) {
        __atomic_store_n(&r->avail->flags, le16(VIRTQ_AVAIL_F_NO_INTERRUPT), __ATOMIC_RELAXED);
        return VIRTQ_AVAIL_F_NO_INTERRUPT;
    }
    /* With EVENT_IDX avail.flags must stay 0 ("Used Buffer Notification Suppression"), so the event
     * is parked a whole ring behind, where no used.idx of the near future can cross it. */
    r->parked_idx = r->used_idx;
    uint16_t parked = (uint16_t)(r->used_idx - r->size - 1);
    __atomic_store_n(used_event(r), le16(parked), __ATOMIC_RELAXED);
    return parked;
}

void vring_repark(struct vring *r)
{
    /* Parked once, the event would match again after 2^16 entries; a quarter of that is early
     * enough and costs a compare on most calls. */
    if (r->masked && r->event_idx && (uint16_t)(r->used_idx - r->parked_idx) >= 0x4000)
        vring_mask(r);
}

uint16_t vring_arm(struct vring *r, uint16_t after, uint16_t *word)
{
    if (r->event_idx) {
        *word = (uint16_t)(r->used_idx + after - 1);
        __atomic_store_n(used_event(r), le16(*word), __ATOMIC_RELAXED);
    } else {
        *word = 0;
        after = 1;
        __atomic_store_n(&r->avail->flags, 0, __ATOMIC_RELAXED);
    }
    /* After the store: a late interrupt that comes between the two and masks must not be undone
     * behind its back. Believing less masked than is costs a store; the other way, a storm. */
    env_wmb();
    r->masked = false;
    /* Arm, then look: an entry used before the device saw the new word raises no interrupt, and the
     * barrier makes sure that we then see the entry. */
    env_mb();
    uint16_t found = vring_pending(r);
    if (found < after)
        return 0;
    *word = vring_mask(r);
    return found;
}

void *vring_reclaim(struct vring *r)
{
    for (uint16_t id = 0; id < r->size; id++) {
        struct vring_shadow *s = &r->shadow[id];
        if (!s->with_device)
            continue;
        s->with_device = false;
        s->next_free = r->free_head;
        r->free_head = id;
        r->free_count++;
        return s->cookie;
    }
    /* Nothing is in flight any more, published or not. */
    r->published = r->harvested;
    r->avail_idx = r->kicked_idx = r->used_idx;
    return NULL;
}

int vring_check(const struct vring *r)
{
    uint32_t held = 0, walked = 0;
    for (uint16_t id = 0; id < r->size; id++)
        held += r->shadow[id].with_device;
    if (held + r->free_count != r->size)
        return __LINE__;
    uint16_t id = r->free_head;
    for (; walked < r->free_count; walked++, id = r->shadow[id].next_free) {
        if (id >= r->size || r->shadow[id].with_device)
            return __LINE__;
    }
    if (id != r->size) /* the end mark: a list with a loop does not arrive there */
        return __LINE__;
    if ((uint16_t)r->harvested != r->used_idx)
        return __LINE__;
    uint64_t added = r->published + (uint16_t)(r->avail_idx - (uint16_t)r->published);
    if (!r->broken && added - r->harvested != held)
        return __LINE__;
    return 0;
}
