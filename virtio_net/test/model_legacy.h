/* The ports of a legacy virtio PCI device. Its place on the bus: model_pci.h. */
#ifndef VNET_TEST_MODEL_LEGACY_H
#define VNET_TEST_MODEL_LEGACY_H

#include "model_pci.h"
#include "../transport/pci_legacy.h"

/* model_init, with I/O BAR 0 and without capabilities. */
void model_legacy_init(struct model *m, uint64_t offered, uint16_t max);

#endif
