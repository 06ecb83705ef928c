#include "vnet_bus.h"
#include "../virtio_net/mode.h"
#include "../virtio_net/transport/mmio.h"
#include "../virtio_net/transport/pci_legacy.h"
#include "../virtio_net/transport/pci_modern.h"
#include "bootinfo.h"
#include "cmdline.h"
#include "console.h"
#include "irq.h"
#include "msix.h"
#include "page.h"
#include "pci.h"
#include "string.h"
#include "vm.h"
#include "vnet_port.h"

struct vnet_pci {
    struct pci_dev *dev;
};

static struct vnet_pci bus; /* of a device on PCI */
static unsigned mmio_line;  /* of one that is not */
static unsigned msix_entries;
static enum vnet_vectors vectors;
static const char *irq_kind = "none";

uint8_t vnet_pci_read8(const struct vnet_pci *pci, unsigned offset)
{
    return pci_read8(pci->dev, offset);
}

uint32_t vnet_pci_read32(const struct vnet_pci *pci, unsigned offset)
{
    return pci_read32(pci->dev, offset);
}

unsigned vnet_pci_next_vendor_cap(const struct vnet_pci *pci, unsigned from)
{
    return pci_next_cap(pci->dev, from, PCI_CAP_VENDOR);
}

volatile void *vnet_pci_map(const struct vnet_pci *pci, unsigned bar, uint64_t offset, size_t bytes)
{
    return pci_map(pci->dev, bar, offset, bytes);
}

uint16_t vnet_pci_ports(const struct vnet_pci *pci, unsigned bar, uint32_t *bytes)
{
    return pci_ports(pci->dev, bar, bytes);
}

bool vnet_pci_msix_on(const struct vnet_pci *pci)
{
    return msix_enabled(pci->dev);
}

static bool allowed(const char *transport)
{
    return !strcmp(cmdline.transport, "auto") || !strcmp(cmdline.transport, transport);
}

/* MSI-X first: the legacy interface looks different with it. Fewer than two entries serve nobody.
 */
static void open_msix(void)
{
    msix_entries = vnet_mode.uses_irqs && cmdline.msix ? (unsigned)msix_init(bus.dev) : 0;
    if (msix_entries < 2) {
        msix_disable(bus.dev);
        msix_entries = 0;
    }
}

static struct vnet_transport *probe_pci(void)
{
    static struct pci_modern modern;
    static struct pci_legacy legacy;
    struct vnet_transport *found = NULL;
    int error = 0;
    pci_command(bus.dev, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
    open_msix();
    if (allowed("modern") && !(error = pci_modern_probe(&modern, &bus)))
        found = &modern.base;
    else if (allowed("legacy") && !(error = pci_legacy_probe(&legacy, &bus)))
        found = &legacy.base;
    kprintf("vnet: PCI %02x:%02x.%x: %s%s\n", bus.dev->bus, bus.dev->slot, bus.dev->func,
            found ? "virtio-net by " : "", found ? found->name : vnet_error_text(error));
    return found;
}

static struct vnet_transport *open_pci(void)
{
    struct vnet_transport *t = NULL;
    if (!allowed("modern") && !allowed("legacy"))
        return NULL;
    for (int i = 0; !t && (bus.dev = pci_device(i)); i++) {
        if (pci_is_virtio_net(&bus))
            t = probe_pci();
    }
    return t;
}

struct mmio_place {
    uint64_t bytes, address, line;
};

/* <bytes>@<address>:<line>, as Linux has it */
static bool parse_place(const char *text, struct mmio_place *place)
{
    char copy[64], *address, *line;
    strlcpy(copy, text, sizeof(copy));
    address = strchr(copy, '@');
    line = address ? strchr(address, ':') : NULL;
    if (!line)
        return false;
    *address++ = *line++ = 0;
    return parse_u64(copy, &place->bytes) && parse_u64(address, &place->address) &&
           parse_u64(line, &place->line);
}

static bool is_ram(const struct mmio_place *place)
{
    for (unsigned i = 0; i < bootinfo.ranges; i++) {
        if (place->address < bootinfo.ram[i].end &&
            place->address + place->bytes > bootinfo.ram[i].start)
            return true;
    }
    return false;
}

/* Empty slots and other kinds of device are passed over in silence. */
static struct vnet_transport *probe_mmio(const char *text)
{
    static struct virtio_mmio mmio;
    struct mmio_place place;
    if (!parse_place(text, &place) || place.bytes <= VIRTIO_MMIO_CONFIG ||
        place.bytes > PAGE_SIZE || place.address % 4 || place.address >> 32 || is_ram(&place)) {
        kprintf("vnet: virtio_mmio.device=%s: no device can be there; "
                "expected <bytes>@<address>:<line>\n",
                text);
        return NULL;
    }
    int error =
        virtio_mmio_probe(&mmio, mmio_map(place.address, place.bytes), (uint32_t)place.bytes);
    if (error == -VNET_E_NO_DEVICE || error == -VNET_E_NOT_NET)
        return NULL;
    mmio_line = (unsigned)place.line;
    kprintf("vnet: MMIO 0x%lx line %u: %s\n", place.address, mmio_line,
            error ? vnet_error_text(error) : "virtio-net by mmio");
    return error ? NULL : &mmio.base;
}

static struct vnet_transport *open_mmio(void)
{
    struct vnet_transport *t = NULL;
    for (int i = 0; !t && allowed("mmio") && cmdline.mmio_devices[i]; i++)
        t = probe_mmio(cmdline.mmio_devices[i]);
    return t;
}

struct vnet_transport *vnet_bus_open(struct vnet_config *cfg)
{
    struct vnet_transport *t = open_pci();
    vnet_share_vectors(cfg, 0);
    if (!t)
        t = open_mmio();
    if (!t)
        kprintf("vnet: no device for transport=%s; start QEMU with -device virtio-net-pci, or with "
                "-machine microvm,acpi=off -device virtio-net-device "
                "-global virtio-mmio.force-legacy=false\n",
                cmdline.transport);
    return t;
}

static void queue_irq(void *arg)
{
    vnet_irq(arg);
}

static void any_queue_irq(void *arg)
{
    vnet_irq_any(arg);
}

static void config_irq(void *arg)
{
    vnet_config_changed(arg);
}

static void line_irq(void *arg)
{
    vnet_irq_shared(arg);
}

static int connect_line(struct vnet_dev *dev)
{
    irq_kind = bus.dev ? "intx" : "mmio";
    if (bus.dev && irq_register_intx(bus.dev, line_irq, dev)) {
        kprintf("vnet: the firmware routed no interrupt line to the device; give it MSI-X vectors "
                "or QEMU another firmware\n");
        return -1;
    }
    if (!bus.dev && irq_register_line(mmio_line, line_irq, dev)) {
        kprintf("vnet: interrupt line %u does not reach an 8259; QEMU's microvm needs pic=on and "
                "acpi=off\n",
                mmio_line);
        return -1;
    }
    return 0;
}

static int connect_vectors(struct vnet_dev *dev)
{
    bool own = vectors == VNET_VECTORS_OWN;
    int failed = 0;
    irq_kind = own ? "msix" : "msix-shared";
    for (int i = 0; own && i < vnet_queues(dev); i++)
        failed |= msix_set(bus.dev, dev->q[i].vector, port_cpu((unsigned)i / VNET_QUEUES),
                           queue_irq, &dev->q[i]);
    if (!own)
        failed = msix_set(bus.dev, dev->q[0].vector, 0, any_queue_irq, dev);
    failed |= msix_set(bus.dev, dev->config.config_vector, 0, config_irq, dev);
    if (failed)
        kprintf("vnet: no CPU vector is left for an MSI-X entry\n");
    return failed;
}

int vnet_bus_connect(struct vnet_dev *dev)
{
    int error = vnet_reshare_vectors(dev, msix_entries, &vectors);
    if (error)
        kprintf("vnet: %s\n", vnet_error_text(error));
    if (error || !vnet_mode.uses_irqs)
        return error;
    return vectors == VNET_VECTORS_NONE ? connect_line(dev) : connect_vectors(dev);
}

bool vnet_bus_pairs_apart(void)
{
    return !vnet_mode.uses_irqs || vectors == VNET_VECTORS_OWN;
}

const char *vnet_bus_irq_kind(void)
{
    return irq_kind;
}
