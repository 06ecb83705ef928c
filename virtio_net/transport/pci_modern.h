/* Virtio over PCI, modern devices ("Virtio Over PCI Bus"). */
#ifndef VNET_PCI_MODERN_H
#define VNET_PCI_MODERN_H

#include <stddef.h>
#include "../transport.h"

/* What the transport needs of the bus; the port defines struct vnet_pci and these. */
struct vnet_pci;
uint8_t vnet_pci_read8(const struct vnet_pci *pci, unsigned offset);
uint32_t vnet_pci_read32(const struct vnet_pci *pci, unsigned offset);
/* Offset of the next vendor capability after `from` (0: the first), or 0. */
unsigned vnet_pci_next_vendor_cap(const struct vnet_pci *pci, unsigned from);
/* Maps bytes of a memory BAR, or NULL if they do not lie inside it. */
volatile void *vnet_pci_map(const struct vnet_pci *pci, unsigned bar, uint64_t offset,
                            size_t bytes);

struct pci_modern {
    struct vnet_transport base;
    volatile uint8_t *common;
    volatile uint8_t *isr;
    volatile uint8_t *device;
    uint32_t device_bytes;
    volatile uint8_t *notify;
    uint32_t notify_bytes;
    uint32_t notify_multiplier;
};

/* Finds and maps the capabilities. 0, or -VNET_E_NO_CAPABILITY. The mappings are the transport's
 * for as long as it is used. */
int pci_modern_probe(struct pci_modern *t, const struct vnet_pci *pci);

#endif
