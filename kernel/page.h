/* Physical pages: a buddy allocator of 4 KiB to 1 MiB. RAM is mapped at its physical address, so
 * the conversions are casts; they are still the only spelling of "the device sees this". */
#ifndef KERNEL_PAGE_H
#define KERNEL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE      4096ull
#define PAGE_MAX_ORDER 8 /* 2^8 pages = 1 MiB */

#define PAGE_FILL_ALLOC 0x01
#define PAGE_FILL_FREE  0x05

static inline uint64_t virt_to_phys(const volatile void *va)
{
    return (uint64_t)va;
}

static inline void *phys_to_virt(uint64_t paddr)
{
    return (void *)paddr;
}

static inline uint64_t align_up(uint64_t v, uint64_t to)
{
    return (v + to - 1) & ~(to - 1);
}

static inline uint64_t align_down(uint64_t v, uint64_t to)
{
    return v & ~(to - 1);
}

void page_init(void);

/* 2^order physically contiguous pages, aligned to their size, filled with PAGE_FILL_ALLOC unless
 * poison=off. NULL when there are none. The caller owns them until page_free. Callable from
 * interrupt handlers. */
void *page_alloc(unsigned order);

/* Panics on a double free and on an address that page_alloc did not return. */
void page_free(void *page);

/* The smallest order that holds bytes; more than PAGE_MAX_ORDER when none does. */
unsigned page_order(size_t bytes);

/* The order of an allocated block that starts at va, or -1. */
int page_block_order(const void *va);

uint64_t page_free_count(void); /* pages */
uint64_t page_used_count(void); /* pages */

#endif
