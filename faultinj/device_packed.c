/* Device side of a packed virtqueue, as virtio 1.3 "Packed Virtqueues" has it. */
#include "device_format.h"

#define SLOT(position) ((position)&0x7fffu)

static struct pvirtq_desc *desc_at(const struct ring_dev *d, uint16_t at)
{
    return (struct pvirtq_desc *)(uintptr_t)d->c.desc + SLOT(at);
}

static struct pvirtq_event_suppress *driver_area(const struct ring_dev *d)
{
    return (struct pvirtq_event_suppress *)(uintptr_t)d->c.avail;
}

static struct pvirtq_event_suppress *device_area(const struct ring_dev *d)
{
    return (struct pvirtq_event_suppress *)(uintptr_t)d->c.used;
}

static struct pvirtq_desc read_desc(const struct pvirtq_desc *from)
{
    return (struct pvirtq_desc){ le64toh(from->addr), le32toh(from->len), le16toh(from->id),
                                 le16toh(from->flags) };
}

static uint16_t step(const struct ring_dev *d, uint16_t at)
{
    return SLOT(at) + 1 < d->c.size ? (uint16_t)(at + 1) : (uint16_t)(~at & PVIRTQ_WRAP);
}

static bool available(const struct ring_dev *d, uint16_t at)
{
    uint16_t flags = ring_dev_load(&desc_at(d, at)->flags);
    bool wrap = at & PVIRTQ_WRAP;
    return !!(flags & PVIRTQ_DESC_F_AVAIL) == wrap && !!(flags & PVIRTQ_DESC_F_USED) != wrap;
}

bool packed_dev_waiting(struct ring_dev *d)
{
    return d->in_hand < d->c.size && available(d, d->avail_at);
}

static bool take_indirect(struct ring_dev *d, struct ring_dev_buf *b, const struct pvirtq_desc *at)
{
    const struct pvirtq_desc *table = ring_dev_memory(d, at->addr, at->len);
    const char *wrong = NULL;
    unsigned n = at->len / sizeof(*table);
    if (!d->c.indirect)
        wrong = "PI-1: an indirect descriptor that was not negotiated";
    else if (at->flags & VIRTQ_DESC_F_NEXT || b->parts)
        wrong = "PI-4: an indirect descriptor in a list";
    else if (!n || at->len % sizeof(*table) || n > d->c.size)
        wrong = "PI-3: an indirect table longer than the queue, or not of descriptors";
    else if (!table)
        wrong = "an indirect table outside the memory that was declared";
    for (unsigned i = 0; i < n && !wrong; i++) {
        struct pvirtq_desc desc = read_desc(&table[i]);
        if (desc.flags & ~VIRTQ_DESC_F_WRITE)
            wrong = "PI-2: flags other than WRITE in an indirect table";
        else if (!ring_dev_part(d, b, desc.addr, desc.len, desc.flags & VIRTQ_DESC_F_WRITE))
            return false;
    }
    if (wrong)
        ring_dev_blame(d, wrong);
    return !wrong;
}

bool packed_dev_take(struct ring_dev *d, struct ring_dev_buf *b)
{
    const uint16_t known = VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_INDIRECT |
                           PVIRTQ_DESC_F_AVAIL | PVIRTQ_DESC_F_USED;
    uint16_t at = d->avail_at;
    unsigned descs = 0;
    for (bool more = true; more; at = step(d, at)) {
        const struct pvirtq_desc desc = read_desc(desc_at(d, at));
        if (!available(d, at)) {
            ring_dev_blame(d, "PS-6: a list is not available as far as it says");
            return false;
        }
        if (++descs + d->in_hand > d->c.size) {
            ring_dev_blame(d, "PS-2: a list longer than the queue has room");
            return false;
        }
        if (desc.flags & ~known) {
            ring_dev_blame(d, "a descriptor with unknown flags");
            return false;
        }
        if (desc.flags & VIRTQ_DESC_F_INDIRECT
                ? !take_indirect(d, b, &desc)
                : !ring_dev_part(d, b, desc.addr, desc.len, desc.flags & VIRTQ_DESC_F_WRITE))
            return false;
        more = desc.flags & VIRTQ_DESC_F_NEXT;
        b->id = desc.id;
    }
    if (b->id >= d->c.size || d->held[b->id].descs) {
        ring_dev_blame(d, "PD-1: a buffer id out of range or in the device's hands");
        return false;
    }
    d->avail_at = at;
    d->held[b->id] = (struct ring_dev_held){ b->writable_bytes, (uint16_t)descs };
    d->in_hand += descs;
    return true;
}

void packed_dev_use(struct ring_dev *d, uint16_t id, uint32_t bytes, uint16_t descs)
{
    struct pvirtq_desc *desc = desc_at(d, d->used_at);
    desc->id = htole16(id);
    desc->len = htole32(bytes);
    d->unshown[d->unshown_used++] = d->used_at;
    while (descs--)
        d->used_at = step(d, d->used_at);
}

/* From the last to the first, so that the driver sees all or none. */
void packed_dev_show(struct ring_dev *d)
{
    while (d->unshown_used) {
        uint16_t at = d->unshown[--d->unshown_used];
        ring_dev_store(&desc_at(d, at)->flags,
                       at & PVIRTQ_WRAP ? PVIRTQ_DESC_F_AVAIL | PVIRTQ_DESC_F_USED : 0);
    }
    d->shown_at = d->used_at;
}

/* "Event Suppression Structure Format". By counting: is the slot that the driver named among those
 * that used entries were written to, or that they skip, since the last decision? */
bool packed_dev_wants_irq(struct ring_dev *d)
{
    const struct pvirtq_event_suppress *e = driver_area(d);
    uint16_t flags = ring_dev_load(&e->flags), event = ring_dev_load(&e->off_wrap);
    bool named = false;
    uint16_t old = d->signal_at;
    d->signal_at = d->shown_at;
    if (flags > PVIRTQ_EVENT_DESC || (flags == PVIRTQ_EVENT_DESC && !d->c.event_idx))
        ring_dev_blame(d, "driver event flags are reserved or not negotiated");
    if (flags == PVIRTQ_EVENT_DESC && SLOT(event) >= d->c.size)
        ring_dev_blame(d, "driver event offset is outside the ring");
    for (uint16_t at = old; at != d->shown_at; at = step(d, at))
        named |= at == event;
    bool send = flags == PVIRTQ_EVENT_ENABLE || (flags == PVIRTQ_EVENT_DESC && named);
    d->irqs_wanted += send;
    return send;
}

void packed_dev_kicks(struct ring_dev *d, bool on)
{
    struct pvirtq_event_suppress *e = device_area(d);
    if (!on) {
        ring_dev_store(&e->flags, PVIRTQ_EVENT_DISABLE);
    } else if (d->c.event_idx) {
        packed_dev_kick_at(d, d->avail_at);
    } else {
        ring_dev_store(&e->flags, PVIRTQ_EVENT_ENABLE);
    }
}

void packed_dev_kick_at(struct ring_dev *d, uint16_t event)
{
    struct pvirtq_event_suppress *e = device_area(d);
    ring_dev_store(&e->off_wrap, event);
    ring_dev_store(&e->flags, PVIRTQ_EVENT_DESC);
}
