/* The device side of one virtqueue, split or packed, written from the specification and not from
 * the driver: the other end of the ring in the tests. It notifies as vhost does, finds fault with
 * the driver, and misbehaves on command.
 *
 * One context at a time calls in.
 */
#ifndef FAULTINJ_DEVICE_H
#define FAULTINJ_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include "../virtio_net/virtio_spec.h"

#ifndef RING_DEV_SIZE_MAX
#define RING_DEV_SIZE_MAX 32768u
#endif
#define RING_DEV_PARTS_MAX 64u

enum ring_dev_trick { /* done once, to the next entry or signal, and then forgotten */
                      RING_DEV_HONEST,
                      RING_DEV_ID_RANGE,     /* the next used id is the queue size */
                      RING_DEV_ID_TWICE,     /* the next entry repeats the id before it */
                      RING_DEV_LEN_LONG,     /* the next length is one more than the buffer has */
                      RING_DEV_LEN_SHORT,    /* the next length is less than any header */
                      RING_DEV_IDX_JUMP,     /* split: the next used.idx is a ring and one ahead */
                      RING_DEV_IRQ_LOST,     /* the next interrupt that is due is not sent */
                      RING_DEV_IRQ_SPURIOUS, /* the next interrupt that is not due is sent */
};

struct ring_dev_part {
    uint8_t *data;
    uint32_t bytes;
    bool writable;
};

struct ring_dev_buf {
    uint16_t id;
    unsigned parts, readable; /* the readable ones come first */
    uint32_t writable_bytes, readable_bytes;
    struct ring_dev_part part[RING_DEV_PARTS_MAX];
};

struct ring_dev_held { /* a buffer in the device's hands */
    uint32_t bytes;    /* that it may write */
    uint16_t descs;    /* descriptors of the ring that it takes; 0: not held */
};

struct ring_dev_config {
    uint16_t size, start; /* start as in vring_config */
    bool packed, event_idx, indirect;
    uint64_t desc, avail, used; /* packed: avail the driver area, used the device area */
    /* Where the driver's memory is in this process; NULL: not its memory. Without it device
     * addresses are pointers. desc, avail and used are pointers in any case. */
    void *(*at)(uint64_t addr, uint32_t bytes);
};

struct ring_dev {
    struct ring_dev_config c;
    /* Positions. Split: indices; packed: slot and wrap counter. */
    uint16_t avail_at;  /* next to take */
    uint16_t used_at;   /* next to fill */
    uint16_t shown_at;  /* up to where the driver sees used entries */
    uint16_t signal_at; /* shown_at at the last decision to interrupt or not */
    bool signal_valid;
    uint16_t last_id;
    uint32_t in_hand; /* descriptors of buffers taken and not used yet */
    enum ring_dev_trick trick;
    uint64_t irqs_wanted;     /* decisions to interrupt that the driver's word called for */
    uint64_t irqs_blind;      /* those made before there was a position to compare with */
    const char *driver_error; /* the first thing the driver did wrong, by its rule, or NULL */
    struct ring_dev_held held[RING_DEV_SIZE_MAX];
    uint16_t unshown[RING_DEV_SIZE_MAX]; /* packed: slots of used entries not shown yet */
    uint16_t unshown_used;
};

/* A queue as it is enabled. The ring memory stays the driver's. */
void ring_dev_init(struct ring_dev *d, const struct ring_dev_config *c);

/* Whether buffers that were not taken yet are available. */
bool ring_dev_waiting(struct ring_dev *d);

/* Takes the next available buffer. False: there is none, or driver_error says why not. */
bool ring_dev_take(struct ring_dev *d, struct ring_dev_buf *buf);

/* Writes a used entry, in any order of ids; the driver sees it after ring_dev_show. */
void ring_dev_use(struct ring_dev *d, uint16_t id, uint32_t bytes);

/* Lets the driver see all entries written so far, at once. */
void ring_dev_show(struct ring_dev *d);

/* Decides about the interrupt for what was shown since the last decision. True: send one. */
bool ring_dev_signal(struct ring_dev *d);

/* "Stop kicking me": says so where there is a way to say it, which is a flag. */
void ring_dev_kicks_off(struct ring_dev *d);

/* "Kick me for the next buffer", then looks again. True: buffers came meanwhile, and no kick may
 * follow for them. */
bool ring_dev_kicks_on(struct ring_dev *d);

/* Asks for the kick at any one position (EVENT_IDX). */
void ring_dev_kick_at(struct ring_dev *d, uint16_t event);

#endif
