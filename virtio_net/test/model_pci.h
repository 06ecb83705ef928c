/* A virtio-net PCI device for tests: configuration space with the virtio capabilities, registers
 * behind hosted_mmio_*, a ring_dev for each queue. It holds the driver to the letter: `violation`
 * is the first register access of wrong width, place, value or time. */
#ifndef VNET_TEST_MODEL_PCI_H
#define VNET_TEST_MODEL_PCI_H

#include "../vnet.h"
#include "../transport/pci_modern.h"
#include "../../faultinj/device.h"

#define MODEL_QUEUES   3 /* one more than the driver uses, as with a control queue */
#define MODEL_BAR      4
#define MODEL_COMMON   0x0000u /* where the structures lie in the BAR */
#define MODEL_ISR      0x1000u
#define MODEL_DEVICE   0x2000u
#define MODEL_NOTIFY   0x3000u
#define MODEL_BYTES    0x4000u
#define MODEL_MULTIPLY 4u

struct model_cap { /* one capability of the list, in order */
    uint8_t type, bar;
    uint32_t offset, length;
};
#define MODEL_CAPS 8

struct model_queue {
    uint16_t max, size, vector, enable;
    uint32_t addr[6]; /* desc, driver, device; low word first */
    uint64_t doorbells;
    struct ring_dev ring;
};

struct model {
    /* Set by the test before the driver looks. */
    uint64_t offered;
    uint16_t num_queues;
    uint32_t multiplier;
    bool refuses_features;
    bool hangs_in_reset;
    bool refuses_vectors;
    uint8_t reset_reads; /* status reads until a reset is over */
    unsigned churn;      /* this many reads of the generation find a new one */
    struct model_cap caps[MODEL_CAPS];
    unsigned caps_used;
    struct virtio_net_config config;
    void (*on_doorbell)(uint16_t queue);
    /* What the driver did. */
    const char *violation;
    uint64_t accepted;
    uint32_t feature_select[2]; /* device's, driver's */
    uint8_t status, generation, isr, reset_left;
    uint16_t queue_select;
    struct model_queue queue[MODEL_QUEUES];
    uint8_t bar[MODEL_BYTES]; /* addresses only: nothing is stored here */
};

struct vnet_pci {
    struct model *model;
};

/* A device that works, offering `offered`, with queues of at most `max`. The one that the register
 * accesses of this process reach from now on. */
void model_pci_init(struct model *m, uint64_t offered, uint16_t max);

/* The first violation of either the registers' or a ring's rules, or NULL. */
const char *model_violation(const struct model *m);

/* Raises the shared line's cause. */
void model_isr(struct model *m, uint8_t bits);

#endif
