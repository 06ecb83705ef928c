/* Device side of a split virtqueue, as virtio 1.3 "Split Virtqueues" has it. */
#include "device_format.h"

static struct virtq_avail *avail(const struct ring_dev *d)
{
    return (struct virtq_avail *)(uintptr_t)d->c.avail;
}

static struct virtq_used *used(const struct ring_dev *d)
{
    return (struct virtq_used *)(uintptr_t)d->c.used;
}

static uint16_t *avail_event(const struct ring_dev *d)
{
    return (uint16_t *)&used(d)->ring[d->c.size];
}

bool split_dev_waiting(struct ring_dev *d)
{
    uint16_t n = (uint16_t)(ring_dev_load(&avail(d)->idx) - d->avail_at);
    if (n > d->c.size - d->in_hand) {
        ring_dev_blame(d, "SA-1: avail.idx went back, or further than there are descriptors");
        return false;
    }
    return n > 0;
}

static struct virtq_desc read_desc(const struct virtq_desc *from)
{
    return (struct virtq_desc){ le64toh(from->addr), le32toh(from->len), le16toh(from->flags),
                                le16toh(from->next) };
}

/* Walks a chain in one table. Returns the descriptors in it, 0: blamed. */
static unsigned walk(struct ring_dev *d, struct ring_dev_buf *b, const struct virtq_desc *table,
                     unsigned entries, uint16_t first, bool is_indirect)
{
    unsigned known = VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE, n = 0;
    for (uint16_t at = first;;) {
        if (++n > entries || at >= entries) {
            ring_dev_blame(d, is_indirect ? "SI-3: an indirect chain longer than its table"
                                          : "SD-1: a chain with a loop");
            return 0;
        }
        const struct virtq_desc desc = read_desc(&table[at]);
        if (desc.flags & ~known) {
            ring_dev_blame(d, desc.flags & VIRTQ_DESC_F_INDIRECT
                                  ? "SI-2: an indirect descriptor inside a chain or a table"
                                  : "a descriptor with unknown flags");
            return 0;
        }
        if (!ring_dev_part(d, b, desc.addr, desc.len, desc.flags & VIRTQ_DESC_F_WRITE))
            return 0;
        if (!(desc.flags & VIRTQ_DESC_F_NEXT))
            return n;
        at = desc.next;
    }
}

static unsigned walk_indirect(struct ring_dev *d, struct ring_dev_buf *b, struct virtq_desc desc)
{
    const struct virtq_desc *table = ring_dev_memory(d, desc.addr, desc.len);
    if (!d->c.indirect)
        ring_dev_blame(d, "SI-1: an indirect descriptor that was not negotiated");
    else if (desc.flags & VIRTQ_DESC_F_NEXT)
        ring_dev_blame(d, "SI-4: INDIRECT together with NEXT");
    else if (!desc.len || desc.len % sizeof(desc) || desc.len / sizeof(desc) > d->c.size)
        ring_dev_blame(d, "SI-3: an indirect table longer than the queue, or not of descriptors");
    else if (!table)
        ring_dev_blame(d, "an indirect table outside the memory that was declared");
    else
        return walk(d, b, table, desc.len / sizeof(desc), 0, true) ? 1 : 0;
    return 0;
}

bool split_dev_take(struct ring_dev *d, struct ring_dev_buf *b)
{
    const struct virtq_desc *table = (const struct virtq_desc *)(uintptr_t)d->c.desc;
    uint16_t id = le16toh(avail(d)->ring[d->avail_at % d->c.size]);
    if (id >= d->c.size || d->held[id].descs) {
        ring_dev_blame(d, id >= d->c.size ? "avail id out of range"
                                          : "DC-1: avail id is in the device's hands");
        return false;
    }
    struct virtq_desc head = read_desc(&table[id]);
    unsigned descs = head.flags & VIRTQ_DESC_F_INDIRECT ? walk_indirect(d, b, head)
                                                        : walk(d, b, table, d->c.size, id, false);
    if (!descs)
        return false;
    b->id = id;
    d->avail_at++;
    d->held[id] = (struct ring_dev_held){ b->writable_bytes, (uint16_t)descs };
    d->in_hand += descs;
    return true;
}

void split_dev_use(struct ring_dev *d, uint16_t id, uint32_t bytes, uint16_t descs)
{
    (void)descs;
    used(d)->ring[d->used_at % d->c.size] =
        (struct virtq_used_elem){ .id = htole32(id), .len = htole32(bytes) };
    d->used_at++;
}

void split_dev_show(struct ring_dev *d, bool jump)
{
    /* An index that overtakes the last decision by a whole lap makes the comparison meaningless. */
    uint16_t fresh = (uint16_t)(d->used_at - d->shown_at);
    if ((uint16_t)(d->used_at - d->signal_at) < fresh)
        d->signal_valid = false;
    d->shown_at = d->used_at;
    ring_dev_store(&used(d)->idx, (uint16_t)(d->shown_at + (jump ? d->c.size + 1 : 0)));
}

/* "Used Buffer Notification Suppression": with flags the flag alone decides; with the event index
 * the driver is interrupted when the entry it named is among those shown since the last time. */
bool split_dev_wants_irq(struct ring_dev *d)
{
    uint16_t flags = ring_dev_load(&avail(d)->flags);
    if (!d->c.event_idx) {
        if (flags > 1)
            ring_dev_blame(d, "SS-1: avail.flags is neither 0 nor 1");
        bool send = !(flags & VIRTQ_AVAIL_F_NO_INTERRUPT);
        d->irqs_wanted += send;
        return send;
    }
    if (flags)
        ring_dev_blame(d, "SS-2: avail.flags is not 0 although EVENT_IDX is negotiated");
    uint16_t old = d->signal_at, now = d->shown_at;
    bool valid = d->signal_valid;
    d->signal_at = now;
    d->signal_valid = true;
    if (!valid) {
        d->irqs_blind++;
        return true;
    }
    uint16_t ahead = (uint16_t)(ring_dev_load(&avail(d)->ring[d->c.size]) - old);
    bool named = ahead < (uint16_t)(now - old);
    d->irqs_wanted += named;
    return named;
}

void split_dev_kicks(struct ring_dev *d, bool on)
{
    if (!d->c.event_idx)
        ring_dev_store(&used(d)->flags, on ? 0 : VIRTQ_USED_F_NO_NOTIFY);
    else if (on)
        ring_dev_store(avail_event(d), d->avail_at);
}

void split_dev_kick_at(struct ring_dev *d, uint16_t event)
{
    ring_dev_store(avail_event(d), event);
}
