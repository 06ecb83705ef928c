#include "msix.h"
#include "cpu.h"

#define REG_CONTROL     2 /* offsets in the capability */
#define REG_TABLE       4
#define CONTROL_ENTRIES 0x7ff
#define CONTROL_MASKED  0x4000
#define CONTROL_ENABLE  0x8000
#define TABLE_BAR       7
#define ENTRY_WORDS     4
#define ENTRY_ADDRESS   0
#define ENTRY_UPPER     1
#define ENTRY_DATA      2
#define ENTRY_CONTROL   3
#define ENTRY_MASKED    1
#define MESSAGE_ADDRESS 0xfee00000u
#define MAX_ENTRIES     ((unsigned)(sizeof(((struct pci_dev *)0)->msix_vector)))

static volatile uint32_t *entry_of(struct pci_dev *d, unsigned entry)
{
    return d->msix_table + entry * ENTRY_WORDS;
}

int msix_init(struct pci_dev *d)
{
    if (!d->msix_cap)
        return 0;
    uint16_t control = pci_read16(d, d->msix_cap + REG_CONTROL);
    uint32_t table = pci_read32(d, d->msix_cap + REG_TABLE);
    unsigned entries = (control & CONTROL_ENTRIES) + 1u;

    d->msix_table = pci_map(d, table & TABLE_BAR, table & ~(uint32_t)TABLE_BAR,
                            entries * ENTRY_WORDS * sizeof(uint32_t));
    if (!d->msix_table)
        return 0;
    d->msix_entries = (uint16_t)(entries < MAX_ENTRIES ? entries : MAX_ENTRIES);
    pci_command(d, PCI_COMMAND_MEMORY, 0);
    /* Every entry is masked before the function's mask is lifted: nothing can be sent in between.
     */
    pci_write16(d, d->msix_cap + REG_CONTROL, control | CONTROL_ENABLE | CONTROL_MASKED);
    for (unsigned i = 0; i < entries; i++)
        entry_of(d, i)[ENTRY_CONTROL] = ENTRY_MASKED;
    pci_write16(d, d->msix_cap + REG_CONTROL,
                (control | CONTROL_ENABLE) & (uint16_t)~CONTROL_MASKED);
    pci_command(d, PCI_COMMAND_INTX_OFF, 0);
    return d->msix_entries;
}

void msix_mask(struct pci_dev *d, unsigned entry, bool masked)
{
    if (entry < d->msix_entries)
        entry_of(d, entry)[ENTRY_CONTROL] = masked ? ENTRY_MASKED : 0;
}

int msix_set(struct pci_dev *d, unsigned entry, unsigned cpu, irq_handler handler, void *arg)
{
    if (entry >= d->msix_entries)
        return -1;
    msix_mask(d, entry, true);
    if (d->msix_vector[entry]) {
        irq_vector_free(d->msix_vector[entry]);
        d->msix_vector[entry] = 0;
    }
    if (!handler)
        return 0;
    int vector = irq_vector_alloc(handler, arg);
    if (vector < 0)
        return -1;
    d->msix_vector[entry] = (uint8_t)vector;
    volatile uint32_t *words = entry_of(d, entry);
    words[ENTRY_ADDRESS] = MESSAGE_ADDRESS | cpus[cpu].apic_id << 12;
    words[ENTRY_UPPER] = 0;
    words[ENTRY_DATA] = (uint32_t)vector; /* fixed delivery, edge */
    msix_mask(d, entry, false);
    return 0;
}

void msix_disable(struct pci_dev *d)
{
    for (unsigned i = 0; i < d->msix_entries; i++)
        msix_set(d, i, 0, NULL, NULL);
    if (!d->msix_entries)
        return;
    uint16_t control = pci_read16(d, d->msix_cap + REG_CONTROL);
    pci_write16(d, d->msix_cap + REG_CONTROL, control & (uint16_t)~CONTROL_ENABLE);
    d->msix_entries = 0;
}

bool msix_enabled(const struct pci_dev *d)
{
    return d->msix_cap && pci_read16(d, d->msix_cap + REG_CONTROL) & CONTROL_ENABLE;
}
