/* Virtio over PCI: capabilities, common configuration, doorbells. Every register is accessed at its
 * natural width, as "PCI-specific Initialization And Device Operation" asks. */
#include "pci_modern.h"
#include "../vnet.h"

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
    self(t)->accepted = features;
    for (uint32_t word = 0; word < 2; word++) {
        env_mmio_write32(c + COMMON(driver_feature_select), word);
        env_mmio_write32(c + COMMON(driver_feature), (uint32_t)(features >> 32 * word));
    }
}

static uint32_t op_config_generation(struct vnet_transport *t)
{
    return env_mmio_read8(self(t)->common + COMMON(config_generation));
}

static uint8_t op_config_read8(struct vnet_transport *t, uint32_t offset)
{
    return offset < self(t)->device_bytes ? env_mmio_read8(self(t)->device + offset) : 0;
}

static uint16_t op_config_read16(struct vnet_transport *t, uint32_t offset)
{
    return offset + 2 <= self(t)->device_bytes ? env_mmio_read16(self(t)->device + offset) : 0;
}

static uint32_t op_config_read32(struct vnet_transport *t, uint32_t offset)
{
    return offset + 4 <= self(t)->device_bytes ? env_mmio_read32(self(t)->device + offset) : 0;
}

/* "MSI-X Vector Configuration": a device short of resources answers NO_VECTOR. */
static int write_vector(volatile uint8_t *reg, uint16_t vector)
{
    env_mmio_write16(reg, vector);
    return env_mmio_read16(reg) == vector ? 0 : -VNET_E_VECTOR;
}

static int op_set_config_vector(struct vnet_transport *t, uint16_t vector)
{
    return write_vector(self(t)->common + COMMON(config_msix_vector), vector);
}

static void select(struct vnet_transport *t, uint16_t queue)
{
    env_mmio_write16(self(t)->common + COMMON(queue_select), queue);
}

static uint16_t op_queue_max(struct vnet_transport *t, uint16_t queue)
{
    volatile uint8_t *c = self(t)->common;
    if (queue >= env_mmio_read16(c + COMMON(num_queues)))
        return 0;
    select(t, queue);
    return env_mmio_read16(c + COMMON(queue_size));
}

static void write_address(volatile uint8_t *reg, uint64_t address)
{
    env_mmio_write32(reg, (uint32_t)address);
    env_mmio_write32(reg + 4, (uint32_t)(address >> 32));
}

/* Of the selected queue. */
static int find_bell(const struct pci_modern *p, uint16_t queue, struct env_bell *bell)
{
    volatile uint8_t *c = p->common;
    /* The multiplier may be 0: then all queues share one doorbell. */
    uint64_t at = (uint64_t)env_mmio_read16(c + COMMON(queue_notify_off)) * p->notify_multiplier;
    if (at + 2 > p->notify_bytes)
        return -VNET_E_NO_CAPABILITY;
    *bell = (struct env_bell){ .at = (uintptr_t)(p->notify + at), .value = queue };
    if (p->accepted & VNET_F(NOTIF_CONFIG_DATA))
        bell->value = env_mmio_read16(c + COMMON(queue_notif_config_data));
    return 0;
}

static int op_queue_setup(struct vnet_transport *t, uint16_t queue, uint16_t size,
                          const struct vnet_ring_addr *addr, uint16_t vector, struct env_bell *bell)
{
    volatile uint8_t *c = self(t)->common;
    select(t, queue);
    env_mmio_write16(c + COMMON(queue_size), size);
    int error = write_vector(c + COMMON(queue_msix_vector), vector);
    if (error)
        return error;
    write_address(c + COMMON(queue_desc_lo), addr->desc);
    write_address(c + COMMON(queue_driver_lo), addr->avail);
    write_address(c + COMMON(queue_device_lo), addr->used);
    error = find_bell(self(t), queue, bell);
    if (error)
        return error;
    env_mmio_write16(c + COMMON(queue_enable), 1);
    return 0;
}

static bool op_queue_enabled(struct vnet_transport *t, uint16_t queue)
{
    select(t, queue);
    return env_mmio_read16(self(t)->common + COMMON(queue_enable)) == 1;
}

static int op_queue_reset(struct vnet_transport *t, uint16_t queue)
{
    if (!(self(t)->accepted & VNET_F(RING_RESET)))
        return -VNET_E_NO_QUEUE_RESET;
    select(t, queue);
    env_mmio_write16(self(t)->common + COMMON(queue_reset), 1);
    return 0;
}

static bool op_queue_reset_over(struct vnet_transport *t, uint16_t queue)
{
    select(t, queue);
    return env_mmio_read16(self(t)->common + COMMON(queue_reset)) == 0;
}

static uint8_t op_isr_read(struct vnet_transport *t)
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
    .config_read16 = op_config_read16,
    .config_read32 = op_config_read32,
    .set_config_vector = op_set_config_vector,
    .queue_max = op_queue_max,
    .queue_setup = op_queue_setup,
    .queue_enabled = op_queue_enabled,
    .queue_reset = op_queue_reset,
    .queue_reset_over = op_queue_reset_over,
    .isr_read = op_isr_read,
};

/* The first usable instance of a type counts; longer capabilities, reserved types and reserved BARs
 * are passed over ("Virtio Structure PCI Capabilities"). Of a foreign type nothing else is read. */
static volatile uint8_t *map_cap(const struct vnet_pci *pci, uint8_t type, uint32_t least,
                                 uint32_t most, uint32_t *length, unsigned *found_at)
{
    uint8_t bytes =
        type == VIRTIO_PCI_CAP_NOTIFY_CFG ? VIRTIO_PCI_CAP_NOTIFY_BYTES : VIRTIO_PCI_CAP_BYTES;
    for (unsigned at = 0; (at = vnet_pci_next_vendor_cap(pci, at));) {
        if (vnet_pci_read8(pci, at + VIRTIO_PCI_CAP_TYPE) != type ||
            vnet_pci_read8(pci, at + VIRTIO_PCI_CAP_LEN) < bytes)
            continue;
        uint8_t bar = vnet_pci_read8(pci, at + VIRTIO_PCI_CAP_BAR);
        *length = vnet_pci_read32(pci, at + VIRTIO_PCI_CAP_LENGTH);
        if (bar > 5 || *length < least)
            continue;
        if (*length > most)
            *length = most;
        volatile uint8_t *p =
            vnet_pci_map(pci, bar, vnet_pci_read32(pci, at + VIRTIO_PCI_CAP_OFFSET), *length);
        if (!p)
            continue;
        *found_at = at;
        return p;
    }
    return NULL;
}

/* Enough for any queue number of a page-per-queue device; more is never mapped. */
#define NOTIFY_MAP_MAX 0x400000u
#define CONFIG_MAP_MAX 256u

/* The bits whose registers lie at the end of the common configuration, where it reaches so far. */
static uint64_t own_features(uint32_t common_bytes)
{
    uint64_t bits = 0;
    if (common_bytes >= COMMON(queue_reset))
        bits |= VNET_F(NOTIF_CONFIG_DATA);
    if (common_bytes >= COMMON(admin_queue_index))
        bits |= VNET_F(RING_RESET);
    return bits;
}

int pci_modern_probe(struct pci_modern *t, const struct vnet_pci *pci)
{
    uint32_t length, common_bytes = 0;
    unsigned at = 0;
    *t = (struct pci_modern){ .base = { .ops = &ops, .name = "pci-modern" } };
    t->common = map_cap(pci, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_COMMON_CFG_LEAST,
                        sizeof(struct virtio_pci_common_cfg), &common_bytes, &at);
    t->isr = map_cap(pci, VIRTIO_PCI_CAP_ISR_CFG, 1, 1, &length, &at);
    t->device = map_cap(pci, VIRTIO_PCI_CAP_DEVICE_CFG, 8, CONFIG_MAP_MAX, &t->device_bytes, &at);
    t->notify = map_cap(pci, VIRTIO_PCI_CAP_NOTIFY_CFG, 2, NOTIFY_MAP_MAX, &t->notify_bytes, &at);
    if (!t->common || !t->isr || !t->device || !t->notify)
        return -VNET_E_NO_CAPABILITY;
    t->notify_multiplier = vnet_pci_read32(pci, at + VIRTIO_PCI_CAP_NOTIFY_MUL);
    t->base.features = own_features(common_bytes);
    return 0;
}
