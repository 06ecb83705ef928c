/* PCI configuration through ports 0xCF8/0xCFC: functions found, capabilities, BARs. */
#ifndef KERNEL_PCI_H
#define KERNEL_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_MAX_DEVICES 64
#define PCI_BARS        6

#define PCI_COMMAND    0x04
#define PCI_STATUS     0x06
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

#define PCI_COMMAND_IO       0x001
#define PCI_COMMAND_MEMORY   0x002
#define PCI_COMMAND_MASTER   0x004
#define PCI_COMMAND_INTX_OFF 0x400

struct pci_bar {
    uint64_t base; /* physical address, or port number */
    uint64_t size; /* bytes, 0 = not implemented */
    bool io;
};

struct pci_dev {
    uint8_t bus, slot, func;
    uint8_t revision, class, subclass, header_type;
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint8_t irq_line;  /* 8259 input the firmware chose; 0 or 0xff = none */
    uint8_t irq_pin;   /* 1..4 = INTA..INTD, 0 = none */
    uint16_t msix_cap; /* the rest belongs to msix.c */
    uint16_t msix_entries;
    volatile uint32_t *msix_table;
    uint8_t msix_vector[32];
};

/* Finds every function behind the host bridge. Returns how many: none on a machine without PCI. */
int pci_scan(void);

/* The n-th function found, or NULL after the last. Structures live for ever. */
struct pci_dev *pci_device(int n);

/* The n-th function (from 0) with this identity, or NULL. */
struct pci_dev *pci_find(uint16_t vendor, uint16_t device, int n);

/* Configuration space, off < 256, naturally aligned, accessed at its own width. */
uint8_t pci_read8(const struct pci_dev *d, unsigned off);
uint16_t pci_read16(const struct pci_dev *d, unsigned off);
uint32_t pci_read32(const struct pci_dev *d, unsigned off);
void pci_write8(const struct pci_dev *d, unsigned off, uint8_t v);
void pci_write16(const struct pci_dev *d, unsigned off, uint16_t v);
void pci_write32(const struct pci_dev *d, unsigned off, uint32_t v);

/* Offset of the next capability with this id after the one at pos (0 = from the start), or 0. A
 * malformed list ends the walk. */
unsigned pci_next_cap(const struct pci_dev *d, unsigned pos, uint8_t id);

/* Base and size of BAR n; size 0 when it is absent or the upper half of a 64-bit one. Decoding is
 * off while it is sized, so do it before the device is used. */
struct pci_bar pci_bar(const struct pci_dev *d, unsigned n);

/* Maps bytes at offset of memory BAR n uncached, placing the BAR first if the firmware did not;
 * NULL when they do not lie inside it. */
volatile void *pci_map(const struct pci_dev *d, unsigned n, uint64_t offset, size_t bytes);

/* The first port of I/O BAR n and its *bytes, placing it likewise; 0 when BAR n is none. */
uint16_t pci_ports(const struct pci_dev *d, unsigned n, uint32_t *bytes);

/* Sets and clears bits of the command register: memory and I/O decoding, bus mastering, INTx. */
void pci_command(const struct pci_dev *d, uint16_t set, uint16_t clear);

#endif
