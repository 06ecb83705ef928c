/* What the PCI transports need of the bus; the port defines struct vnet_pci and these. There is no
 * way to write configuration space: no transport has to. */
#ifndef VNET_PCI_H
#define VNET_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../virtio_spec.h"

struct vnet_pci;
uint8_t vnet_pci_read8(const struct vnet_pci *pci, unsigned offset);
uint32_t vnet_pci_read32(const struct vnet_pci *pci, unsigned offset);
/* Offset of the next vendor capability after `from` (0: the first), or 0. */
unsigned vnet_pci_next_vendor_cap(const struct vnet_pci *pci, unsigned from);
/* Maps bytes of a memory BAR, or NULL if they do not lie inside it. */
volatile void *vnet_pci_map(const struct vnet_pci *pci, unsigned bar, uint64_t offset,
                            size_t bytes);
/* The first port of an I/O BAR and its *bytes, or 0 if it is none. */
uint16_t vnet_pci_ports(const struct vnet_pci *pci, unsigned bar, uint32_t *bytes);
/* MSI-X is enabled in its capability. */
bool vnet_pci_msix_on(const struct vnet_pci *pci);

/* "PCI Device Discovery": by vendor and device, whatever the revision. */
static inline bool pci_is_virtio_net(const struct vnet_pci *pci)
{
    uint32_t id = vnet_pci_read32(pci, 0);
    return id == (VIRTIO_PCI_VENDOR | VIRTIO_PCI_NET << 16) ||
           id == (VIRTIO_PCI_VENDOR | VIRTIO_PCI_NET_TRANSITIONAL << 16);
}

#endif
