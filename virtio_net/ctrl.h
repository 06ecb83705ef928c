/* The control virtqueue ("Control Virtqueue"): one command at a time, sent and awaited. Never from
 * interrupt context, and one caller at a time for a device: a wait takes as long as the device
 * does, a second at most. A command without an answer breaks the queue for good, as its memory is
 * still the device's; every later one returns the same error at once. */
#ifndef VNET_CTRL_H
#define VNET_CTRL_H

#include "rss.h"
#include "vring.h"

struct vnet_dev;

#define VNET_CTRL_DATA 1024u /* bytes of a command after its class and number */

#define VNET_CTRL_RESULT 8u /* bytes that the device adds to its acknowledgement */

struct vnet_ctrl_area { /* device-visible */
    struct virtio_net_ctrl_hdr header;
    uint8_t data[VNET_CTRL_DATA];
    uint8_t ack;
    uint8_t result[VNET_CTRL_RESULT];
};

struct vnet_ctrl {
    bool on;        /* CTRL_VQ was accepted */
    uint16_t index; /* virtqueue number */
    struct vring_config layout;
    struct vring ring;
    struct env_bell bell;
    struct vnet_ctrl_area *area;
    uint64_t commands, refused;
};

/* Bytes of ring memory, the area of commands included; the shadow's are vring_shadow_bytes. */
size_t vnet_ctrl_bytes(const struct vnet_dev *dev);

/* The commands. Each returns 0, or a negative enum vnet_error: CTRL_FEATURE (not negotiated),
 * CTRL_REFUSED (by the device), CTRL_DATA (too long), CTRL_TIMEOUT and what breaks a ring. */

/* "Packet Receive Filtering": VIRTIO_NET_CTRL_RX_*. */
int vnet_ctrl_rx_mode(struct vnet_dev *dev, uint8_t mode, bool on);
/* "Setting MAC Address Filtering": replaces both tables. */
int vnet_ctrl_mac_table(struct vnet_dev *dev, const uint8_t (*unicast)[6], uint32_t unicasts,
                        const uint8_t (*multicast)[6], uint32_t multicasts);
/* Sets the device's own address, and dev->mac with it. */
int vnet_ctrl_mac(struct vnet_dev *dev, const uint8_t mac[6]);
/* "VLAN Filtering" */
int vnet_ctrl_vlan(struct vnet_dev *dev, uint16_t vid, bool add);
/* "Gratuitous Packet Sending": the packets are sent. Clears dev->announce. */
int vnet_ctrl_announced(struct vnet_dev *dev);
/* "Automatic receive steering in multiqueue mode": so many pairs of those that are set up. */
int vnet_ctrl_pairs(struct vnet_dev *dev, uint16_t pairs);
/* "Setting RSS parameters": a copy of *rss, which is where the device steers by from here on and,
 * after vnet_restart, again; transmit queues are those of all pairs. The pairs command ends it, and
 * so may a refusal: dev->rss_on. */
int vnet_ctrl_rss(struct vnet_dev *dev, const struct vnet_rss *rss);
/* "Offloads State Configuration": exactly these VNET_F bits, of those accepted. */
int vnet_ctrl_offloads(struct vnet_dev *dev, uint64_t offloads);

struct vnet_coalesce {
    uint32_t packets; /* a notification after so many, */
    uint32_t usecs;   /* or when so long has passed */
};
/* "Notifications Coalescing": for all queues of a direction, and for one queue. */
int vnet_ctrl_coalesce(struct vnet_dev *dev, bool rx, struct vnet_coalesce c);
int vnet_ctrl_vq_coalesce(struct vnet_dev *dev, uint16_t queue, struct vnet_coalesce c);
int vnet_ctrl_vq_coalesce_get(struct vnet_dev *dev, uint16_t queue, struct vnet_coalesce *c);

/* Set-up by the life of the device (dev.c). */
int vnet_ctrl_attach(struct vnet_dev *dev, uint16_t index);
int vnet_ctrl_setup(struct vnet_dev *dev, void *memory, void *shadow);

#endif
