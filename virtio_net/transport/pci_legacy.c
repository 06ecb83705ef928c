/* The legacy interface: "Legacy Interfaces: A Note on PCI Device Layout". A queue is a page number,
 * its size is the device's, there are 32 feature bits, and nothing says that configuration changed.
 * Rings and configuration are in the guest's own byte order. */
#include "pci_legacy.h"
#include "../vnet.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the ring's stores are little-endian: right for the legacy interface only here");

static struct pci_legacy *self(struct vnet_transport *t)
{
    return (struct pci_legacy *)t;
}

static uint16_t port(struct vnet_transport *t, uint32_t offset)
{
    return (uint16_t)(self(t)->ports + offset);
}

static void op_reset(struct vnet_transport *t)
{
    env_out8(port(t, VIRTIO_PCI_LEGACY_DEVICE_STATUS), 0);
}

static uint8_t op_status_get(struct vnet_transport *t)
{
    return env_in8(port(t, VIRTIO_PCI_LEGACY_DEVICE_STATUS));
}

static void op_status_set(struct vnet_transport *t, uint8_t status)
{
    env_out8(port(t, VIRTIO_PCI_LEGACY_DEVICE_STATUS), status);
}

static uint64_t op_features_get(struct vnet_transport *t)
{
    return env_in32(port(t, VIRTIO_PCI_LEGACY_DEVICE_FEATURES));
}

static void op_features_set(struct vnet_transport *t, uint64_t features)
{
    env_out32(port(t, VIRTIO_PCI_LEGACY_DRIVER_FEATURES), (uint32_t)features);
}

/* "Legacy Interface: Device Configuration Space": fields are read until two reads agree. A value
 * not seen before counts as a change, so the first pass over the fields never stands alone. */
static uint8_t note(struct pci_legacy *p, uint32_t offset, uint8_t value)
{
    uint32_t bit = 1u << offset;
    if (!(p->seen_valid & bit) || p->seen[offset] != value)
        p->generation++;
    p->seen_valid |= bit;
    p->seen[offset] = value;
    return value;
}

static uint32_t op_config_generation(struct vnet_transport *t)
{
    return self(t)->generation;
}

static uint8_t op_config_read8(struct vnet_transport *t, uint32_t offset)
{
    struct pci_legacy *p = self(t);
    if (offset >= p->config_bytes)
        return 0;
    return note(p, offset, env_in8(port(t, p->config + offset)));
}

static uint16_t op_config_read16(struct vnet_transport *t, uint32_t offset)
{
    struct pci_legacy *p = self(t);
    if (offset + 2 > p->config_bytes)
        return 0;
    uint16_t value = env_in16(port(t, p->config + offset));
    note(p, offset, (uint8_t)value);
    note(p, offset + 1, (uint8_t)(value >> 8));
    return value;
}

/* "MSI-X Vector Configuration"; without MSI-X the registers are not there. */
static int write_vector(struct vnet_transport *t, uint32_t reg, uint16_t vector)
{
    if (!self(t)->msix)
        return vector == VIRTIO_MSI_NO_VECTOR ? 0 : -VNET_E_VECTOR;
    env_out16(port(t, reg), vector);
    return env_in16(port(t, reg)) == vector ? 0 : -VNET_E_VECTOR;
}

static int op_set_config_vector(struct vnet_transport *t, uint16_t vector)
{
    return write_vector(t, VIRTIO_PCI_LEGACY_CONFIG_VECTOR, vector);
}

static uint16_t select_for_size(struct vnet_transport *t, uint16_t queue)
{
    env_out16(port(t, VIRTIO_PCI_LEGACY_QUEUE_SELECT), queue);
    return env_in16(port(t, VIRTIO_PCI_LEGACY_QUEUE_SIZE));
}

static int op_queue_setup(struct vnet_transport *t, uint16_t queue, uint16_t size,
                          const struct vnet_ring_addr *addr, uint16_t vector, struct env_bell *bell)
{
    if (select_for_size(t, queue) != size)
        return -VNET_E_QUEUE_FIXED;
    if (env_in32(port(t, VIRTIO_PCI_LEGACY_QUEUE_ADDRESS)))
        return -VNET_E_QUEUE_IN_USE;
    uint64_t page = addr->desc / VIRTIO_PCI_LEGACY_ALIGN;
    if (addr->desc % VIRTIO_PCI_LEGACY_ALIGN || addr->used % VIRTIO_PCI_LEGACY_ALIGN ||
        page > UINT32_MAX)
        return -VNET_E_MEMORY;
    int error = write_vector(t, VIRTIO_PCI_LEGACY_QUEUE_VECTOR, vector);
    if (error)
        return error;
    env_out32(port(t, VIRTIO_PCI_LEGACY_QUEUE_ADDRESS), (uint32_t)page);
    *bell = (struct env_bell){
        .at = port(t, VIRTIO_PCI_LEGACY_QUEUE_NOTIFY),
        .value = queue,
        .kind = ENV_BELL_PORT16,
    };
    return 0;
}

static bool op_queue_enabled(struct vnet_transport *t, uint16_t queue)
{
    env_out16(port(t, VIRTIO_PCI_LEGACY_QUEUE_SELECT), queue);
    return env_in32(port(t, VIRTIO_PCI_LEGACY_QUEUE_ADDRESS)) != 0;
}

static int op_queue_reset(struct vnet_transport *t, uint16_t queue)
{
    (void)t;
    (void)queue;
    return -VNET_E_NO_QUEUE_RESET;
}

static uint8_t op_isr_read(struct vnet_transport *t)
{
    return env_in8(port(t, VIRTIO_PCI_LEGACY_ISR_STATUS));
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
    .set_config_vector = op_set_config_vector,
    .queue_max = select_for_size,
    .queue_setup = op_queue_setup,
    .queue_enabled = op_queue_enabled,
    .queue_reset = op_queue_reset,
    .isr_read = op_isr_read,
};

int pci_legacy_probe(struct pci_legacy *t, const struct vnet_pci *pci)
{
    uint32_t bytes;
    bool msix = vnet_pci_msix_on(pci);
    uint16_t config = msix ? VIRTIO_PCI_LEGACY_CONFIG_MSIX : VIRTIO_PCI_LEGACY_CONFIG;
    uint16_t ports = vnet_pci_ports(pci, 0, &bytes);
    if (!ports || bytes < config)
        return -VNET_E_NO_PORTS;
    bytes -= config;
    *t = (struct pci_legacy){
        .base = { .ops = &ops, .name = "pci-legacy", .legacy = true },
        .ports = ports,
        .msix = msix,
        .config = config,
        .config_bytes = bytes < PCI_LEGACY_CONFIG_KNOWN ? bytes : PCI_LEGACY_CONFIG_KNOWN,
    };
    return 0;
}
