/* Seam 2 of 5: how the driver reaches the device's control registers. Control path only: the kick
 * goes through the doorbell address that queue_setup returns. A transport embeds this struct first.
 * Errors are negative enum vnet_error. */
#ifndef VNET_TRANSPORT_H
#define VNET_TRANSPORT_H

#include <stdint.h>

struct vnet_transport;

struct vnet_ring_addr { /* device addresses of the three parts of a split virtqueue */
    uint64_t desc, avail, used;
};

struct vnet_transport_ops {
    /* "Device Reset": starts it; it is over when status_get returns 0. */
    void (*reset)(struct vnet_transport *t);
    uint8_t (*status_get)(struct vnet_transport *t);
    void (*status_set)(struct vnet_transport *t, uint8_t status);
    uint64_t (*features_get)(struct vnet_transport *t);
    void (*features_set)(struct vnet_transport *t, uint64_t features);
    uint8_t (*config_generation)(struct vnet_transport *t);
    uint8_t (*config_read8)(struct vnet_transport *t, uint32_t offset);
    /* The largest size the device takes for this queue; 0: there is no such queue. */
    uint16_t (*queue_max)(struct vnet_transport *t, uint16_t queue);
    /* Programs size, addresses and vector (VIRTIO_MSI_NO_VECTOR for none), enables the queue and
     * stores its doorbell address in *bell. VNET_E_VECTOR: the device refused the vector. */
    int (*queue_setup)(struct vnet_transport *t, uint16_t queue, uint16_t size,
                       const struct vnet_ring_addr *addr, uint16_t vector, void **bell);
    /* Reads the ISR status, which acknowledges a level interrupt. */
    uint8_t (*isr_ack)(struct vnet_transport *t);
};

struct vnet_transport {
    const struct vnet_transport_ops *ops;
};

#endif
