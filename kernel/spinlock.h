/* Mutual exclusion between CPUs, and between a CPU and its own interrupts: a lock is held with
 * interrupts off, for a few hundred instructions, and by nobody who sleeps or yields (checked).
 * Locks are taken in the order of kernel/README.md. */
#ifndef KERNEL_SPINLOCK_H
#define KERNEL_SPINLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct spinlock {
    const char *name;
    uint32_t holder; /* index of the CPU + 1, 0: free */
};

#define SPINLOCK(text)                                                                             \
    {                                                                                              \
        .name = (text)                                                                             \
    }

/* Returns what spin_unlock wants. Panics when this CPU holds the lock already. */
bool spin_lock(struct spinlock *lock);

/* Panics when this CPU does not hold the lock. */
void spin_unlock(struct spinlock *lock, bool irq);

/* For a panic, whose CPU prints although another one was stopped with the lock held. */
void spin_break(struct spinlock *lock);

#endif
