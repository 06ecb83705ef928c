/* The trace region (trace/record.h): RAM at a fixed physical address that the page allocator never
 * sees. The kernel clears its head page and marks a panic in it; the trace port lays it out. */
#ifndef KERNEL_REGION_H
#define KERNEL_REGION_H

#include <stddef.h>

/* Page aligned; readable and writable from boot on. The head page is zero (state BOOTING) until the
 * trace port fills it; the pages after it hold whatever RAM held. */
void *region_base(void);
size_t region_bytes(void);

/* Called once, after the command line is parsed and before the page allocator starts. Returns -1
 * when RAM does not hold the region. */
int region_init(void);

/* trace_region.state = TRACE_GUEST_PANIC. Callable at any time, from any context. */
void region_mark_panic(void);

#endif
