/* The device side of one split virtqueue, written from the specification and not from the driver:
 * the other end of the ring in the tests. It notifies as vhost does, finds fault with the driver,
 * and misbehaves on command.
 *
 * Device addresses are pointers of this process. One context at a time calls in.
 */
#ifndef FAULTINJ_DEVICE_H
#define FAULTINJ_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include "../virtio_net/virtio_spec.h"

#define RING_DEV_SIZE_MAX 32768u

enum ring_dev_trick { /* done once, to the next entry or signal, and then forgotten */
                      RING_DEV_HONEST,
                      RING_DEV_ID_RANGE,     /* the next used id is the queue size */
                      RING_DEV_ID_TWICE,     /* the next entry repeats the id before it */
                      RING_DEV_LEN_LONG,     /* the next length is one more than the buffer has */
                      RING_DEV_LEN_SHORT,    /* the next length is less than any header */
                      RING_DEV_IDX_JUMP,     /* the next used.idx is a ring and one ahead */
                      RING_DEV_IRQ_LOST,     /* the next interrupt that is due is not sent */
                      RING_DEV_IRQ_SPURIOUS, /* the next interrupt that is not due is sent */
};

struct ring_dev_buf {
    uint16_t id;
    bool writable;
    uint32_t bytes;
    uint8_t *data;
};

struct ring_dev {
    uint16_t size;
    bool event_idx;
    const struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;
    uint16_t last_avail; /* next avail slot to take */
    uint16_t used_next;  /* next used slot to fill */
    uint16_t used_shown; /* used.idx as the driver sees it */
    uint16_t signalled;  /* used_shown at the last decision to interrupt or not */
    bool signalled_valid;
    uint16_t last_id;
    uint16_t in_hand; /* buffers taken and not used yet */
    enum ring_dev_trick trick;
    uint64_t irqs_wanted;     /* decisions to interrupt that the driver's word called for */
    uint64_t irqs_blind;      /* those made before there was an index to compare with */
    const char *driver_error; /* the first thing the driver did wrong, or NULL */
    uint8_t held[RING_DEV_SIZE_MAX];
    uint32_t held_bytes[RING_DEV_SIZE_MAX];
};

/* A queue as it is enabled: all indices 0. The ring memory stays the driver's. */
void ring_dev_init(struct ring_dev *d, uint16_t size, bool event_idx, uint64_t desc, uint64_t avail,
                   uint64_t used);

/* Buffers that the driver has made available and that were not taken yet. */
uint16_t ring_dev_waiting(struct ring_dev *d);

/* Takes the next available buffer. False: there is none, or driver_error says why not. */
bool ring_dev_take(struct ring_dev *d, struct ring_dev_buf *buf);

/* Writes a used entry, in any order of ids; the driver sees it after ring_dev_show. */
void ring_dev_use(struct ring_dev *d, uint16_t id, uint32_t bytes);

/* Stores used.idx over all entries written so far. */
void ring_dev_show(struct ring_dev *d);

/* Decides about the interrupt for what was shown since the last decision. True: send one. */
bool ring_dev_signal(struct ring_dev *d);

/* "Stop kicking me": says so where there is a way to say it, which is the flag. */
void ring_dev_kicks_off(struct ring_dev *d);

/* "Kick me for the next buffer", then looks again. True: buffers came meanwhile, and no kick may
 * follow for them. */
bool ring_dev_kicks_on(struct ring_dev *d);

/* Asks for the kick at any one index (EVENT_IDX). */
void ring_dev_kick_at(struct ring_dev *d, uint16_t event);

#endif
