/* Where the driver's device is, and how its interrupts reach the driver. */
#ifndef KERNEL_VNET_BUS_H
#define KERNEL_VNET_BUS_H

#include "../virtio_net/vnet.h"

/* Finds the device that cmdline.transport allows and prints one line about it, or about why there
 * is none. Gives *cfg no vectors yet. Returns its transport, or NULL. */
struct vnet_transport *vnet_bus_open(struct vnet_config *cfg);

/* Divides the vectors among the pairs of an attached device and brings its interrupts to the
 * driver, none in a mode that takes none: a queue's to the CPU of its pair (port_cpu), all others
 * to the booting CPU. Before vnet_start. Returns 0, or -1 after a line that says why. */
int vnet_bus_connect(struct vnet_dev *dev);

/* Whether each queue pair's interrupts, if it has any, come apart from the other pairs', so that
 * pairs may be served by different CPUs. Once vnet_bus_connect has returned. */
bool vnet_bus_pairs_apart(void);

/* "none", "msix", "msix-shared", "intx" or "mmio". */
const char *vnet_bus_irq_kind(void);

#endif
