/* ACPI Specification 6.4, sections 5.2.5 "Root System Description Pointer" to 5.2.12 "Multiple APIC
 * Description Table". Nothing in a table is believed before its length and checksum are. */
#include "acpi.h"
#include <stdbool.h>
#include <stddef.h>
#include "page.h"
#include "string.h"

#define MAPPED_END   (4ull << 30) /* boot.S maps this much */
#define TABLE_MAX    0x10000u
#define LOCAL_APIC   0
#define APIC_ENABLED 1

struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision; /* 2: the fields after rsdt are there */
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
};

struct __attribute__((packed)) table {
    char signature[4];
    uint32_t length;
    uint8_t rest[28];
};

struct __attribute__((packed)) madt {
    struct table header;
    uint32_t lapic, flags;
    uint8_t entries[];
};

struct __attribute__((packed)) local_apic { /* of the entries, the kind with 8 bit ids */
    uint8_t type, length;
    uint8_t processor, id;
    uint32_t flags;
};

static bool adds_up(const void *p, size_t bytes)
{
    const uint8_t *b = p;
    uint8_t sum = 0;

    while (bytes--)
        sum = (uint8_t)(sum + *b++);
    return !sum;
}

/* The table at paddr if it is whole and of this name, else NULL. */
static const struct table *table_at(uint64_t paddr, const char *signature)
{
    const struct table *t = phys_to_virt(paddr);

    if (!paddr || paddr > MAPPED_END - TABLE_MAX || memcmp(t->signature, signature, 4))
        return NULL;
    if (t->length < sizeof(*t) || t->length > TABLE_MAX || !adds_up(t, t->length))
        return NULL;
    return t;
}

/* Among the addresses of `width` bytes that follow the root table's header. */
static const struct table *find_in(const struct table *root, unsigned width, const char *signature)
{
    for (size_t at = sizeof(*root); root && at + width <= root->length; at += width) {
        uint64_t paddr = 0;
        memcpy(&paddr, (const uint8_t *)root + at, width);
        const struct table *t = table_at(paddr, signature);
        if (t)
            return t;
    }
    return NULL;
}

static const struct madt *find_madt(uint64_t rsdp_paddr)
{
    const struct rsdp *r = phys_to_virt(rsdp_paddr);

    if (!rsdp_paddr || rsdp_paddr > MAPPED_END - sizeof(*r) ||
        memcmp(r->signature, "RSD PTR ", 8) || !adds_up(r, offsetof(struct rsdp, length)))
        return NULL;
    const struct table *madt = NULL;
    if (r->revision >= 2)
        madt = find_in(table_at(r->xsdt, "XSDT"), 8, "APIC");
    if (!madt)
        madt = find_in(table_at(r->rsdt, "RSDT"), 4, "APIC");
    return madt && madt->length >= sizeof(struct madt) ? (const struct madt *)madt : NULL;
}

unsigned acpi_cpus(uint64_t rsdp_paddr, uint32_t *ids, unsigned max)
{
    const struct madt *madt = find_madt(rsdp_paddr);
    const uint8_t *end = madt ? (const uint8_t *)madt + madt->header.length : NULL;
    unsigned n = 0;

    for (const uint8_t *at = madt ? madt->entries : NULL; madt && end - at >= 2; at += at[1]) {
        const struct local_apic *cpu = (const void *)at;
        if (at[1] < 2 || at[1] > end - at)
            break;
        if (cpu->type == LOCAL_APIC && cpu->length >= sizeof(*cpu) && cpu->flags & APIC_ENABLED &&
            n < max)
            ids[n++] = cpu->id;
    }
    return n;
}
