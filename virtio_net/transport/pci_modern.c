/* Virtio over PCI: capabilities, common configuration, doorbells. Every register is accessed at its
 * natural width, as "PCI-specific Initialization And Device Operation" asks. */
#include "pci_modern.h"
#include "../vring.h"

#define COMMON(field) offsetof(struct virtio_pci_common_cfg, field)

static struct pci_modern *self(struct vnet_transport *t)
{
    return (struct pci_modern *)t;
}

static void op_reset(struct vnet_transport *t)
{
    env_mmio_write8(self(t)->common + COMMON(device_status), 0);
}

static uint8_t op_status_get(struct vnet_transport *t)
{
    return env_mmio_read8(self(t)->common + COMMON(device_status));
}

static void op_status_set(struct vnet_transport *t, uint8_t status)
{
    env_mmio_write8(self(t)->common + COMMON(device_status), status);
}

static uint64_t op_features_get(struct vnet_transport *t)
{
    volatile uint8_t *c = self(t)->common;
    uint64_t bits = 0;
    for (uint32_t word = 0; word < 2; word++) {
        env_mmio_write32(c + COMMON(device_feature_select), word);
        bits |= (uint64_t)env_mmio_read32(c + COMMON(device_feature)) << 32 * word;
    }
    return bits;
}

static void op_features_set(struct vnet_transport *t, uint64_t features)
{
    volatile uint8_t *c = self(t)->common;
    for (uint32_t word = 0; word < 2; word++) {
        env_mmio_write32(c + COMMON(driver_feature_select), word);
        env_mmio_write32(c + COMMON(driver_feature), (uint32_t)(features >> 32 * word));
    }
}

static uint8_t op_config_generation(struct vnet_transport *t)
{
    return env_mmio_read8(self(t)->common + COMMON(config_generation));
}

static uint8_t op_config_read8(struct vnet_transport *t, uint32_t offset)
{
    return offset < self(t)->device_bytes ? env_mmio_read8(self(t)->device + offset) : 0;
}

static uint16_t op_queue_max(struct vnet_transport *t, uint16_t queue)
{
    volatile uint8_t *c = self(t)->common;
    if (queue >= env_mmio_read16(c + COMMON(num_queues)))
        return 0;
    env_mmio_write16(c + COMMON(queue_select), queue);
    return env_mmio_read16(c + COMMON(queue_size));
}

static void write_address(volatile uint8_t *reg, uint64_t address)
{
    env_mmio_write32(reg, (uint32_t)address);
    env_mmio_write32(reg + 4, (uint32_t)(address >> 32));
}

static int op_queue_setup(struct vnet_transport *t, uint16_t queue, uint16_t size,
                          const struct vnet_ring_addr *addr, uint16_t vector, void **bell)
{
    struct pci_modern *p = self(t);
    volatile uint8_t *c = p->common;
    env_mmio_write16(c + COMMON(queue_select), queue);
    env_mmio_write16(c + COMMON(queue_size), size);
    env_mmio_write16(c + COMMON(queue_msix_vector), vector);
    /* "MSI-X Vector Configuration": a device short of resources answers NO_VECTOR. */
    if (env_mmio_read16(c + COMMON(queue_msix_vector)) != vector)
        return -VNET_E_VECTOR;
    write_address(c + COMMON(queue_desc_lo), addr->desc);
    write_address(c + COMMON(queue_driver_lo), addr->avail);
    write_address(c + COMMON(queue_device_lo), addr->used);
    /* The multiplier may be 0: then all queues share one doorbell. */
    uint64_t at = (uint64_t)env_mmio_read16(c + COMMON(queue_notify_off)) * p->notify_multiplier;
    if (at + 2 > p->notify_bytes)
        return -VNET_E_NO_CAPABILITY;
    *bell = (void *)(uintptr_t)(p->notify + at);
    env_mmio_write16(c + COMMON(queue_enable), 1);
    return 0;
}

static uint8_t op_isr_ack(struct vnet_transport *t)
{
    return env_mmio_read8(self(t)->isr);
}

static const struct vnet_transport_ops ops = {
    .reset = op_reset,
    .status_get = op_status_get,
    .status_set = op_status_set,
    .features_get = op_features_get,
    .features_set = op_features_set,
    .config_generation = op_config_generation,
    .config_read8 = op_config_read8,
    .queue_max = op_queue_max,
    .queue_setup = op_queue_setup,
    .isr_ack = op_isr_ack,
};

struct cap {
    uint8_t type, bar;
    uint32_t offset, length;
};

static struct cap read_cap(const struct vnet_pci *pci, unsigned at)
{
    return (struct cap){
        .type = vnet_pci_read8(pci, at + 3),
        .bar = vnet_pci_read8(pci, at + VIRTIO_PCI_CAP_BAR),
        .offset = vnet_pci_read32(pci, at + VIRTIO_PCI_CAP_OFFSET),
        .length = vnet_pci_read32(pci, at + VIRTIO_PCI_CAP_LENGTH),
    };
}

/* The first usable instance of a type counts; longer capabilities, reserved types and reserved BARs
 * are passed over ("Virtio Structure PCI Capabilities"). */
static volatile uint8_t *map_cap(const struct vnet_pci *pci, uint8_t type, uint32_t least,
                                 uint32_t most, uint32_t *length, unsigned *found_at)
{
    for (unsigned at = 0; (at = vnet_pci_next_vendor_cap(pci, at));) {
        struct cap c = read_cap(pci, at);
        if (c.type != type || c.bar > 5 || c.length < least)
            continue;
        *length = c.length < most ? c.length : most;
        volatile uint8_t *p = vnet_pci_map(pci, c.bar, c.offset, *length);
        if (!p)
            continue;
        if (found_at)
            *found_at = at;
        return p;
    }
    return NULL;
}

/* Enough for any queue number of a page-per-queue device; more is never mapped. */
#define NOTIFY_MAP_MAX 0x400000u
#define CONFIG_MAP_MAX 256u

int pci_modern_probe(struct pci_modern *t, const struct vnet_pci *pci)
{
    uint32_t length;
    unsigned notify_at = 0;
    *t = (struct pci_modern){ .base.ops = &ops };
    t->common = map_cap(pci, VIRTIO_PCI_CAP_COMMON_CFG, sizeof(struct virtio_pci_common_cfg),
                        sizeof(struct virtio_pci_common_cfg), &length, NULL);
    t->isr = map_cap(pci, VIRTIO_PCI_CAP_ISR_CFG, 1, 1, &length, NULL);
    t->device = map_cap(pci, VIRTIO_PCI_CAP_DEVICE_CFG, 8, CONFIG_MAP_MAX, &t->device_bytes, NULL);
    t->notify =
        map_cap(pci, VIRTIO_PCI_CAP_NOTIFY_CFG, 2, NOTIFY_MAP_MAX, &t->notify_bytes, &notify_at);
    if (!t->common || !t->isr || !t->device || !t->notify)
        return -VNET_E_NO_CAPABILITY;
    t->notify_multiplier = vnet_pci_read32(pci, notify_at + VIRTIO_PCI_CAP_NOTIFY_MUL);
    return 0;
}
