/* A split virtqueue, driver side. Only this file's implementation touches ring memory, and it knows
 * nothing of packets.
 *
 * Serialisation: the caller lets one context at a time call in per ring, and keeps interrupts for
 * the ring out while it does (the kernel port runs each queue's work with them off or masked).
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

/* What the driver remembers of a descriptor. The device may scribble over the shared table, so
 * nothing is ever read back from there. */
struct vring_shadow {
    void *cookie;
    uint32_t device_bytes; /* how many bytes the device may write */
    uint16_t next_free;
    bool with_device;
};

struct vring {
    uint16_t size;
    bool event_idx;
    bool masked;
    uint8_t broken; /* enum vnet_error, 0 while healthy */
    uint16_t free_head;
    uint16_t free_count;
    uint16_t avail_idx;  /* next slot to fill */
    uint16_t kicked_idx; /* avail_idx at the last kick decision */
    uint16_t used_idx;   /* next used entry to take */
    uint16_t parked_idx; /* used_idx when used_event was parked */
    uint64_t published;  /* avail_idx unwrapped: buffers ever made available */
    uint64_t harvested;  /* used_idx unwrapped: buffers ever taken back */
    struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;
    struct vring_shadow *shadow;
};

/* Bytes of device-visible ring memory, and of private shadow memory, for a queue of this size.
 * used_align: VIRTQ_USED_ALIGN, or what the legacy interface wants. */
size_t vring_bytes(uint16_t size, size_t used_align);
size_t vring_shadow_bytes(uint16_t size);

/* Lays out an empty ring in `memory` (16-byte aligned, vring_bytes long) and `shadow`. Everything
 * is zeroed, event words included: stale ones would suppress notifications of the new life.
 * Returns 0, -VNET_E_QUEUE_SIZE or -VNET_E_MEMORY. The caller keeps both memories until the device
 * has been reset. */
int vring_init(struct vring *r, uint16_t size, size_t used_align, bool event_idx, void *memory,
               void *shadow);

void vring_addresses(const struct vring *r, struct vnet_ring_addr *addr);

/* Fills a descriptor and its avail slot without making it visible. device_writes: the device may
 * write `bytes` there; otherwise it reads them. Returns 0, or -1 if no descriptor is free. */
int vring_add(struct vring *r, void *cookie, uint64_t dma, uint32_t bytes, bool device_writes);

/* Makes all that was added visible to the device. Returns how many. */
uint16_t vring_publish(struct vring *r);

enum vring_kick { VRING_KICK_NONE, VRING_KICK_SEND, VRING_KICK_BY_FLAG, VRING_KICK_BY_EVENT };

/* The one kick decision for everything published since the last. *word is what the device said:
 * avail_event or used.flags. NONE: nothing new was published. */
enum vring_kick vring_kick_needed(struct vring *r, uint16_t *word);

/* Takes the next used entry. Returns its cookie and, in *bytes, how much the device wrote, clamped
 * to what it was given (*overlong says it claimed more); NULL: none, or the ring broke. */
void *vring_pop(struct vring *r, uint32_t *bytes, bool *overlong);

/* Used entries waiting, from one read of used.idx. Latches broken if the count is impossible. */
uint16_t vring_pending(struct vring *r);

/* Asks for no interrupts. Returns the word written: used_event, or avail.flags. */
uint16_t vring_mask(struct vring *r);

/* Asks for an interrupt once `after` more entries are used (1: the next one; more only counts with
 * EVENT_IDX), then looks again. Returns 0 and stays armed, or the number of entries that arrived
 * meanwhile and is masked again. *word as in vring_mask. */
uint16_t vring_arm(struct vring *r, uint16_t after, uint16_t *word);

/* After entries were popped while masked: keeps the parked used_event out of the device's way. */
void vring_repark(struct vring *r);

/* After a reset of the device: gives back the cookies it still held, one a call; NULL: no more. */
void *vring_reclaim(struct vring *r);

/* Walks every invariant: free + with the device = size, the free list has no loop and names only
 * free descriptors, indices agree with the counts. 0, or the line number of the broken one. */
int vring_check(const struct vring *r);

#endif
