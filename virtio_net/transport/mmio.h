/* Virtio over MMIO, version 2. */
#ifndef VNET_MMIO_H
#define VNET_MMIO_H

#include "../transport.h"

struct virtio_mmio {
    struct vnet_transport base;
    volatile uint8_t *regs;
    uint32_t config_bytes;
    uint16_t queues_ready; /* that this driver made ready, from queue 0 on */
    uint64_t accepted;     /* features */
};

/* Looks at the device whose registers, `bytes` of them, are mapped at `regs` and remain so. 0, or
 * -VNET_E_MMIO_MAGIC, -VNET_E_MMIO_VERSION, -VNET_E_NOT_NET, or -VNET_E_NO_DEVICE for an empty
 * slot, about which nothing is to be said. */
int virtio_mmio_probe(struct virtio_mmio *t, volatile void *regs, uint32_t bytes);

#endif
