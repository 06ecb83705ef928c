/* Counters of the kernel, for the trace region's table. Each is written by one context only. */
#ifndef KERNEL_STATS_H
#define KERNEL_STATS_H

#include <stdint.h>

struct kernel_stats {
#define KSTAT(name, text) uint64_t name;
#include "stats.def"
};

extern struct kernel_stats kernel_stats;

#endif
