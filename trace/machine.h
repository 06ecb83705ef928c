/* What the trace writer needs from the machine it runs on. PORT_GUEST: bare metal, ring 0.
 * Otherwise a Linux process, where one thread owns the buffer and signals may interrupt it. */
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

/* Read-modify-write that an interrupt of this CPU cannot divide, though another CPU could: the
 * words are written by one CPU only. So on x86 no LOCK prefix, which would cost more than the rest
 * of a record. */
#ifdef __x86_64__

static inline bool trace_local_cmpxchg(uint64_t *word, uint64_t old, uint64_t new)
{
    bool done;
    __asm__ volatile("cmpxchgq %3, %1"
                     : "=@ccz"(done), "+m"(*word), "+a"(old)
                     : "r"(new)
                     : "memory");
    return done;
}

/* Returns the sum. */
static inline uint32_t trace_local_add(uint32_t *word, uint32_t n)
{
    uint32_t old = n;
    __asm__ volatile("xaddl %0, %1" : "+r"(old), "+m"(*word) : : "memory");
    return old + n;
}

static inline void trace_local_inc(uint64_t *word)
{
    __asm__ volatile("incq %0" : "+m"(*word) : : "memory");
}

#else

static inline bool trace_local_cmpxchg(uint64_t *word, uint64_t old, uint64_t new)
{
    return __atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline uint32_t trace_local_add(uint32_t *word, uint32_t n)
{
    return __atomic_add_fetch(word, n, __ATOMIC_ACQ_REL);
}

static inline void trace_local_inc(uint64_t *word)
{
    __atomic_add_fetch(word, 1, __ATOMIC_RELAXED);
}

#endif

#ifdef PORT_GUEST

#include "../kernel/cpu.h"
#include "../kernel/irq.h"

static inline bool trace_in_irq(void)
{
    return irq_in_handler();
}

/* This CPU, below the number that trace_buffer_init was given. A thread stays on its CPU. */
static inline uint32_t trace_cpu(void)
{
    return cpu_index();
}

#else

static inline bool trace_in_irq(void)
{
    return false;
}

static inline uint32_t trace_cpu(void)
{
    return 0;
}

#endif
#endif
