/* Between the driver and the rest of the kernel: buffers, interrupts, polls, and who may call when.
 */
#ifndef KERNEL_VNET_PORT_H
#define KERNEL_VNET_PORT_H

#include <stdbool.h>
#include "../virtio_net/vnet.h"
#include "cpu.h"

/* A queue pair is one CPU's: its interrupts go there, its poll thread, watchdog and buffers are
 * there, and its workload runs there. All that serialises calls into the driver is that, and
 * port_lock. Pair n's is CPU n modulo their number, as long as each queue has a vector of its own
 * or needs none; where one interrupt stands for all queues, the booting CPU serves all. */
unsigned port_cpu(unsigned pair);

/* CPUs that serve a pair: those with a number below this. */
unsigned port_cpus(void);

/* Frames as the workloads see them: PORT_STAT(name, text). Each CPU counts for itself. */
struct port_stats {
#define PORT_STAT(name, text) uint64_t name;
#include "port_stats.def"
};
extern struct port_stats port_stats[CPU_MAX];

static inline struct port_stats *port_stats_of(unsigned pair)
{
    return &port_stats[port_cpu(pair)];
}

/* Buffers come from the pool of the pair's CPU and go back there: by that CPU, or in a rendezvous.
 * A pool is made at start: rings, a batch in hand, and some for senders. */
int port_pool_init(unsigned cpu, uint32_t count); /* -1: no memory */
struct vnet_buf *port_buf_alloc(unsigned pair);
void port_buf_free(unsigned pair, struct vnet_buf *b);
void port_frame_free(unsigned pair, struct vnet_buf *frame); /* with all its buffers */

/* Sends n frames by that queue pair and makes the kick decision. Returns how many the ring took;
 * the rest stays the caller's. From a thread of the pair's CPU, or from workload_rx. */
uint32_t port_send(unsigned pair, struct vnet_buf **bufs, uint32_t n);

/* Sleeps until a frame of a pair of this CPU has been sent and reclaimed, that is, until there is
 * room or a buffer; port_sent ends it. From a thread, with port_lock held. */
void port_wait_for_sent(void);
void port_sent(void);

/* Around a thread's calls into the driver: in modes that work in interrupt context it keeps
 * interrupts out. Returns what port_unlock wants. */
bool port_lock(void);
void port_unlock(bool was);

const uint8_t *port_mac(void);

/* The workload's receive side, called with 1..VNET_BATCH frames of that queue pair, which it now
 * owns, on the pair's CPU. */
void workload_rx(unsigned pair, struct vnet_buf **bufs, uint32_t n);

#endif
