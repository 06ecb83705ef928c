/* Virtio over PCI before virtio 1.0: all registers in I/O BAR 0. */
#ifndef VNET_PCI_LEGACY_H
#define VNET_PCI_LEGACY_H

#include "../transport.h"
#include "pci.h"

#define PCI_LEGACY_CONFIG_KNOWN 12u /* bytes of configuration that a driver may want */

struct pci_legacy {
    struct vnet_transport base;
    uint16_t ports;  /* the first */
    bool msix;       /* the vector registers are there */
    uint16_t config; /* offset of the configuration */
    uint32_t config_bytes;
    uint32_t generation; /* counts values that differ from what was read before */
    uint8_t seen[PCI_LEGACY_CONFIG_KNOWN];
    uint32_t seen_valid; /* 1 << offset */
};

/* Finds the ports. 0, or -VNET_E_NO_PORTS. The place of the registers depends on MSI-X: it stays
 * enabled, or not, as it is now. */
int pci_legacy_probe(struct pci_legacy *t, const struct vnet_pci *pci);

#endif
