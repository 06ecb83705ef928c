/* Page tables. One address space, every mapping at its physical address: text RX, rodata R, data
 * and RAM RW, nothing both writable and executable, page 0 and all below 1 MiB absent. */
#ifndef KERNEL_VM_H
#define KERNEL_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void vm_init(void);

/* Maps device registers uncached and returns their address; the same range may be mapped again.
 * Mappings are never undone. Panics when page tables cannot be allocated. */
void *mmio_map(uint64_t paddr, size_t bytes);

/* Maps or unmaps one page at its physical address. Other CPUs may still have the old entry. */
enum vm_rights { VM_ABSENT, VM_RW, VM_RX };
void vm_set_page(void *page, enum vm_rights rights);

/* Unmaps one page of RAM for good: the guard below a stack. The page is the caller's. Other CPUs
 * may still have the old entry until they drop it (invlpg). */
void vm_guard(void *page);

/* Whether va is mapped: a walk of the page tables, for code that must not fault. */
bool vm_mapped(uint64_t va);

/* A stack guard page lies here: link-time ones and those of vm_guard. */
bool vm_is_guard(uint64_t va);

#endif
