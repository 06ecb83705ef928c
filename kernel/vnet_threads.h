/* The threads that serve an attached and started device. */
#ifndef KERNEL_VNET_THREADS_H
#define KERNEL_VNET_THREADS_H

#include "../virtio_net/vnet.h"

/* A poll thread for each pair and a watchdog for each CPU that serves one, as the mode needs them;
 * on the booting CPU those that mend the device and announce the guest. 0 or -VNET_E_MEMORY. */
int vnet_threads_start(struct vnet_dev *dev);

/* vnet_restart in a rendezvous (vnet_port.c). From a thread. */
int port_restart(void);

#endif
