/* "Receive-side scaling (RSS)": the device hashes a frame's addresses by a key of ours (Toeplitz),
 * the hash picks an entry of a table of ours, and the entry says which pair receives the frame. So
 * a flow stays in one queue, and which one is known beforehand. */
#ifndef VNET_RSS_H
#define VNET_RSS_H

#include <stdbool.h>
#include <stdint.h>

struct vnet_dev;
struct vnet_transport;

#define VNET_RSS_TABLE_MAX 256u
#define VNET_RSS_KEY_BYTES 40u

struct vnet_rss {
    uint32_t hash_types;  /* VIRTIO_NET_HASH_TYPE_*: what of a frame is hashed */
    uint16_t entries;     /* of the table: a power of two */
    uint8_t unclassified; /* the pair of frames for which no type fits */
    uint8_t key_bytes;
    uint8_t table[VNET_RSS_TABLE_MAX]; /* pairs; the hash, modulo `entries`, picks one */
    uint8_t key[VNET_RSS_KEY_BYTES];
};

struct vnet_rss_limits { /* what the device says it can */
    uint32_t hash_types;
    uint16_t entries;
};

/* Asks a device that offers RSS. False: it can less than the specification has every one do. */
bool vnet_rss_limits(struct vnet_transport *t, struct vnet_rss_limits *limits);

/* Every type that device and driver know, the pairs in turn in the least table that every device
 * takes, and the key of the published examples, so that anyone can foretell where a flow goes. */
void vnet_rss_default(const struct vnet_dev *dev, struct vnet_rss *rss);

/* The pairs in turn, over so many entries. */
void vnet_rss_spread(const struct vnet_dev *dev, struct vnet_rss *rss, uint16_t entries);

/* Whether the device may be told this: 0, or -VNET_E_CTRL_FEATURE or -VNET_E_CTRL_DATA. */
int vnet_rss_check(struct vnet_dev *dev, const struct vnet_rss *rss);

/* At the start, or at the restart of a device: tells it what it was told last, or, where that does
 * not suit it, the default. Returns as vnet_ctrl_rss does. */
int vnet_rss_start(struct vnet_dev *dev);

#endif
