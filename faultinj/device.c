/* Device side of a split virtqueue, as virtio 1.3 "Split Virtqueues" has it. */
#include "device.h"
#include <stddef.h>
#include <string.h>

static void blame(struct ring_dev *d, const char *what)
{
    if (!d->driver_error)
        d->driver_error = what;
}

static bool tricked(struct ring_dev *d, enum ring_dev_trick trick)
{
    if (d->trick != trick)
        return false;
    d->trick = RING_DEV_HONEST;
    return true;
}

static uint16_t load(const uint16_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint16_t *p, uint16_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static void full_barrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void ring_dev_init(struct ring_dev *d, uint16_t size, bool event_idx, uint64_t desc, uint64_t avail,
                   uint64_t used)
{
    memset(d, 0, sizeof(*d));
    d->size = size;
    d->event_idx = event_idx;
    d->desc = (const struct virtq_desc *)(uintptr_t)desc;
    d->avail = (struct virtq_avail *)(uintptr_t)avail;
    d->used = (struct virtq_used *)(uintptr_t)used;
    if (desc % 16 || avail % 2 || used % 4)
        blame(d, "a part of the ring is not aligned");
}

uint16_t ring_dev_waiting(struct ring_dev *d)
{
    uint16_t n = (uint16_t)(load(&d->avail->idx) - d->last_avail);
    if (n > d->size - d->in_hand) {
        blame(d, "avail.idx is more than the free descriptors ahead");
        return 0;
    }
    return n;
}

bool ring_dev_take(struct ring_dev *d, struct ring_dev_buf *buf)
{
    if (!ring_dev_waiting(d))
        return false;
    uint16_t id = d->avail->ring[d->last_avail % d->size];
    if (id >= d->size || d->held[id]) {
        blame(d, id >= d->size ? "avail id out of range" : "avail id is in the device's hands");
        return false;
    }
    struct virtq_desc desc = d->desc[id];
    if (!desc.addr || !desc.len || (desc.flags & ~VIRTQ_DESC_F_WRITE)) {
        blame(d, "descriptor without memory, or with flags nobody negotiated");
        return false;
    }
    d->last_avail++;
    d->held[id] = 1;
    d->held_bytes[id] = desc.len;
    d->in_hand++;
    *buf = (struct ring_dev_buf){
        .id = id,
        .writable = desc.flags & VIRTQ_DESC_F_WRITE,
        .bytes = desc.len,
        .data = (uint8_t *)(uintptr_t)desc.addr,
    };
    return true;
}

void ring_dev_use(struct ring_dev *d, uint16_t id, uint32_t bytes)
{
    struct virtq_used_elem e = { .id = id, .len = bytes };
    if (tricked(d, RING_DEV_ID_RANGE))
        e.id = d->size;
    else if (tricked(d, RING_DEV_ID_TWICE))
        e.id = d->last_id;
    else if (tricked(d, RING_DEV_LEN_LONG))
        e.len = d->held_bytes[id] + 1;
    else if (tricked(d, RING_DEV_LEN_SHORT))
        e.len = sizeof(struct virtio_net_hdr) - 1;
    d->used->ring[d->used_next % d->size] = e;
    d->used_next++;
    d->last_id = id;
    d->held[id] = 0;
    d->in_hand--;
}

void ring_dev_show(struct ring_dev *d)
{
    /* An index that overtakes the last decision by a whole lap makes the comparison meaningless. */
    uint16_t fresh = (uint16_t)(d->used_next - d->used_shown);
    if ((uint16_t)(d->used_next - d->signalled) < fresh)
        d->signalled_valid = false;
    d->used_shown = d->used_next;
    uint16_t jump = tricked(d, RING_DEV_IDX_JUMP) ? (uint16_t)(d->size + 1) : 0;
    store(&d->used->idx, (uint16_t)(d->used_shown + jump));
}

/* "Used Buffer Notification Suppression": with flags the flag alone decides; with the event index
 * the driver is interrupted when the entry it named is among those shown since the last time. */
static bool driver_wants(struct ring_dev *d)
{
    full_barrier();
    uint16_t flags = load(&d->avail->flags);
    if (!d->event_idx)
        return !(flags & VIRTQ_AVAIL_F_NO_INTERRUPT);
    if (flags)
        blame(d, "avail.flags is not 0 although EVENT_IDX is negotiated");
    uint16_t old = d->signalled, now = d->used_shown;
    bool valid = d->signalled_valid;
    d->signalled = now;
    d->signalled_valid = true;
    if (!valid) {
        d->irqs_blind++;
        return true;
    }
    uint16_t ahead = (uint16_t)(load(&d->avail->ring[d->size]) - old);
    bool named = ahead < (uint16_t)(now - old);
    d->irqs_wanted += named;
    return named;
}

bool ring_dev_signal(struct ring_dev *d)
{
    bool send = driver_wants(d);
    if (!d->event_idx)
        d->irqs_wanted += send;
    if (send && tricked(d, RING_DEV_IRQ_LOST))
        return false;
    return send || tricked(d, RING_DEV_IRQ_SPURIOUS);
}

static uint16_t *avail_event(struct ring_dev *d)
{
    return (uint16_t *)((uint8_t *)d->used + offsetof(struct virtq_used, ring) +
                        sizeof(struct virtq_used_elem) * d->size);
}

void ring_dev_kicks_off(struct ring_dev *d)
{
    if (!d->event_idx)
        store(&d->used->flags, VIRTQ_USED_F_NO_NOTIFY);
}

bool ring_dev_kicks_on(struct ring_dev *d)
{
    if (d->event_idx)
        store(avail_event(d), d->last_avail);
    else
        store(&d->used->flags, 0);
    full_barrier();
    return ring_dev_waiting(d) > 0;
}

void ring_dev_kick_at(struct ring_dev *d, uint16_t event)
{
    store(avail_event(d), event);
}
