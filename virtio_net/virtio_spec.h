/* Virtio 1.3 as seen on the wire: structures, offsets and constants, by the names and section
 * titles of the specification. https://docs.oasis-open.org/virtio/virtio/v1.3/
 * All multi-byte fields are little-endian (le16/le32/le64 accessors live in env.h). */
#ifndef VIRTIO_SPEC_H
#define VIRTIO_SPEC_H

#include <stdint.h>

/* "Device Status Field" */
#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED      128u

/* "The Virtqueue Descriptor Table" */
#define VIRTQ_DESC_F_NEXT     1u
#define VIRTQ_DESC_F_WRITE    2u
#define VIRTQ_DESC_F_INDIRECT 4u

struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
_Static_assert(sizeof(struct virtq_desc) == 16, "descriptor");

/* "The Virtqueue Available Ring"; used_event follows ring[queue size] */
#define VIRTQ_AVAIL_F_NO_INTERRUPT 1u

struct virtq_avail {
    uint16_t flags;
    uint16_t idx;
    uint16_t ring[];
};

/* "The Virtqueue Used Ring"; avail_event follows ring[queue size] */
#define VIRTQ_USED_F_NO_NOTIFY 1u

struct virtq_used_elem {
    uint32_t id;
    uint32_t len;
};
_Static_assert(sizeof(struct virtq_used_elem) == 8, "used element");

struct virtq_used {
    uint16_t flags;
    uint16_t idx;
    struct virtq_used_elem ring[];
};

#define VIRTQ_DESC_ALIGN  16u
#define VIRTQ_AVAIL_ALIGN 2u
#define VIRTQ_USED_ALIGN  4u
#define VIRTQ_SIZE_MAX    32768u

/* "Packed Virtqueues": "The Virtqueue Descriptor Table". AVAIL and USED are compared with the wrap
 * counters. */
#define PVIRTQ_DESC_F_AVAIL 0x80u
#define PVIRTQ_DESC_F_USED  0x8000u

struct pvirtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t id;
    uint16_t flags;
};
_Static_assert(sizeof(struct pvirtq_desc) == 16, "packed descriptor");

/* "Event Suppression Structure Format" */
#define PVIRTQ_EVENT_ENABLE  0u
#define PVIRTQ_EVENT_DISABLE 1u
#define PVIRTQ_EVENT_DESC    2u
#define PVIRTQ_WRAP          0x8000u /* the wrap counter, beside a 15-bit slot */

struct pvirtq_event_suppress {
    uint16_t off_wrap;
    uint16_t flags;
};
_Static_assert(sizeof(struct pvirtq_event_suppress) == 4, "event suppression");

/* "Used Buffer Notification Suppression": has the index moved past event? The arithmetic is
 * modulo 2^16 whatever the queue size. */
static inline int vring_need_event(uint16_t event, uint16_t new_idx, uint16_t old_idx)
{
    return (uint16_t)(new_idx - event - 1) < (uint16_t)(new_idx - old_idx);
}

/* "Network Device", "Device configuration layout" */
struct virtio_net_config {
    uint8_t mac[6];
    uint16_t status;
    uint16_t max_virtqueue_pairs;
    uint16_t mtu;
    uint32_t speed;
    uint8_t duplex;
    uint8_t rss_max_key_size; /* this and what follows with RSS */
    uint16_t rss_max_indirection_table_length;
    uint32_t supported_hash_types;
};
_Static_assert(sizeof(struct virtio_net_config) == 24, "net configuration");
#define VIRTIO_NET_PAIRS_MAX  0x8000u
#define VIRTIO_NET_S_LINK_UP  1u
#define VIRTIO_NET_S_ANNOUNCE 2u

/* "Device Operation": the header before each frame, 12 bytes once VERSION_1 is negotiated */
#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1u
#define VIRTIO_NET_HDR_F_DATA_VALID 2u
#define VIRTIO_NET_HDR_GSO_NONE     0u
#define VIRTIO_NET_HDR_GSO_TCPV4    1u
#define VIRTIO_NET_HDR_GSO_TCPV6    4u
#define VIRTIO_NET_HDR_GSO_ECN      0x80u

struct virtio_net_hdr {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
    uint16_t num_buffers;
};
_Static_assert(sizeof(struct virtio_net_hdr) == 12, "net header");
/* "Legacy Interface: Device Operation": without MRG_RXBUF it ends before num_buffers */
#define VIRTIO_NET_HDR_LEGACY_BYTES 10u

/* "Control Virtqueue" */
struct virtio_net_ctrl_hdr {
    uint8_t class;
    uint8_t command;
};
#define VIRTIO_NET_CTRL_OK  0u
#define VIRTIO_NET_CTRL_ERR 1u

#define VIRTIO_NET_CTRL_RX          0u
#define VIRTIO_NET_CTRL_RX_PROMISC  0u
#define VIRTIO_NET_CTRL_RX_ALLMULTI 1u
#define VIRTIO_NET_CTRL_RX_ALLUNI   2u
#define VIRTIO_NET_CTRL_RX_NOMULTI  3u
#define VIRTIO_NET_CTRL_RX_NOUNI    4u
#define VIRTIO_NET_CTRL_RX_NOBCAST  5u

#define VIRTIO_NET_CTRL_MAC           1u
#define VIRTIO_NET_CTRL_MAC_TABLE_SET 0u
#define VIRTIO_NET_CTRL_MAC_ADDR_SET  1u

#define VIRTIO_NET_CTRL_VLAN     2u
#define VIRTIO_NET_CTRL_VLAN_ADD 0u
#define VIRTIO_NET_CTRL_VLAN_DEL 1u

#define VIRTIO_NET_CTRL_ANNOUNCE     3u
#define VIRTIO_NET_CTRL_ANNOUNCE_ACK 0u

#define VIRTIO_NET_CTRL_MQ            4u
#define VIRTIO_NET_CTRL_MQ_PAIRS_SET  0u
#define VIRTIO_NET_CTRL_MQ_RSS_CONFIG 1u

#define VIRTIO_NET_CTRL_GUEST_OFFLOADS     5u
#define VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET 0u

#define VIRTIO_NET_CTRL_NOTF_COAL        6u
#define VIRTIO_NET_CTRL_NOTF_COAL_TX_SET 0u
#define VIRTIO_NET_CTRL_NOTF_COAL_RX_SET 1u
#define VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET 2u
#define VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET 3u

/* "Receive-side scaling (RSS)": what every device that offers it can at least */
#define VIRTIO_NET_RSS_KEY_LEAST   40u
#define VIRTIO_NET_RSS_TABLE_LEAST 128u

/* "Supported/enabled hash types" */
#define VIRTIO_NET_HASH_TYPE_IPV4   0x001u
#define VIRTIO_NET_HASH_TYPE_TCPV4  0x002u
#define VIRTIO_NET_HASH_TYPE_UDPV4  0x004u
#define VIRTIO_NET_HASH_TYPE_IPV6   0x008u
#define VIRTIO_NET_HASH_TYPE_TCPV6  0x010u
#define VIRTIO_NET_HASH_TYPE_UDPV6  0x020u
#define VIRTIO_NET_HASH_TYPE_IP_EX  0x040u
#define VIRTIO_NET_HASH_TYPE_TCP_EX 0x080u
#define VIRTIO_NET_HASH_TYPE_UDP_EX 0x100u
#define VIRTIO_NET_HASH_TYPES       0x1ffu /* all of these */

/* "PCI Device Discovery" */
#define VIRTIO_PCI_VENDOR           0x1af4u
#define VIRTIO_PCI_NET              0x1041u /* 0x1040 + device id 1 */
#define VIRTIO_PCI_NET_TRANSITIONAL 0x1000u

/* "Virtio Structure PCI Capabilities" */
#define VIRTIO_PCI_CAP_COMMON_CFG 1u
#define VIRTIO_PCI_CAP_NOTIFY_CFG 2u
#define VIRTIO_PCI_CAP_ISR_CFG    3u
#define VIRTIO_PCI_CAP_DEVICE_CFG 4u
#define VIRTIO_PCI_CAP_LEN        2u /* offsets inside the capability */
#define VIRTIO_PCI_CAP_TYPE       3u
#define VIRTIO_PCI_CAP_BAR        4u
#define VIRTIO_PCI_CAP_OFFSET     8u
#define VIRTIO_PCI_CAP_LENGTH     12u
#define VIRTIO_PCI_CAP_NOTIFY_MUL 16u

#define VIRTIO_PCI_CAP_BYTES        16u /* the least that cap_len may say */
#define VIRTIO_PCI_CAP_NOTIFY_BYTES 20u

/* "Common configuration structure layout" */
struct virtio_pci_common_cfg {
    uint32_t device_feature_select;
    uint32_t device_feature;
    uint32_t driver_feature_select;
    uint32_t driver_feature;
    uint16_t config_msix_vector;
    uint16_t num_queues;
    uint8_t device_status;
    uint8_t config_generation;
    uint16_t queue_select;
    uint16_t queue_size;
    uint16_t queue_msix_vector;
    uint16_t queue_enable;
    uint16_t queue_notify_off;
    uint32_t queue_desc_lo;
    uint32_t queue_desc_hi;
    uint32_t queue_driver_lo;
    uint32_t queue_driver_hi;
    uint32_t queue_device_lo;
    uint32_t queue_device_hi;
    uint16_t queue_notif_config_data; /* with NOTIF_CONFIG_DATA */
    uint16_t queue_reset;             /* with RING_RESET */
    uint16_t admin_queue_index;
    uint16_t admin_queue_num;
};
_Static_assert(sizeof(struct virtio_pci_common_cfg) == 64, "common cfg");
#define VIRTIO_PCI_COMMON_CFG_LEAST 56u /* what a device of virtio 1.0 has */

#define VIRTIO_MSI_NO_VECTOR 0xffffu

/* "Legacy Interfaces: A Note on PCI Device Layout": ports from BAR 0 on */
#define VIRTIO_PCI_LEGACY_DEVICE_FEATURES 0u
#define VIRTIO_PCI_LEGACY_DRIVER_FEATURES 4u
#define VIRTIO_PCI_LEGACY_QUEUE_ADDRESS   8u
#define VIRTIO_PCI_LEGACY_QUEUE_SIZE      12u
#define VIRTIO_PCI_LEGACY_QUEUE_SELECT    14u
#define VIRTIO_PCI_LEGACY_QUEUE_NOTIFY    16u
#define VIRTIO_PCI_LEGACY_DEVICE_STATUS   18u
#define VIRTIO_PCI_LEGACY_ISR_STATUS      19u
#define VIRTIO_PCI_LEGACY_CONFIG          20u /* with MSI-X on: two vectors, and then the rest */
#define VIRTIO_PCI_LEGACY_CONFIG_VECTOR   20u
#define VIRTIO_PCI_LEGACY_QUEUE_VECTOR    22u
#define VIRTIO_PCI_LEGACY_CONFIG_MSIX     24u
#define VIRTIO_PCI_LEGACY_ALIGN           4096u /* of a queue and of its used ring */

/* "MMIO Device Register Layout" */
#define VIRTIO_MMIO_MAGIC_VALUE         0x000u
#define VIRTIO_MMIO_VERSION             0x004u
#define VIRTIO_MMIO_DEVICE_ID           0x008u
#define VIRTIO_MMIO_VENDOR_ID           0x00cu
#define VIRTIO_MMIO_DEVICE_FEATURES     0x010u
#define VIRTIO_MMIO_DEVICE_FEATURES_SEL 0x014u
#define VIRTIO_MMIO_DRIVER_FEATURES     0x020u
#define VIRTIO_MMIO_DRIVER_FEATURES_SEL 0x024u
#define VIRTIO_MMIO_QUEUE_SEL           0x030u
#define VIRTIO_MMIO_QUEUE_SIZE_MAX      0x034u
#define VIRTIO_MMIO_QUEUE_SIZE          0x038u
#define VIRTIO_MMIO_QUEUE_READY         0x044u
#define VIRTIO_MMIO_QUEUE_NOTIFY        0x050u
#define VIRTIO_MMIO_INTERRUPT_STATUS    0x060u
#define VIRTIO_MMIO_INTERRUPT_ACK       0x064u
#define VIRTIO_MMIO_STATUS              0x070u
#define VIRTIO_MMIO_QUEUE_DESC          0x080u /* low word; the high one follows */
#define VIRTIO_MMIO_QUEUE_DRIVER        0x090u
#define VIRTIO_MMIO_QUEUE_DEVICE        0x0a0u
#define VIRTIO_MMIO_SHM_SEL             0x0acu
#define VIRTIO_MMIO_SHM_BASE_HIGH       0x0bcu
#define VIRTIO_MMIO_QUEUE_RESET         0x0c0u
#define VIRTIO_MMIO_CONFIG_GENERATION   0x0fcu
#define VIRTIO_MMIO_CONFIG              0x100u

#define VIRTIO_MMIO_MAGIC 0x74726976u
#define VIRTIO_ID_NET     1u

/* "ISR status capability", and InterruptStatus of MMIO */
#define VIRTIO_ISR_QUEUE  1u
#define VIRTIO_ISR_CONFIG 2u

#endif
