/* The guest's side of the trace buffer: lays out the shared region and owns it from then on. */
#ifndef TRACE_BUFFER_H
#define TRACE_BUFFER_H

#include <stddef.h>
#include "record.h"

/* Lays out a region of `bytes` at `memory` (page aligned, at least the head and two packets
 * per CPU) for `cpus` CPUs and starts writing there. The magic is stored last, so a reader sees
 * either nothing or a whole region. The caller keeps the memory for ever. Returns 0, or -1 if the
 * memory is too small or cpus is out of range. */
int trace_buffer_init(void *memory, size_t bytes, uint32_t cpus, uint64_t tsc_hz);

/* Before trace_buffer_init returned 0: NULL. */
struct trace_region *trace_region(void);

/* Names a live 64-bit counter at guest-physical address paddr for the host to read.
 * Returns 0, or -1 if the table is full or the name too long: a counter nobody can see would make
 * a conservation check fail with nothing to show for it. */
int trace_counter_add(const char *prefix, const char *name, uint64_t paddr);

/* Tells the waiting host what the guest is doing. */
void trace_guest_state(enum trace_guest_state state);

#endif
