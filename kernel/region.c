#include "region.h"
#include "../trace/record.h"
#include "bootinfo.h"
#include "cmdline.h"
#include "page.h"
#include "string.h"

void *region_base(void)
{
    return phys_to_virt(TRACE_REGION_PADDR);
}

size_t region_bytes(void)
{
    return cmdline.trace_mb << 20;
}

int region_init(void)
{
    uint64_t end = TRACE_REGION_PADDR + region_bytes();

    for (unsigned i = 0; i < bootinfo.ranges; i++) {
        if (bootinfo.ram[i].start > TRACE_REGION_PADDR || bootinfo.ram[i].end < end)
            continue;
        /* RAM may be a file that an earlier run left behind: its magic must not be believed. */
        memset(region_base(), 0, PAGE_SIZE);
        return 0;
    }
    return -1;
}

void region_mark_panic(void)
{
    struct trace_region *region = region_base();

    __atomic_store_n(&region->state, TRACE_GUEST_PANIC, __ATOMIC_RELEASE);
}
