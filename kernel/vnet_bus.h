/* Where the driver's device is, and how its interrupts reach the driver. */
#ifndef KERNEL_VNET_BUS_H
#define KERNEL_VNET_BUS_H

#include "../virtio_net/vnet.h"

/* Finds the device that cmdline.transport allows and prints one line about it, or about why there
 * is none. Fills the vectors of *cfg. Returns its transport, or NULL. */
struct vnet_transport *vnet_bus_open(struct vnet_config *cfg);

/* Brings interrupts to an attached device's driver, none in a mode that takes none. Returns 0, or
 * -1 after a line that says why. */
int vnet_bus_connect(struct vnet_dev *dev);

/* "none", "msix", "msix-shared", "intx" or "mmio". */
const char *vnet_bus_irq_kind(void);

#endif
