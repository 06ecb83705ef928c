/* What the bench compares: each function writes n events with the same payload. */
#ifndef TRACE_BENCH_SIDES_H
#define TRACE_BENCH_SIDES_H

#include <stdbool.h>
#include <stdint.h>

void ours_off(uint64_t n); /* TRACE=0 */
void ours_on(uint64_t n);  /* TRACE=1: also masked and with a full buffer */
void bare_loop(uint64_t n);

/* Lays out a buffer of `bytes` bytes. */
void ours_begin(uint64_t bytes, bool masked, bool overwrite);

/* A ring after ftrace's: a page at a time, reserve by compare-exchange, a time delta in each entry,
 * commit by the outermost writer. Overwrites, or is full. */
void ring_begin(uint64_t bytes, bool overwrite);
void ring_on(uint64_t n);

void lttng_on(uint64_t n);
void lttng_masked(uint64_t n);
bool lttng_is_on(void);

#endif
