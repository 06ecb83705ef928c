/* The registers of a virtio-mmio device, version 2. They lie at the start of model.bar. */
#ifndef VNET_TEST_MODEL_MMIO_H
#define VNET_TEST_MODEL_MMIO_H

#include "model.h"
#include "../transport/mmio.h"

#define MODEL_MMIO_BYTES 512u

/* model_init, with a network device in the slot. */
void model_mmio_init(struct model *m, uint64_t offered, uint16_t max);

#endif
