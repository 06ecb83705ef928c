#include "vm.h"
#include "bootinfo.h"
#include "layout.h"
#include "page.h"
#include "panic.h"
#include "spinlock.h"
#include "string.h"
#include "x86.h"

#define PTE_P     0x001ull
#define PTE_W     0x002ull
#define PTE_UC    0x018ull /* PWT and PCD */
#define PTE_LARGE 0x080ull
#define PTE_GUARD 0x200ull /* ours, in an absent entry */
#define PTE_NX    (1ull << 63)
#define PTE_ADDR  0x000ffffffffff000ull

#define PTE_RAM  (PTE_P | PTE_W | PTE_NX)
#define PTE_MMIO (PTE_P | PTE_W | PTE_NX | PTE_UC)

#define LARGE_PAGE (2ull << 20)
#define ENTRIES    512
#define LEVEL_PTE  0
#define LEVEL_PDE  1
#define LEVEL_PML4 3

struct kernel_stack kernel_stacks[CPU_MAX][STACK_COUNT] __attribute__((aligned(4096)));

static uint64_t *pml4;
/* Whoever changes an entry holds it; a walk needs no lock, as entries change in one store. */
static struct spinlock tables_lock = SPINLOCK("page tables");

static uint64_t *table_create(void)
{
    uint64_t *table = page_alloc(0);

    if (!table)
        panic("no memory for page tables");
    memset(table, 0, PAGE_SIZE);
    return table;
}

/* The large page becomes 512 small ones with the same rights. The new table is complete before the
 * entry points to it: the page may hold the stack in use. */
static void split(uint64_t *pde)
{
    uint64_t *table = table_create();

    for (uint64_t i = 0; i < ENTRIES; i++)
        table[i] = (*pde & ~PTE_LARGE) + i * PAGE_SIZE;
    *pde = virt_to_phys(table) | PTE_P | PTE_W;
}

/* The entry for va at the given level, making the tables above it. */
static uint64_t *entry(uint64_t va, int level)
{
    uint64_t *table = pml4;

    for (int l = LEVEL_PML4;; l--) {
        uint64_t *e = &table[va >> (12 + 9 * l) & (ENTRIES - 1)];
        if (l == level)
            return e;
        if (!(*e & PTE_P))
            *e = virt_to_phys(table_create()) | PTE_P | PTE_W;
        else if (*e & PTE_LARGE)
            split(e);
        table = phys_to_virt(*e & PTE_ADDR);
    }
}

static void map(uint64_t start, uint64_t end, uint64_t flags)
{
    while (start < end) {
        if (start % LARGE_PAGE == 0 && end - start >= LARGE_PAGE) {
            *entry(start, LEVEL_PDE) = start | flags | PTE_LARGE;
            start += LARGE_PAGE;
        } else {
            *entry(start, LEVEL_PTE) = start | flags;
            start += PAGE_SIZE;
        }
    }
}

/* The leaf entry for va, 0 when a level above is absent. */
static uint64_t lookup(uint64_t va)
{
    uint64_t *table = pml4;

    if (!table || (int64_t)(va << 16) >> 16 != (int64_t)va)
        return 0;
    for (int l = LEVEL_PML4;; l--) {
        uint64_t e = table[va >> (12 + 9 * l) & (ENTRIES - 1)];
        if (l == LEVEL_PTE || !(e & PTE_P) || e & PTE_LARGE)
            return e;
        table = phys_to_virt(e & PTE_ADDR);
    }
}

static void set_entry(uint64_t va, uint64_t value)
{
    bool irq = spin_lock(&tables_lock);

    *(volatile uint64_t *)entry(va, LEVEL_PTE) = value;
    invlpg((void *)va);
    spin_unlock(&tables_lock, irq);
}

void vm_guard(void *page)
{
    set_entry((uint64_t)page, PTE_GUARD);
}

void vm_set_page(void *page, enum vm_rights rights)
{
    uint64_t at = (uint64_t)page;

    set_entry(at, rights == VM_RW ? at | PTE_RAM : rights == VM_RX ? at | PTE_P : 0);
}

bool vm_mapped(uint64_t va)
{
    return lookup(va) & PTE_P;
}

bool vm_is_guard(uint64_t va)
{
    return (lookup(va) & (PTE_P | PTE_GUARD)) == PTE_GUARD;
}

void *mmio_map(uint64_t paddr, size_t bytes)
{
    uint64_t end = align_up(paddr + bytes, PAGE_SIZE);

    for (uint64_t at = align_down(paddr, PAGE_SIZE); at < end; at += PAGE_SIZE) {
        kassert(!(lookup(at) & PTE_P) || lookup(at) & PTE_UC); /* a BAR over RAM */
        set_entry(at, at | PTE_MMIO);
    }
    return phys_to_virt(paddr);
}

void vm_init(void)
{
    pml4 = table_create();
    for (unsigned i = 0; i < bootinfo.ranges; i++)
        map(bootinfo.ram[i].start, bootinfo.ram[i].end, PTE_RAM);
    map((uint64_t)__text_start, (uint64_t)__text_end, PTE_P);
    map((uint64_t)__rodata_start, (uint64_t)__rodata_end, PTE_P | PTE_NX);
    for (int i = 0; i < CPU_MAX * STACK_COUNT; i++)
        vm_guard(kernel_stacks[i / STACK_COUNT][i % STACK_COUNT].guard);
    write_cr3(virt_to_phys(pml4));
}
