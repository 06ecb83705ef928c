/* MSI-X: one message per table entry, each with a CPU vector of its own. */
#ifndef KERNEL_MSIX_H
#define KERNEL_MSIX_H

#include <stdbool.h>
#include "irq.h"
#include "pci.h"

/* Maps the table, masks every entry, enables MSI-X and with it disables INTx. Returns the number of
 * usable entries (at most 32), 0 when the device has no MSI-X or a malformed one. */
int msix_init(struct pci_dev *d);

/* Gives the entry a vector that calls handler(arg) on that CPU, and unmasks it. Setting an entry
 * again replaces the handler; handler NULL masks the entry and frees its vector. Returns 0, or -1
 * when the entry does not exist or vectors are out. */
int msix_set(struct pci_dev *d, unsigned entry, unsigned cpu, irq_handler handler, void *arg);

/* A message due while masked is kept by the device and sent on unmasking. */
void msix_mask(struct pci_dev *d, unsigned entry, bool masked);

bool msix_enabled(const struct pci_dev *d);

/* Masks and frees every entry, disables MSI-X. */
void msix_disable(struct pci_dev *d);

#endif
