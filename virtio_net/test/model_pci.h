/* The registers of a modern virtio PCI device, and the configuration space of either kind. */
#ifndef VNET_TEST_MODEL_PCI_H
#define VNET_TEST_MODEL_PCI_H

#include "model.h"
#include "../transport/pci_modern.h"

#define MODEL_BAR      4
#define MODEL_COMMON   0x0000u /* where the structures lie in the BAR */
#define MODEL_ISR      0x1000u
#define MODEL_DEVICE   0x2000u
#define MODEL_NOTIFY   0x3000u
#define MODEL_MULTIPLY 4u
#define MODEL_PORTS    0xc000u /* of BAR 0, where the legacy interface is */

#define MODEL_CAP_VENDOR 9u /* vendor data, which no driver of ours knows */

struct vnet_pci {
    struct model *model;
};

/* model_init, with the capabilities in a list. */
void model_pci_init(struct model *m, uint64_t offered, uint16_t max);

#endif
