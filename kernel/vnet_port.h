/* Between the driver and the rest of the kernel: buffers, interrupts, polls, and who may call when.
 */
#ifndef KERNEL_VNET_PORT_H
#define KERNEL_VNET_PORT_H

#include <stdbool.h>
#include "../virtio_net/vnet.h"

/* Frames as the workloads see them: PORT_STAT(name, text), kept in `port_stats`. */
struct port_stats {
#define PORT_STAT(name, text) uint64_t name;
#include "port_stats.def"
};
extern struct port_stats port_stats;

/* Buffers come from one pool, made at start: rings, a batch in hand, and some for senders. */
int port_pool_init(uint32_t count); /* -1: no memory */
struct vnet_buf *port_buf_alloc(void);
void port_buf_free(struct vnet_buf *b);
void port_frame_free(struct vnet_buf *frame); /* with all its buffers */

/* Sends n frames by that queue pair and makes the kick decision. Returns how many the ring took;
 * the rest stays the caller's. From a thread, or from workload_rx. */
uint32_t port_send(unsigned pair, struct vnet_buf **bufs, uint32_t n);

/* Sleeps until a frame has been sent and reclaimed, that is, until there is room or a buffer. From
 * a thread, with port_lock held. */
void port_wait_for_sent(void);

/* Around a thread's calls into the driver: in modes that work in interrupt context it keeps
 * interrupts out. Returns what port_unlock wants. */
bool port_lock(void);
void port_unlock(bool was);

const uint8_t *port_mac(void);

/* The workload's receive side, called with 1..VNET_BATCH frames of that queue pair, which it now
 * owns. */
void workload_rx(unsigned pair, struct vnet_buf **bufs, uint32_t n);

#endif
