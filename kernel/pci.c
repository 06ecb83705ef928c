#include "pci.h"
#include "page.h"
#include "panic.h"
#include "spinlock.h"
#include "vm.h"
#include "x86.h"

#define CONFIG_ADDRESS  0xcf8
#define CONFIG_DATA     0xcfc
#define CONFIG_ENABLE   0x80000000u
#define REG_VENDOR      0x00
#define REG_DEVICE      0x02
#define REG_REVISION    0x08
#define REG_SUBCLASS    0x0a
#define REG_CLASS       0x0b
#define REG_HEADER_TYPE 0x0e
#define REG_BAR0        0x10
#define REG_SECONDARY   0x19
#define REG_SUBSYSTEM   0x2c
#define REG_CAP_POINTER 0x34
#define REG_IRQ_LINE    0x3c
#define REG_IRQ_PIN     0x3d
#define STATUS_CAPS     0x10
#define HEADER_MULTI    0x80
#define HEADER_BRIDGE   1
#define BAR_IO          0x1
#define BAR_TYPE        0x6
#define BAR_64          0x4
#define FIRST_CAP       0x40
#define MAX_CAPS        48 /* 192 bytes of 4: a longer list is a loop */
#define ABSENT          0xffff
/* Above any RAM that pc and q35 put below 4 GiB, below the I/O APIC. */
#define PCI_WINDOW_START 0xe0000000ull
#define PCI_WINDOW_END   0xfec00000ull
/* Ports above those of the chipset. */
#define PCI_PORTS_START 0xc000ull
#define PCI_PORTS_END   0x10000ull

static struct pci_dev devices[PCI_MAX_DEVICES];
static int device_count;

/* Address and data are one register pair: nobody may come between. */
static struct spinlock config_lock = SPINLOCK("PCI configuration");

static void select(const struct pci_dev *d, unsigned off)
{
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)d->bus << 16 | (uint32_t)d->slot << 11 |
                             (uint32_t)d->func << 8 | (off & 0xfc));
}

static uint16_t data_port(unsigned off, unsigned width)
{
    kassert(off < 256 && off % width == 0);
    return (uint16_t)(CONFIG_DATA + (off & 3));
}

#define CONFIG_ACCESS(bits, in, out)                                                               \
    uint##bits##_t pci_read##bits(const struct pci_dev *d, unsigned off)                           \
    {                                                                                              \
        uint16_t port = data_port(off, bits / 8);                                                  \
        bool irq = spin_lock(&config_lock);                                                        \
        select(d, off);                                                                            \
        uint##bits##_t v = in(port);                                                               \
        spin_unlock(&config_lock, irq);                                                            \
        return v;                                                                                  \
    }                                                                                              \
                                                                                                   \
    void pci_write##bits(const struct pci_dev *d, unsigned off, uint##bits##_t v)                  \
    {                                                                                              \
        uint16_t port = data_port(off, bits / 8);                                                  \
        bool irq = spin_lock(&config_lock);                                                        \
        select(d, off);                                                                            \
        out(port, v);                                                                              \
        spin_unlock(&config_lock, irq);                                                            \
    }

CONFIG_ACCESS(8, inb, outb)
CONFIG_ACCESS(16, inw, outw)
CONFIG_ACCESS(32, inl, outl)

static void scan_bus(uint8_t bus);

static void add_function(struct pci_dev d)
{
    d.vendor = pci_read16(&d, REG_VENDOR);
    d.device = pci_read16(&d, REG_DEVICE);
    d.revision = pci_read8(&d, REG_REVISION);
    d.subclass = pci_read8(&d, REG_SUBCLASS);
    d.class = pci_read8(&d, REG_CLASS);
    d.header_type = pci_read8(&d, REG_HEADER_TYPE) & 0x7f;
    if (d.header_type == 0) {
        d.subsystem_vendor = pci_read16(&d, REG_SUBSYSTEM);
        d.subsystem = pci_read16(&d, REG_SUBSYSTEM + 2);
    }
    d.irq_line = pci_read8(&d, REG_IRQ_LINE);
    d.irq_pin = pci_read8(&d, REG_IRQ_PIN);
    d.msix_cap = (uint16_t)pci_next_cap(&d, 0, PCI_CAP_MSIX);
    if (device_count < PCI_MAX_DEVICES)
        devices[device_count++] = d;
    /* The firmware numbers buses depth first, so a secondary bus is always a higher one. */
    if (d.header_type == HEADER_BRIDGE && pci_read8(&d, REG_SECONDARY) > d.bus)
        scan_bus(pci_read8(&d, REG_SECONDARY));
}

static void scan_bus(uint8_t bus)
{
    for (uint8_t slot = 0; slot < 32; slot++) {
        struct pci_dev d = { .bus = bus, .slot = slot };
        if (pci_read16(&d, REG_VENDOR) == ABSENT)
            continue;
        int functions = pci_read8(&d, REG_HEADER_TYPE) & HEADER_MULTI ? 8 : 1;
        for (; d.func < functions; d.func++)
            if (pci_read16(&d, REG_VENDOR) != ABSENT)
                add_function(d);
    }
}

int pci_scan(void)
{
    device_count = 0;
    /* The address register can be read back; where there is none, ports read as all ones. */
    outl(CONFIG_ADDRESS, CONFIG_ENABLE);
    if (inl(CONFIG_ADDRESS) == CONFIG_ENABLE)
        scan_bus(0);
    return device_count;
}

struct pci_dev *pci_device(int n)
{
    return n >= 0 && n < device_count ? &devices[n] : NULL;
}

struct pci_dev *pci_find(uint16_t vendor, uint16_t device, int n)
{
    for (int i = 0; i < device_count; i++)
        if (devices[i].vendor == vendor && devices[i].device == device && n-- == 0)
            return &devices[i];
    return NULL;
}

unsigned pci_next_cap(const struct pci_dev *d, unsigned pos, uint8_t id)
{
    if (!(pci_read16(d, PCI_STATUS) & STATUS_CAPS))
        return 0;
    unsigned at = pci_read8(d, pos ? pos + 1 : REG_CAP_POINTER) & 0xfc;
    for (int n = 0; n < MAX_CAPS && at >= FIRST_CAP; n++) {
        if (pci_read8(d, at) == id)
            return at;
        at = pci_read8(d, at + 1) & 0xfc;
    }
    return 0;
}

void pci_command(const struct pci_dev *d, uint16_t set, uint16_t clear)
{
    pci_write16(d, PCI_COMMAND, (uint16_t)((pci_read16(d, PCI_COMMAND) & ~clear) | set));
}

static uint32_t probe_mask(const struct pci_dev *d, unsigned reg)
{
    uint32_t saved = pci_read32(d, reg);

    pci_write32(d, reg, UINT32_MAX);
    uint32_t mask = pci_read32(d, reg);
    pci_write32(d, reg, saved);
    return mask;
}

/* BAR n is the upper half of a 64-bit one: found from the first BAR on, as any value may be there.
 */
static bool is_upper_half(const struct pci_dev *d, unsigned n)
{
    unsigned i = 0;

    while (i < n) {
        uint32_t low = pci_read32(d, REG_BAR0 + 4 * i);
        i += !(low & BAR_IO) && (low & BAR_TYPE) == BAR_64 ? 2 : 1;
    }
    return i != n;
}

static struct pci_bar size_bar(const struct pci_dev *d, unsigned n)
{
    unsigned reg = REG_BAR0 + 4 * n;
    uint32_t low = pci_read32(d, reg), mask = probe_mask(d, reg);
    struct pci_bar bar = { 0 };

    if (mask == 0)
        return bar;
    if (low & BAR_IO) {
        bar.io = true;
        bar.base = low & ~3u;
        bar.size = (uint16_t)(~(mask & ~3u) + 1);
        return bar;
    }
    uint64_t base = low & ~15u, wide_mask = (mask & ~15u) | 0xffffffffull << 32;
    if ((low & BAR_TYPE) == BAR_64) {
        if (n + 1 >= PCI_BARS)
            return bar;
        base |= (uint64_t)pci_read32(d, reg + 4) << 32;
        wide_mask = (mask & ~15u) | (uint64_t)probe_mask(d, reg + 4) << 32;
    }
    bar.base = base;
    bar.size = ~wide_mask + 1;
    return bar;
}

struct pci_bar pci_bar(const struct pci_dev *d, unsigned n)
{
    struct pci_bar bar = { 0 };

    if (n >= PCI_BARS || d->header_type != 0 || is_upper_half(d, n))
        return bar;
    uint16_t command = pci_read16(d, PCI_COMMAND);
    pci_command(d, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    bar = size_bar(d, n);
    pci_write16(d, PCI_COMMAND, command);
    return bar;
}

/* A firmware that only starts kernels (qboot) leaves BARs at 0 for the kernel to place, and then it
 * leaves all of them, so nothing else lies in these windows. */
static void place_bar(const struct pci_dev *d, unsigned n, struct pci_bar *bar)
{
    static uint64_t next_address = PCI_WINDOW_START, next_port = PCI_PORTS_START;
    uint64_t *next = bar->io ? &next_port : &next_address;
    unsigned reg = REG_BAR0 + 4 * n;
    uint64_t at = align_up(*next, bar->size);

    if (bar->base || !bar->size || at + bar->size > (bar->io ? PCI_PORTS_END : PCI_WINDOW_END))
        return;
    pci_write32(d, reg, (uint32_t)at);
    if (!bar->io && (pci_read32(d, reg) & BAR_TYPE) == BAR_64)
        pci_write32(d, reg + 4, 0);
    *next = at + bar->size;
    bar->base = at;
}

volatile void *pci_map(const struct pci_dev *d, unsigned n, uint64_t offset, size_t bytes)
{
    struct pci_bar bar = pci_bar(d, n);

    place_bar(d, n, &bar);
    if (bar.io || !bar.base || !bytes || offset > bar.size || bytes > bar.size - offset)
        return NULL;
    return mmio_map(bar.base + offset, bytes);
}

uint16_t pci_ports(const struct pci_dev *d, unsigned n, uint32_t *bytes)
{
    struct pci_bar bar = pci_bar(d, n);

    place_bar(d, n, &bar);
    if (!bar.io || !bar.base || bar.base + bar.size > PCI_PORTS_END)
        return 0;
    *bytes = (uint32_t)bar.size;
    return (uint16_t)bar.base;
}
