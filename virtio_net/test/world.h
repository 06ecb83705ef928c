/* The driver between a host and an application: the model device on the one side, doing as a vhost
 * worker does (sleeps until kicked, stops kicks while it works, looks again before it sleeps), a
 * pool of buffers and a source or an echo on the other, interrupts that come late in between.
 *
 * Nothing happens by itself: a test makes each step, or lets chance choose. With `jitter`, host
 * steps and interrupts also fall between any two accesses that the driver makes to shared memory.
 */
#ifndef VNET_TEST_WORLD_H
#define VNET_TEST_WORLD_H

#include "check.h"
#include "model_any.h"
#include "random.h"
#include "../mode.h"

#define WORLD_RING_MAX 1024u
#define WORLD_POOL     (2 * WORLD_RING_MAX + 4 * VNET_BATCH)
#define WORLD_FEATURES                                                                             \
    (VNET_F(VERSION_1) | VNET_F(RING_PACKED) | VNET_F(EVENT_IDX) | VNET_F(MAC) | VNET_F(STATUS) |  \
     VNET_F(MRG_RXBUF) | VNET_F(ANY_LAYOUT) | VNET_F(RING_RESET))

struct world_config {
    enum model_kind kind; /* MMIO always has the one line */
    bool packed, event_idx, shared_line, echo;
    uint16_t ring_size;
    uint64_t seed;
};

struct world_host { /* the worker of one queue */
    bool asleep;    /* waits for a kick */
    bool working;   /* kicks are off */
    uint16_t unshown;
    uint16_t in_hand_used; /* transmit: ids taken and not completed */
    uint16_t ids[WORLD_RING_MAX];
};

struct world {
    struct model model;
    struct vnet_dev dev;
    struct world_config config;
    struct rng rng;
    bool jitter;
    void (*at_store)(void); /* the device's turn right before each shared store, or NULL */
    bool in_irq, in_driver;
    bool irq_waiting[VNET_QUEUES];
    uint64_t irqs_sent[VNET_QUEUES];
    unsigned scheduled; /* 1 << queue */
    bool alloc_fails;
    uint64_t backlog;             /* frames that wait on the host for a receive buffer */
    uint64_t host_sent, received; /* frames; their numbers start at 0 */
    uint64_t rx_next, rx_gaps;
    uint64_t source_next, tx_seen, tx_next, tx_gaps;
    uint64_t refused; /* frames that found the transmit ring full */
    unsigned largest_upcall;
    struct world_host host[VNET_QUEUES];
    struct vnet_buf bufs[WORLD_POOL];
    struct vnet_buf *free_bufs[WORLD_POOL];
    unsigned free_count;
};
extern struct world world;

/* Attached and started, nothing sent. */
void world_init(const struct world_config *config);

static inline struct vnet_q *world_q(int index)
{
    return &world.dev.q[index];
}
struct ring_dev *world_ring(int index);
void *world_memory(int index); /* of the ring */
/* Whether the word in the ring really asks for no interrupt, whatever the driver believes. */
bool world_masked(int index);

/* Steps. Each returns whether anything happened. */
bool world_host_rx(void);           /* one frame from the backlog into a buffer */
bool world_host_tx(void);           /* takes one frame from the transmit ring */
bool world_host_complete(bool any); /* completes the oldest of those, or any */
bool world_show(int index); /* lets the driver see what was used, and decides on the interrupt */
bool world_irq(int index);  /* delivers a waiting interrupt */
bool world_poll(uint32_t budget); /* what the port's poll thread would do next */
void world_frames(unsigned n);    /* frames arrive at the host */
unsigned world_send(unsigned n);  /* the application sends; returns how many the ring took */

/* One step by chance. */
void world_step(uint32_t budget);
/* Lets everything run out: no new frames, no watchdog. */
void world_drain(uint32_t budget);
/* Asserts that everything ran out, that every frame is accounted for and every buffer in place. */
void world_quiet(void);

/* After a reset of one queue or of all: every buffer is where it belongs, and whatever comes now
 * gets through. */
void world_sound(uint32_t budget);

#endif
