/* CTF 1.8 metadata (TSDL) generated from events.def: what makes our packets readable by any CTF
 * reader as they stand. */
#ifndef TRACE_TSDL_H
#define TRACE_TSDL_H

#include <stdint.h>
#include <stdio.h>

enum trace_side { TRACE_SIDE_GUEST, TRACE_SIDE_HOST };

/* Text of the line that our own reader looks for; the same words for both sides. */
#define TSDL_TRACER "ringscope"

const char *trace_side_name(enum trace_side side);

/* Writes the metadata of one side. tsc_hz: frequency of the guest clock in Hz, not 0 (the host
 * clock is CLOCK_BOOTTIME in ns and ignores it). cpus: number of CPUs, 0 = not known.
 * Returns 0, or -1 if `out` failed; nothing is printed. */
int tsdl_write(FILE *out, enum trace_side side, uint64_t tsc_hz, unsigned cpus);

#endif
