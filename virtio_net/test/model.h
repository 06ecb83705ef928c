/* A virtio-net device for tests: status, features, and queues with a ring_dev each; before them the
 * registers of one transport (model_pci.h, model_legacy.h, model_mmio.h). It holds the driver to
 * the letter: `violation` is the first thing it did wrong, led by the rule's name if it has one. */
#ifndef VNET_TEST_MODEL_H
#define VNET_TEST_MODEL_H

#include "../vnet.h"
#include "../../faultinj/device.h"

#define MODEL_QUEUES  5 /* two pairs and a control queue */
#define MODEL_CAPS    8
#define MODEL_BYTES   0x4000u
#define MODEL_VECTORS 4

struct model_queue {
    uint16_t max, size, vector, enable;
    bool vector_checked;    /* the driver has read it back */
    bool resetting;         /* until it has been asked often enough */
    bool was_reset;         /* alone, since the device was */
    uint8_t enable_left;    /* reads until it shows */
    uint8_t reset_left;     /* likewise */
    uint32_t addr[6];       /* desc, driver, device; low word first */
    uint32_t page;          /* legacy */
    uint16_t doorbell_data; /* NOTIF_CONFIG_DATA */
    uint64_t doorbells;
    struct ring_dev ring;
};

struct model_cap { /* one PCI capability of the list, in order */
    uint8_t type, bar;
    uint32_t offset, length;
    uint8_t bytes; /* cap_len */
};

/* A legacy device is as its guest: the driver has it on little-endian machines only. */
enum model_kind { MODEL_MODERN, MODEL_MMIO, MODEL_LEGACY };
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MODEL_KINDS 3
#else
#define MODEL_KINDS 2
#endif

struct model;
struct model_front { /* the registers of one transport; `at` counts from the start of `bar` */
    uint32_t (*mmio_read)(struct model *m, uint32_t at, unsigned bytes);
    void (*mmio_write)(struct model *m, uint32_t at, unsigned bytes, uint32_t v);
    uint32_t (*port_read)(struct model *m, uint16_t port, unsigned bytes);
    void (*port_write)(struct model *m, uint16_t port, unsigned bytes, uint32_t v);
    /* Rules that go by another name on each of them; NULL: there is no such rule. */
    const char *width, *in_reset, *enabled, *in_queue_reset;
    enum model_kind kind;
};

struct model {
    const struct model_front *front;
    /* Set by the test before the driver looks. */
    uint64_t offered;
    uint16_t num_queues;
    uint16_t vectors; /* entries of the MSI-X table; 0: MSI-X is off */
    bool refuses_features, refuses_vectors, hangs_in_reset;
    bool never_enables, hangs_in_queue_reset, keeps_queue_enabled;
    uint8_t reset_reads, features_ok_reads, enable_reads, queue_reset_reads; /* until it shows */
    unsigned churn; /* this many times the configuration is found changed */
    struct virtio_net_config config;
    void (*on_doorbell)(uint16_t queue);
    /* PCI */
    uint32_t ids, multiplier, port_bytes;
    uint8_t revision;
    struct model_cap caps[MODEL_CAPS];
    unsigned caps_used;
    /* MMIO */
    uint32_t magic, version, device_id;
    void (*on_ack)(void);
    /* What the driver did. */
    const char *violation;
    uint64_t accepted;
    uint32_t feature_select[2]; /* device's, driver's */
    uint32_t generation;
    uint16_t config_vector, queue_select;
    uint8_t status, isr, reset_left, features_ok_left;
    bool features_ok_read;
    unsigned looked_at;  /* MMIO: registers that come before others, as bits */
    bool stopping;       /* MMIO: a queue, and the driver has not read it back */
    size_t bytes_mapped; /* PCI */
    struct model_queue queue[MODEL_QUEUES];
    uint8_t bar[MODEL_BYTES]; /* addresses only: nothing is stored here */
};

/* A device that works, offering `offered`, with queues of at most `max`. The one that the register
 * accesses of this process reach from now on. */
void model_init(struct model *m, const struct model_front *front, uint64_t offered, uint16_t max);

/* The first violation of either the registers' or a ring's rules, or NULL. */
const char *model_violation(const struct model *m);

/* Raises the cause of an interrupt on the line. */
void model_isr(struct model *m, uint8_t bits);

/* What the registers do. */
void model_blame(struct model *m, const char *what);
/* Any register but the status is written. */
void model_touched(struct model *m);
uint8_t model_status_read(struct model *m);
void model_status_write(struct model *m, uint32_t value);
uint32_t model_generation_read(struct model *m);
uint32_t model_features_read(const struct model *m);
void model_features_write(struct model *m, uint32_t value);
uint32_t model_config_read(struct model *m, uint32_t at, unsigned bytes);
uint8_t model_isr_read(struct model *m);
/* What became of the vector. */
uint16_t model_vector(struct model *m, uint32_t value);
/* The queue that is selected, which exists. */
struct model_queue *model_selected(struct model *m);
/* The same, and one of its fields is written. */
struct model_queue *model_configured(struct model *m);
void model_queue_size(struct model *m, struct model_queue *q, uint32_t value, const char *rule);
void model_queue_enable(struct model *m, struct model_queue *q);
bool model_queue_enabled(struct model *m, struct model_queue *q);
void model_queue_clear(struct model_queue *q);
void model_queue_reset(struct model *m, struct model_queue *q, uint32_t value);
bool model_queue_resetting(struct model *m, struct model_queue *q);
void model_kick(struct model *m, uint32_t queue);

#endif
