#include "page.h"
#include "../trace/record.h"
#include "bootinfo.h"
#include "cmdline.h"
#include "layout.h"
#include "panic.h"
#include "region.h"
#include "spinlock.h"
#include "string.h"

#define NONE         UINT32_MAX
#define BOOT_MAP_END (4ull << 30) /* boot.S maps this much */

enum state {
    STATE_INSIDE, /* not the first page of a block, or no RAM */
    STATE_FREE,
    STATE_USED,
};

/* One per page frame. Kept apart from the pages, so that a write through a stale pointer cannot
 * damage the free lists and a free page keeps its fill. */
struct page {
    uint32_t next, prev; /* frame numbers in the free list of order */
    uint8_t order;
    uint8_t state;
};

/* Of everything below, from the moment that other CPUs run. */
static struct spinlock lock = SPINLOCK("pages");
static struct page *pages;
static uint64_t page_frames;
static uint32_t free_head[PAGE_MAX_ORDER + 1];
static uint64_t free_pages, used_pages;

static void list_push(uint32_t frame, unsigned order)
{
    struct page *p = &pages[frame];

    *p = (struct page){ free_head[order], NONE, (uint8_t)order, STATE_FREE };
    if (p->next != NONE)
        pages[p->next].prev = frame;
    free_head[order] = frame;
}

static void list_remove(uint32_t frame)
{
    struct page *p = &pages[frame];

    if (p->prev != NONE)
        pages[p->prev].next = p->next;
    else
        free_head[p->order] = p->next;
    if (p->next != NONE)
        pages[p->next].prev = p->prev;
    p->state = STATE_INSIDE;
}

static uint32_t take_block(unsigned order)
{
    unsigned have = order;

    while (have <= PAGE_MAX_ORDER && free_head[have] == NONE)
        have++;
    if (have > PAGE_MAX_ORDER)
        return NONE;
    uint32_t frame = free_head[have];
    list_remove(frame);
    while (have > order) {
        have--;
        list_push(frame + (1u << have), have);
    }
    return frame;
}

static void give_block(uint32_t frame, unsigned order)
{
    for (; order < PAGE_MAX_ORDER; order++) {
        uint32_t buddy = frame ^ (1u << order);
        if (buddy >= page_frames || pages[buddy].state != STATE_FREE || pages[buddy].order != order)
            break;
        list_remove(buddy);
        frame &= ~(1u << order);
    }
    list_push(frame, order);
}

void *page_alloc(unsigned order)
{
    kassert(order <= PAGE_MAX_ORDER);
    bool irq = spin_lock(&lock);
    uint32_t frame = take_block(order);
    if (frame != NONE) {
        pages[frame].order = (uint8_t)order;
        pages[frame].state = STATE_USED;
        free_pages -= 1u << order;
        used_pages += 1u << order;
    }
    spin_unlock(&lock, irq);
    if (frame == NONE)
        return NULL;
    void *va = phys_to_virt(frame * PAGE_SIZE);
    if (cmdline.poison)
        memset(va, PAGE_FILL_ALLOC, PAGE_SIZE << order);
    return va;
}

void page_free(void *page)
{
    uint64_t paddr = virt_to_phys(page);
    uint64_t frame = paddr / PAGE_SIZE;

    if (paddr % PAGE_SIZE || frame >= page_frames)
        panic("page_free(%p): not a page of RAM", page);
    bool irq = spin_lock(&lock);
    struct page *p = &pages[frame];
    if (p->state != STATE_USED)
        panic("page_free(%p): %s", page,
              p->state == STATE_FREE ? "double free" : "double free, or not the start of a block");
    unsigned order = p->order;
    p->state = STATE_INSIDE;
    if (cmdline.poison)
        memset(page, PAGE_FILL_FREE, PAGE_SIZE << order);
    give_block((uint32_t)frame, order);
    free_pages += 1u << order;
    used_pages -= 1u << order;
    spin_unlock(&lock, irq);
}

unsigned page_order(size_t bytes)
{
    unsigned order = 0;

    while (order <= PAGE_MAX_ORDER && (PAGE_SIZE << order) < bytes)
        order++;
    return order;
}

int page_block_order(const void *va)
{
    uint64_t paddr = virt_to_phys(va);

    if (paddr % PAGE_SIZE || paddr / PAGE_SIZE >= page_frames)
        return -1;
    const struct page *p = &pages[paddr / PAGE_SIZE];
    return p->state == STATE_USED ? p->order : -1;
}

uint64_t page_free_count(void)
{
    return free_pages;
}

uint64_t page_used_count(void)
{
    return used_pages;
}

/* Gives [start, end) to the allocator in the largest aligned blocks. */
static void add_free(uint64_t start, uint64_t end)
{
    uint64_t frame = start / PAGE_SIZE, last = end / PAGE_SIZE;

    while (frame < last) {
        unsigned order = PAGE_MAX_ORDER;
        while (frame & ((1u << order) - 1) || frame + (1u << order) > last)
            order--;
        list_push((uint32_t)frame, order);
        free_pages += 1u << order;
        frame += 1u << order;
    }
}

/* Adds [start, end) without [hole_start, hole_end). */
static void add_around(uint64_t start, uint64_t end, uint64_t hole_start, uint64_t hole_end)
{
    if (hole_end <= start || hole_start >= end) {
        add_free(start, end);
        return;
    }
    if (start < hole_start)
        add_free(start, hole_start);
    if (hole_end < end)
        add_free(hole_end, end);
}

/* The page structs go between the kernel and the trace region when they fit there. */
static uint64_t place_pages(uint64_t bytes)
{
    uint64_t start = align_up((uint64_t)__kernel_end, PAGE_SIZE);
    uint64_t region_end = TRACE_REGION_PADDR + region_bytes();

    if (start + bytes <= TRACE_REGION_PADDR)
        return start;
    for (unsigned i = 0; i < bootinfo.ranges; i++)
        if (bootinfo.ram[i].start < region_end && region_end + bytes <= bootinfo.ram[i].end &&
            region_end + bytes <= BOOT_MAP_END)
            return region_end;
    panic("no room for %llu bytes of page structs", (unsigned long long)bytes);
}

static void add_ram(bool high, uint64_t low_used_end, uint64_t region_used_end)
{
    for (unsigned i = 0; i < bootinfo.ranges; i++) {
        uint64_t start = bootinfo.ram[i].start, end = bootinfo.ram[i].end;
        if ((start >= BOOT_MAP_END) != high)
            continue;
        if (start < low_used_end)
            start = low_used_end;
        if (start < end)
            add_around(start, end, TRACE_REGION_PADDR, region_used_end);
    }
}

void page_init(void)
{
    uint64_t low_used_end = align_up((uint64_t)__kernel_end, PAGE_SIZE);
    uint64_t region_used_end = TRACE_REGION_PADDR + region_bytes();

    page_frames = bootinfo.ram[bootinfo.ranges - 1].end / PAGE_SIZE;
    uint64_t bytes = align_up(page_frames * sizeof(struct page), PAGE_SIZE);
    uint64_t at = place_pages(bytes);
    if (at == low_used_end)
        low_used_end += bytes;
    else
        region_used_end += bytes;
    pages = phys_to_virt(at);
    memset(pages, 0, bytes);
    for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++)
        free_head[order] = NONE;
    /* Blocks freed last are handed out first, and until vm_init has run only RAM below 4 GiB is
     * mapped: that goes in last. */
    add_ram(true, low_used_end, region_used_end);
    add_ram(false, low_used_end, region_used_end);
}
