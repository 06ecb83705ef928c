/* Lays out the shared trace region and names the counters that the host reads in it. */
#ifndef KERNEL_TRACE_PORT_H
#define KERNEL_TRACE_PORT_H

#include "../virtio_net/vnet.h"

/* A stream for each CPU that serves a queue pair: no other writes. Before vnet_start, so that the
 * first kick is in the trace. Panics if the counters do not fit: a
 * counter nobody can read would make every conservation check lie. */
void trace_port_init(struct vnet_dev *dev, const char *irq_kind);

#endif
