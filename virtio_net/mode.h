/* Seam 3 of 5: the interrupt-mitigation mode. Exactly one mode_*.c is linked; it defines what is
 * declared here and vnet_poll. Below are the pieces that modes are made of. */
#ifndef VNET_MODE_H
#define VNET_MODE_H

#include "vnet.h"

struct vnet_mode {
    const char *name;
    bool uses_irqs;    /* false: the port gives the queues no vector */
    bool works_in_irq; /* vnet_irq touches the ring: other callers keep interrupts off */
};
extern const struct vnet_mode vnet_mode;

/* The queue exists and nothing has happened on it yet: arm or mask. */
void mode_start(struct vnet_q *q);
/* An interrupt came for the queue and `waiting` used entries are there (0: spurious). */
void mode_irq(struct vnet_q *q, uint16_t waiting);
/* Frames were just published on a transmit queue. */
void mode_sent(struct vnet_q *q);

/* Fills the receive ring at the start. Returns how many buffers were missing. */
uint32_t vnet_rx_fill(struct vnet_q *q);

/* Lays out the ring and has the device enable it. 0 or a negative enum vnet_error. */
int vnet_queue_setup(struct vnet_q *q, void *memory, void *shadow);
/* Gives back every buffer of a queue that the device has let go of. */
void vnet_queue_empty(struct vnet_q *q, void (*give_back)(struct vnet_q *q, struct vnet_buf *buf));

/* vnet_attach of a device that has been attached before: by dev->config, counters kept. */
int vnet_reattach(struct vnet_dev *dev);

/* Pieces. Budgets and results count used entries. */
uint32_t vnet_rx_service(struct vnet_q *q, uint32_t budget);
uint32_t vnet_tx_reclaim(struct vnet_q *q, uint32_t budget);
void vnet_irq_mask(struct vnet_q *q);
/* Counts and traces, once, that the ring has latched broken. */
void vnet_note_broken(struct vnet_q *q);
/* Arms for `after` more used entries; returns how many had arrived meanwhile, 0: armed. */
uint16_t vnet_irq_arm(struct vnet_q *q, uint16_t after);

static inline uint32_t vnet_service(struct vnet_q *q, uint32_t budget)
{
    return vnet_is_rx(q) ? vnet_rx_service(q, budget) : vnet_tx_reclaim(q, budget);
}

static inline void vnet_count_poll(struct vnet_q *q, uint32_t done)
{
    q->stats.polls++;
    q->stats.polls_empty += done == 0;
}

#endif
