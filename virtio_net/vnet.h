/* The virtio-net driver: a pure state machine over the environment and the transport. It never
 * blocks, sleeps, locks, allocates or prints.
 *
 * Serialisation: per queue, one caller at a time, vnet_irq included when vnet_mode.works_in_irq;
 * otherwise vnet_irq may interrupt any other call on the queue.
 * Ownership: a buffer given to vnet_tx or from vnet_up_alloc belongs to the driver until it comes
 * back through vnet_up_rx, vnet_up_tx_done or vnet_stop.
 */
#ifndef VNET_VNET_H
#define VNET_VNET_H

#include "ctrl.h"
#include "features.h"
#include "vring.h"

#define VNET_HDR_BYTES 12u   /* struct virtio_net_hdr, VERSION_1; room for it in any case */
#define VNET_FRAME_MAX 1514u /* no MTU, no offloads: an Ethernet frame without its FCS */
#define VNET_BUF_BYTES (VNET_HDR_BYTES + VNET_FRAME_MAX)
#define VNET_BATCH     32u /* frames handed over in one upcall */

#define VNET_PARTS_MAX 64u /* buffers of one frame: the largest frame, in the smallest buffers */

/* Entries of an indirect table: there is one for each entry of a transmit ring. Longer chains take
 * entries of the ring itself. */
#define VNET_INDIRECT_PARTS 20u

struct vnet_offload { /* in host byte order; all zero: nothing is asked for, or said */
    uint8_t flags;    /* VIRTIO_NET_HDR_F_*: to send NEEDS_CSUM only */
    uint8_t gso_type; /* VIRTIO_NET_HDR_GSO_* */
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

/* A frame is a buffer, or a chain of them, and goes by the first: there the frame begins after
 * VNET_HDR_BYTES of room for the header, in the others at `data`. */
struct vnet_buf {
    uint8_t *data;               /* contiguous for the device */
    uint32_t capacity;           /* bytes at data, at least VNET_BUF_BYTES */
    uint32_t len;                /* bytes of frame in this buffer */
    struct vnet_buf *next;       /* the rest of the frame, or NULL */
    struct vnet_offload offload; /* of the frame, in its first buffer */
};

struct vnet_stats {
#define STAT(name, text) uint64_t name;
#include "stats.def"
};

/* "Virtqueues": receiveq1, transmitq1, receiveq2 ...: a pair's two have numbers 2 * pair + these.
 */
enum { VNET_RX, VNET_TX, VNET_QUEUES };
#define VNET_PAIRS_MAX  8u
#define VNET_QUEUES_MAX (VNET_QUEUES * VNET_PAIRS_MAX)

struct vnet_q {
    struct vring ring;
    struct vnet_dev *dev;
    struct env_bell bell;
    uint16_t index;
    uint16_t vector;
    struct vring_config layout; /* chosen by vnet_attach */
    uint16_t hdr_bytes;         /* of the header, which ends where the frame begins */
    bool merges;                /* MRG_RXBUF: a received frame says how many buffers it has */
    uint32_t len_max;           /* of a frame to send */
    uint64_t armed_until;       /* `harvested` at which the armed interrupt has done its work */
    uint64_t watched;           /* harvested, at the watchdog's last look */
    uint64_t watched_ns;
    struct vnet_stats stats;
};

struct vnet_config {
    uint64_t want;                    /* features: vnet_features_default and what to do otherwise */
    uint16_t pairs;                   /* at most so many, with MQ; 0: one */
    uint16_t ring_size[VNET_QUEUES];  /* receive and transmit; 0: the device's maximum */
    uint16_t vector[VNET_QUEUES_MAX]; /* MSI-X table entries, or VIRTIO_MSI_NO_VECTOR */
    uint16_t config_vector;           /* likewise, for configuration changes */
};

struct vnet_dev {
    struct vnet_transport *transport;
    struct vnet_features features;
    uint8_t mac[6];
    bool link_up;
    bool announce; /* the device asks for gratuitous packets; vnet_ctrl_announced says they are sent
                    */
    uint16_t mtu;  /* of a packet, that is, a frame without its Ethernet header */
    uint16_t pairs;      /* that are set up */
    uint16_t pairs_used; /* of those, by the device: vnet_ctrl_pairs */
    struct vnet_rss_limits rss_limits;
    struct vnet_rss rss;     /* what the device was told last: vnet_ctrl_rss */
    uint64_t rss_on;         /* 1: it goes by that */
    uint64_t config_changes; /* announced by the device */
    uint64_t restarts;       /* vnet_restart that succeeded */
    struct vnet_ctrl ctrl;
    struct vnet_q q[VNET_QUEUES_MAX];
    struct vnet_config config; /* what vnet_restart goes by, and the memory it uses again */
    void *memory[VNET_QUEUES_MAX + 1], *shadow[VNET_QUEUES_MAX + 1];
};

static inline uint16_t vnet_queues(const struct vnet_dev *dev)
{
    return (uint16_t)(VNET_QUEUES * dev->pairs);
}

static inline bool vnet_is_rx(const struct vnet_q *q)
{
    return q->index % VNET_QUEUES == VNET_RX;
}

enum vnet_vectors { VNET_VECTORS_NONE, VNET_VECTORS_SHARED, VNET_VECTORS_OWN };

/* Divides the entries of an MSI-X table among cfg->pairs: one for each queue and one for the
 * configuration; one for all queues (vnet_irq_any) and one for the configuration; or, of fewer than
 * two, none, and the device's line serves (vnet_irq_shared). */
enum vnet_vectors vnet_share_vectors(struct vnet_config *cfg, unsigned entries);

/* The same among the pairs that vnet_attach found, which may be fewer than were asked for: between
 * vnet_attach and vnet_start. Returns 0 or a negative enum vnet_error; *how is set in either case.
 */
int vnet_reshare_vectors(struct vnet_dev *dev, unsigned entries, enum vnet_vectors *how);

/* Reset, negotiate, read the configuration, choose ring sizes. No queue exists yet.
 * Returns 0 or a negative enum vnet_error; dev->features is filled in either case once the device
 * answered. On error the device is left FAILED; one whose reset never ends is left alone. */
int vnet_attach(struct vnet_dev *dev, struct vnet_transport *t, const struct vnet_config *cfg);

/* Sets up the queues in the caller's memory, posts receive buffers, sets DRIVER_OK and makes the
 * first kicks. The two arrays have an entry for each of vnet_queues, of vring_bytes and
 * vring_shadow_bytes of its layout, and one more for the control queue if dev->ctrl.on, of
 * vnet_ctrl_bytes and likewise. Returns 0 or a negative enum vnet_error. The memory is the driver's
 * until vnet_stop returned. */
int vnet_start(struct vnet_dev *dev, void *const *memory, void *const *shadow);

/* Resets the device, then returns every frame or receive buffer it held through `give_back`. 0 or
 * -VNET_E_RESET_TIMEOUT, in which case the buffers stay with the device: it may still write. */
int vnet_stop(struct vnet_dev *dev, void (*give_back)(struct vnet_q *q, struct vnet_buf *buf));

/* Takes one queue from a running device ("Virtqueue Reset") and returns its buffers through
 * `give_back`. 0; -VNET_E_NO_QUEUE_RESET: the queue goes on as if nothing had been asked;
 * -VNET_E_QUEUE_RESET_TIMEOUT: the device may still use it, and its memory and buffers stay where
 * they are. The caller keeps interrupts of the queue out. */
int vnet_queue_reset(struct vnet_q *q, void (*give_back)(struct vnet_q *q, struct vnet_buf *buf));

/* Sets a queue up again after that, as vnet_start did. 0 or a negative enum vnet_error. */
int vnet_queue_restart(struct vnet_q *q, void *memory, void *shadow);

/* Why the device must be reset, as a negative enum vnet_error; 0: it need not be. The first looks
 * at the rings only and costs nothing; the second asks the device ("NEEDS_RESET": it tells of that
 * by a configuration change). */
int vnet_broken(const struct vnet_dev *dev);
int vnet_needs_reset(struct vnet_dev *dev);

/* The way out of either: vnet_stop, and the device brought up again in the same memory, with what
 * it then offers. The counters go on. 0 or a negative enum vnet_error, CHANGED if the memory no
 * longer suffices; frames under way come back through `give_back`. The caller keeps all others out.
 */
int vnet_restart(struct vnet_dev *dev, void (*give_back)(struct vnet_q *q, struct vnet_buf *buf));

/* Queues k <= n frames, in order, each with the header that its `offload` makes; ring full is
 * normal and the rest stays the caller's. Returns k. The device sees them at vnet_flush. A frame
 * that asks for an offload which was not accepted, is longer than the MTU or of too many buffers,
 * is taken, counted and returned by vnet_up_tx_done unsent. A pair that the device does not use
 * takes none. */
uint32_t vnet_tx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n);

/* Publishes what was added and makes the one kick decision for all of it. */
void vnet_flush(struct vnet_q *q);

/* One queue's interrupt (MSI-X). */
void vnet_irq(struct vnet_q *q);

/* One message (MSI-X) for all queues. */
void vnet_irq_any(struct vnet_dev *dev);

/* The device's line (INTx, MMIO), which others may share: asks the device for the cause, handles
 * and acknowledges it. False: the interrupt was another device's. */
bool vnet_irq_shared(struct vnet_dev *dev);

/* The configuration's own vector (MSI-X): reads the link's state anew. */
void vnet_config_changed(struct vnet_dev *dev);

struct vnet_poll_result {
    uint32_t done; /* used entries handled; a frame of several may exceed the budget by its rest */
    bool again;    /* call again: budget used up, or work arrived while arming */
};

/* One pass of the mode over a queue. */
struct vnet_poll_result vnet_poll(struct vnet_q *q, uint32_t budget);

/* Call now and then for a queue that waits for interrupts: if entries wait that the armed interrupt
 * should have announced, and did at the last look `patience_ns` or more ago too, the interrupt was
 * lost; takes them up as if it had come and returns true. */
bool vnet_watchdog(struct vnet_q *q, uint64_t now, uint64_t patience_ns);

/* 0, or the line number of a broken invariant (vring_check). */
int vnet_check(const struct vnet_q *q);

const char *vnet_error_text(int error);

/* Upcalls: linked, not pointed to, so that the packet path has no indirect call. */

/* Up to n buffers to post, n at most VNET_BATCH; returns how many there were. Where they are short
 * the driver drops frames and posts their buffers again, so the receive ring never shrinks. */
uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n);
/* n buffers (no frames: each goes alone) that the driver had or took and does not need: their ring
 * is broken, or a frame for which they came was dropped. */
void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n);
/* n received frames, 1..VNET_BATCH; they are the port's now. With MRG_RXBUF a frame may be a chain.
 */
void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n);
/* n sent frames; they are the port's again. */
void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n);
/* Call vnet_poll on this queue soon, outside interrupt context. From vnet_irq. */
void vnet_up_schedule(struct vnet_q *q);

#endif
