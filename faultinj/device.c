/* Device side of a virtqueue: what does not depend on the ring's format. */
#include "device_format.h"
#include <string.h>

void ring_dev_blame(struct ring_dev *d, const char *rule)
{
    if (!d->driver_error)
        d->driver_error = rule;
}

static bool tricked(struct ring_dev *d, enum ring_dev_trick trick)
{
    if (d->trick != trick)
        return false;
    d->trick = RING_DEV_HONEST;
    return true;
}

void ring_dev_init(struct ring_dev *d, const struct ring_dev_config *c)
{
    memset(d, 0, sizeof(*d));
    d->c = *c;
    d->avail_at = d->used_at = d->shown_at = d->signal_at = c->start;
    if (c->packed && (c->desc % 16 || c->avail % 4 || c->used % 4))
        ring_dev_blame(d, "PV-1: a part of the ring is not aligned");
    if (!c->packed && (c->desc % 16 || c->avail % 2 || c->used % 4))
        ring_dev_blame(d, "SV-1: a part of the ring is not aligned");
    if (!c->packed && (!c->size || c->size & (c->size - 1)))
        ring_dev_blame(d, "PC-14: the size of a split ring is no power of 2");
    if (c->packed && !c->size)
        ring_dev_blame(d, "PC-13: the size of a packed ring is 0");
}

bool ring_dev_part(struct ring_dev *d, struct ring_dev_buf *b, uint64_t addr, uint32_t bytes,
                   bool writable)
{
    const char *wrong = NULL;
    uint8_t *data = ring_dev_memory(d, addr, bytes);
    if (!addr || !bytes)
        wrong = "descriptor without memory";
    else if (b->parts == RING_DEV_PARTS_MAX)
        wrong = "MF-2: an excessive number of descriptors for one buffer";
    else if (!writable && b->readable < b->parts)
        wrong = d->c.packed ? "PS-3: a readable descriptor after a writable one"
                            : "MF-1: a readable descriptor after a writable one";
    else if (bytes > UINT32_MAX - b->readable_bytes - b->writable_bytes)
        wrong = "SD-1: a chain of 2^32 bytes or more";
    else if (!data)
        wrong = "a descriptor outside the memory that was declared";
    if (wrong) {
        ring_dev_blame(d, wrong);
        return false;
    }
    b->part[b->parts++] = (struct ring_dev_part){ data, bytes, writable };
    b->readable += !writable;
    *(writable ? &b->writable_bytes : &b->readable_bytes) += bytes;
    return true;
}

bool ring_dev_waiting(struct ring_dev *d)
{
    return d->c.packed ? packed_dev_waiting(d) : split_dev_waiting(d);
}

bool ring_dev_take(struct ring_dev *d, struct ring_dev_buf *buf)
{
    if (!ring_dev_waiting(d))
        return false;
    buf->parts = buf->readable = 0;
    buf->readable_bytes = buf->writable_bytes = 0;
    return d->c.packed ? packed_dev_take(d, buf) : split_dev_take(d, buf);
}

void ring_dev_use(struct ring_dev *d, uint16_t id, uint32_t bytes)
{
    uint16_t descs = d->held[id].descs, told = id;
    if (tricked(d, RING_DEV_ID_RANGE))
        told = d->c.size;
    else if (tricked(d, RING_DEV_ID_TWICE))
        told = d->last_id;
    else if (tricked(d, RING_DEV_LEN_LONG))
        bytes = d->held[id].bytes + 1;
    else if (tricked(d, RING_DEV_LEN_SHORT))
        bytes = 9; /* less than the shortest header, the legacy one of 10 */
    d->held[id].descs = 0;
    d->in_hand -= descs;
    d->last_id = id;
    if (d->c.packed)
        packed_dev_use(d, told, bytes, descs);
    else
        split_dev_use(d, told, bytes, descs);
}

void ring_dev_show(struct ring_dev *d)
{
    if (d->c.packed)
        packed_dev_show(d);
    else
        split_dev_show(d, tricked(d, RING_DEV_IDX_JUMP));
}

bool ring_dev_signal(struct ring_dev *d)
{
    /* What was shown must be visible before the driver's word is read. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    bool send = d->c.packed ? packed_dev_wants_irq(d) : split_dev_wants_irq(d);
    if (send && tricked(d, RING_DEV_IRQ_LOST))
        return false;
    return send || tricked(d, RING_DEV_IRQ_SPURIOUS);
}

void ring_dev_kicks_off(struct ring_dev *d)
{
    if (d->c.packed)
        packed_dev_kicks(d, false);
    else
        split_dev_kicks(d, false);
}

bool ring_dev_kicks_on(struct ring_dev *d)
{
    if (d->c.packed)
        packed_dev_kicks(d, true);
    else
        split_dev_kicks(d, true);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return ring_dev_waiting(d);
}

void ring_dev_kick_at(struct ring_dev *d, uint16_t event)
{
    if (d->c.packed)
        packed_dev_kick_at(d, event);
    else
        split_dev_kick_at(d, event);
}
