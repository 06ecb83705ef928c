/* Which CPU this is. Each CPU finds its own struct by the base of GS; the rest of what is kept per
 * CPU lies with its subsystem, in arrays that cpu_index() indexes. */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 8 /* as trace/record.h has streams */

struct cpu {        /* written by the CPU itself, once others run */
    unsigned index; /* 0: the one that booted */
    uint32_t apic_id;
    unsigned locks; /* spinlocks held */
    bool in_handler;
};

extern struct cpu cpus[CPU_MAX];

/* CPUs that run, this one included: those with index 0 to cpu_count() - 1. Final once smp_start has
 * returned. */
unsigned cpu_count(void);

/* Makes the CPU that calls it number `index`. Before anything else, as locks ask who it is. */
void cpu_init(unsigned index);

/* One more CPU runs. By the booting CPU alone. */
void cpu_started(void);

/* volatile, or it moves to before cpu_init. */
static inline unsigned cpu_index(void)
{
    unsigned index;
    __asm__ volatile("movl %%gs:%c1, %0" : "=r"(index) : "i"(offsetof(struct cpu, index)));
    return index;
}

/* A thread stays on its CPU, so the pointer stays good. */
static inline struct cpu *this_cpu(void)
{
    return &cpus[cpu_index()];
}

#endif
