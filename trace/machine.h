/* What the trace writer needs from the machine it runs on. PORT_GUEST: bare metal, ring 0.
 * Otherwise a Linux process, where one thread owns the buffer and nothing interrupts it.
 *
 * trace_cpu: whose stream this is, below the number that trace_buffer_init was given. */
#ifndef TRACE_MACHINE_H
#define TRACE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __x86_64__
static inline uint64_t trace_now(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}
#else
#include <time.h>
static inline uint64_t trace_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
#endif

#ifdef PORT_GUEST

#include "../kernel/cpu.h"
#include "../kernel/irq.h"

static inline unsigned trace_cpu(void)
{
    return cpu_index();
}

static inline bool trace_in_irq(void)
{
    return irq_in_handler();
}

static inline uint64_t trace_irq_save(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return flags;
}

static inline void trace_irq_restore(uint64_t flags)
{
    if (flags & 0x200)
        __asm__ volatile("sti" : : : "memory");
}

#else

static inline unsigned trace_cpu(void)
{
    return 0;
}

static inline bool trace_in_irq(void)
{
    return false;
}

static inline uint64_t trace_irq_save(void)
{
    return 0;
}

static inline void trace_irq_restore(uint64_t flags)
{
    (void)flags;
}

#endif
#endif
