#include "spinlock.h"
#include "cpu.h"
#include "panic.h"
#include "x86.h"

/* Test and set, not a queue of tickets: there may be more virtual CPUs than real ones, and a ticket
 * lock waits for the one whose turn it is even while the host runs another. */
bool spin_lock(struct spinlock *lock)
{
    bool irq = irq_save();
    uint32_t me = cpu_index() + 1, holder = 0;

    while (!__atomic_compare_exchange_n(&lock->holder, &holder, me, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
        if (holder == me)
            panic("lock \"%s\" taken twice by CPU %u", lock->name, cpu_index());
        /* Reads until it looks free, so that the cache line stays with the holder. The pause also
         * lets a QEMU that runs all CPUs in one thread turn to the holder. */
        while (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED))
            cpu_pause();
        holder = 0;
    }
    this_cpu()->locks++;
    return irq;
}

void spin_unlock(struct spinlock *lock, bool irq)
{
    uint32_t holder = __atomic_load_n(&lock->holder, __ATOMIC_RELAXED);

    if (holder != cpu_index() + 1)
        panic("lock \"%s\" released by CPU %u, which does not hold it", lock->name, cpu_index());
    this_cpu()->locks--;
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
    irq_restore(irq);
}

void spin_break(struct spinlock *lock)
{
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELAXED);
}
