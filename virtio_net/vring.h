/* A virtqueue, driver side, split or packed behind one interface. Only vring*.c touch ring memory,
 * and they know nothing of packets.
 *
 * Serialisation: the caller lets one context at a time call in per ring, and keeps interrupts for
 * the ring out while it does (the kernel port runs each queue's work with them off or masked);
 * vring_pending and vring_mask alone may interrupt any other call.
 * Ownership: a buffer belongs to the device from vring_publish to the vring_pop that returns it.
 * Nothing here allocates, blocks or prints. A device error latches `broken` and every later call
 * does nothing: the rest of the system keeps its buffers and can say why.
 */
#ifndef VNET_VRING_H
#define VNET_VRING_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "env.h"
#include "virtio_spec.h"
#include "transport.h"

enum vnet_error {
    VNET_OK,
#define ERROR(name, text) VNET_E_##name,
#include "errors.def"
};

/* What the driver remembers of a buffer, under the id by which the device returns it. The device
 * may scribble over the shared table, so nothing is ever read back from there. */
struct vring_shadow {
    void *cookie;
    uint32_t device_bytes; /* how many bytes the device may write */
    uint16_t next;         /* the next descriptor of this chain, or the next free id */
    uint16_t descs;        /* descriptors of the ring that the buffer holds; 0: not in flight */
};

/* The first position of a new ring: an index, for packed a slot with its wrap counter, which is 1.
 */
#define VRING_START(packed) ((packed) ? PVIRTQ_WRAP : 0)

struct vring_config {
    uint16_t size;  /* descriptors; a power of 2 for split, 1 to 32768 for both */
    uint16_t start; /* first index: VRING_START, unless the ring goes on from an earlier life */
    uint16_t indirect_parts; /* a buffer of 2 to this many parts takes one indirect descriptor; 0:
                                INDIRECT_DESC was not negotiated */
    bool packed, event_idx;
    bool legacy; /* "Legacy Interfaces: A Note on Virtqueue Layout": used ring on its own page */
};

struct vring {
    uint16_t size;
    uint16_t indirect_parts;
    bool packed;
    bool event_idx;
    bool masked;
    uint8_t broken;                /* enum vnet_error, 0 while healthy */
    uint16_t free_head, free_tail; /* ids, first in first out: the device walks memory in order */
    uint16_t free_count;           /* descriptors */
    uint16_t reclaim_next;
    /* Buffers ever added, made available, taken back. Split: their low 16 bits are the indices. */
    uint64_t added, published, harvested;
    struct vring_shadow *shadow;
    void *indirect; /* a table of indirect_parts descriptors for each id */
    union {
        struct {
            struct virtq_desc *desc;
            struct virtq_avail *avail;
            struct virtq_used *used;
            uint16_t kicked_idx; /* avail.idx at the last kick decision */
            uint16_t parked_idx; /* used index when used_event was parked */
        } s;
        struct { /* positions: a slot, and the wrap counter in bit 15; one word, so that an
                    interrupt never sees the slot of one lap with the counter of another */
            struct pvirtq_desc *desc;
            struct pvirtq_event_suppress *driver, *device;
            uint16_t add_at, published_at, used_at;
            uint16_t unkicked;   /* slots published since the last kick decision */
            uint16_t head_flags; /* of the first slot that is not published: held back until then */
        } p;
    };
};

/* Whether a ring of this format may have this size. */
bool vring_size_ok(const struct vring_config *c);

/* Bytes of device-visible ring memory, and of private shadow memory. */
size_t vring_bytes(const struct vring_config *c);
size_t vring_shadow_bytes(const struct vring_config *c);

/* Lays out an empty ring in `memory` (16-byte aligned, a page for legacy; vring_bytes long) and
 * `shadow`. Everything is zeroed, event words included: stale ones would suppress notifications of
 * the new life. Returns 0, -VNET_E_QUEUE_SIZE or -VNET_E_MEMORY. The caller keeps both memories
 * until the device has been reset. */
int vring_init(struct vring *r, const struct vring_config *c, void *memory, void *shadow);

/* Packed: avail is the driver area and used the device area ("Packed Virtqueues"). */
void vring_addresses(const struct vring *r, struct vnet_ring_addr *addr);

struct vring_part { /* one stretch of memory, as the device sees it */
    uint64_t addr;
    uint32_t bytes;
};

/* Each of these exists once a format; the choice is made once a batch and not once a buffer. */
#define VRING_OPERATION(result, name, parameters, arguments)                                       \
    result vring_split_##name parameters;                                                          \
    result vring_packed_##name parameters;                                                         \
    static inline result vring_##name parameters                                                   \
    {                                                                                              \
        return r->packed ? vring_packed_##name arguments : vring_split_##name arguments;           \
    }

/* Adds a buffer without making it visible: `readable` parts that the device reads, then `writable`
 * ones that it writes ("Message Framing"). Returns 0, or -1 if there is no room for it. */
VRING_OPERATION(int, add_parts,
                (struct vring * r, void *cookie, const struct vring_part *parts, unsigned readable,
                 unsigned writable),
                (r, cookie, parts, readable, writable))

struct vring_item { /* a buffer of one part */
    void *cookie;
    uint64_t addr;
    uint32_t bytes;
};

/* Adds up to n buffers of one part without making them visible. Returns how many had room. */
VRING_OPERATION(uint32_t, add,
                (struct vring * r, const struct vring_item *items, uint32_t n, bool device_writes),
                (r, items, n, device_writes))

/* Makes all that was added visible to the device. Returns how many buffers. */
VRING_OPERATION(uint16_t, publish, (struct vring * r), (r))

enum vring_kick { VRING_KICK_NONE, VRING_KICK_SEND, VRING_KICK_BY_FLAG, VRING_KICK_BY_EVENT };

/* The one kick decision for everything published since the last. *word is what the device said:
 * avail_event or used.flags; packed: off_wrap or flags. NONE: nothing new was published. */
VRING_OPERATION(enum vring_kick, kick_needed, (struct vring * r, uint16_t *word), (r, word))

struct vring_used { /* a buffer that comes back */
    void *cookie;
    uint32_t bytes; /* that the device wrote, at most what it was given */
    bool overlong;  /* it claimed more */
};

/* Takes up to n used buffers. Returns how many; 0: none, or the ring broke. */
VRING_OPERATION(uint32_t, pop, (struct vring * r, struct vring_used *used, uint32_t n),
                (r, used, n))

/* Used buffers waiting. Split: latches broken if the count is impossible. */
VRING_OPERATION(uint16_t, pending, (struct vring * r), (r))

/* Asks for no interrupts. Returns the word written: used_event, avail.flags, or packed flags. */
VRING_OPERATION(uint16_t, mask, (struct vring * r), (r))

/* Asks for an interrupt once `after` more buffers are used (1: the next one; more only counts with
 * EVENT_IDX, and in a packed ring counts slots), then looks again. Returns 0 and stays armed, or
 * the number of buffers that arrived meanwhile and is masked again. *word as in vring_mask, or the
 * packed off_wrap. */
VRING_OPERATION(uint16_t, arm, (struct vring * r, uint16_t after, uint16_t *word), (r, after, word))

/* After entries were popped while masked: keeps the parked used_event of a split ring out of the
 * device's way. */
VRING_OPERATION(void, repark, (struct vring * r), (r))

#undef VRING_OPERATION

/* After a reset of the device: gives back the cookies it still held, one a call; NULL: no more. */
void *vring_reclaim(struct vring *r);

/* Latches `broken`: the caller has found what the ring cannot see. */
static inline void vring_break(struct vring *r, enum vnet_error reason)
{
    if (!r->broken)
        r->broken = (uint8_t)reason;
}

/* Walks every invariant: free + with the device = size, the free list has no loop and names only
 * free ids, the counts agree. 0, or the line number of the broken one. */
int vring_check(const struct vring *r);

#endif
