/* Virtio over PCI, modern devices ("Virtio Over PCI Bus"). */
#ifndef VNET_PCI_MODERN_H
#define VNET_PCI_MODERN_H

#include "../transport.h"
#include "pci.h"

struct pci_modern {
    struct vnet_transport base;
    volatile uint8_t *common;
    volatile uint8_t *isr;
    volatile uint8_t *device;
    uint32_t device_bytes;
    volatile uint8_t *notify;
    uint32_t notify_bytes;
    uint32_t notify_multiplier;
    uint64_t accepted; /* features */
};

/* Finds and maps the capabilities. 0, or -VNET_E_NO_CAPABILITY. The mappings are the transport's
 * for as long as it is used. */
int pci_modern_probe(struct pci_modern *t, const struct vnet_pci *pci);

#endif
