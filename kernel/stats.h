/* Counters of the kernel, for the trace region's table. Each CPU has its own, and each of them is
 * written by one context only: no lock. */
#ifndef KERNEL_STATS_H
#define KERNEL_STATS_H

#include <stdint.h>
#include "cpu.h"

struct kernel_stats {
#define KSTAT(name, text) uint64_t name;
#include "stats.def"
};

extern struct kernel_stats kernel_stats[CPU_MAX];

static inline struct kernel_stats *this_stats(void)
{
    return &kernel_stats[cpu_index()];
}

#endif
