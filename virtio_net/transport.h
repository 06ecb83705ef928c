/* Seam 2 of 5: how the driver reaches the device's control registers. Control path only: the kick
 * goes through the doorbell that queue_setup works out. A transport embeds this struct first.
 * Nothing here waits: what takes the device time is started by one operation and asked after with
 * another, and wait.c has the deadlines. Errors are negative enum vnet_error. */
#ifndef VNET_TRANSPORT_H
#define VNET_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "env.h"

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
    /* Changes when the configuration does; without such a register, when a value read since the
     * last time differs from the one read before. */
    uint32_t (*config_generation)(struct vnet_transport *t);
    /* One field of the configuration, by its natural width; 0 beyond its end. */
    uint8_t (*config_read8)(struct vnet_transport *t, uint32_t offset);
    uint16_t (*config_read16)(struct vnet_transport *t, uint32_t offset);
    /* NULL where no field is so wide: those came with bits above 31. */
    uint32_t (*config_read32)(struct vnet_transport *t, uint32_t offset);
    /* Vector for configuration changes, VIRTIO_MSI_NO_VECTOR for none. 0 or -VNET_E_VECTOR. */
    int (*set_config_vector)(struct vnet_transport *t, uint16_t vector);
    /* The largest size the device takes for this queue; 0: there is no such queue. */
    uint16_t (*queue_max)(struct vnet_transport *t, uint16_t queue);
    /* Programs size, addresses and vector (VIRTIO_MSI_NO_VECTOR for none), tells the device to
     * enable the queue and stores its doorbell in *bell. VNET_E_VECTOR: the device refused the
     * vector. */
    int (*queue_setup)(struct vnet_transport *t, uint16_t queue, uint16_t size,
                       const struct vnet_ring_addr *addr, uint16_t vector, struct env_bell *bell);
    bool (*queue_enabled)(struct vnet_transport *t, uint16_t queue);
    /* "Virtqueue Reset": starts it. 0, or -VNET_E_NO_QUEUE_RESET without RING_RESET. */
    int (*queue_reset)(struct vnet_transport *t, uint16_t queue);
    bool (*queue_reset_over)(struct vnet_transport *t, uint16_t queue);
    /* The causes of an interrupt on the device's line, VIRTIO_ISR_*. On PCI reading acknowledges.
     */
    uint8_t (*isr_read)(struct vnet_transport *t);
    /* Acknowledges causes once they are handled; NULL where isr_read did. */
    void (*irq_ack)(struct vnet_transport *t, uint8_t causes);
};

struct vnet_transport {
    const struct vnet_transport_ops *ops;
    const char *name;
    uint64_t features; /* of those that need something of the transport, the ones it can do */
    bool legacy;       /* the interface of before virtio 1.0 */
};

#endif
