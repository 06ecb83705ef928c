#include "rendezvous.h"
#include <stdbool.h>
#include <stdint.h>
#include "cpu.h"
#include "panic.h"
#include "spinlock.h"
#include "thread.h"
#include "x86.h"

static struct spinlock lock = SPINLOCK("rendezvous");
static bool busy;        /* under the lock: one at a time */
static uint32_t called;  /* under the lock: number of the newest */
static unsigned caller;  /* under the lock */
static unsigned arrived; /* CPUs that spin for it */
static uint32_t ended;   /* number of the newest that is over */

/* Waits for a rendezvous after `seen`. Returns its number. */
static uint32_t wait_for_call(uint32_t seen, unsigned *by)
{
    bool irq = spin_lock(&lock);
    while (called == seen)
        thread_sleep_shared(&called, THREAD_FOREVER, &lock);
    seen = called;
    *by = caller;
    spin_unlock(&lock, irq);
    return seen;
}

static void attend(void *arg)
{
    uint32_t seen = 0;
    unsigned by;

    (void)arg;
    for (;;) {
        seen = wait_for_call(seen, &by);
        if (by == cpu_index())
            continue;
        bool irq = irq_save();
        __atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
        while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) != seen)
            cpu_pause();
        irq_restore(irq);
    }
}

void rendezvous_init(void)
{
    for (unsigned cpu = 0; cpu < cpu_count() && cpu_count() > 1; cpu++)
        if (!thread_create_on(cpu, "rendezvous", attend, 0))
            panic("no memory for the rendezvous threads");
}

/* Another caller is let go first: its rendezvous needs the thread of this CPU. */
static void call_all(void)
{
    bool irq = spin_lock(&lock);
    while (busy) {
        spin_unlock(&lock, irq);
        thread_yield();
        cpu_pause();
        irq = spin_lock(&lock);
    }
    busy = true;
    arrived = 0;
    caller = cpu_index();
    called++;
    spin_unlock(&lock, irq);
    thread_wakeup_shared(&called);
}

void rendezvous(void (*fn)(void *arg), void *arg)
{
    call_all();
    while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) + 1 < cpu_count())
        cpu_pause();
    bool irq = irq_save();
    fn(arg);
    __atomic_store_n(&ended, called, __ATOMIC_RELEASE);
    spin_lock(&lock);
    busy = false;
    spin_unlock(&lock, irq);
}
