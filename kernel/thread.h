/* Kernel threads: cooperative, each on the CPU it was created on. A thread runs until it yields,
 * sleeps or returns; interrupt handlers run on its stack. */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <stdbool.h>
#include <stdint.h>
#include "spinlock.h"

#define THREAD_FOREVER     UINT64_MAX
#define THREAD_STACK_ORDER 2 /* 16 KiB, of which the lowest page is the guard */

struct thread;

/* A runnable thread, on this CPU or on another; fn returning ends it. name is not copied. NULL when
 * memory is out. */
struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg);
struct thread *thread_create_on(unsigned cpu, const char *name, void (*fn)(void *arg), void *arg);

/* Lets every other runnable thread of this CPU run once. Returns at once when there is none. Not
 * from interrupt handlers, nor are thread_sleep and thread_exit. */
void thread_yield(void);

/* Sleeps until thread_wakeup(chan), or until now_ns() >= deadline_ns as seen by a timer tick.
 * Returns true when woken, false when the deadline passed. Wakes for one event only, and possibly
 * for one meant for others: test the condition in a loop.
 *
 * For conditions that only this CPU changes. When an interrupt handler makes it true, disable
 * interrupts before testing it and keep them off up to this call: they stay off until another
 * thread or idle runs, and come back off.
 *
 *     bool irq = irq_save();
 *     while (!condition)
 *         thread_sleep(&condition, THREAD_FOREVER);
 *     irq_restore(irq);
 */
bool thread_sleep(const void *chan, uint64_t deadline_ns);

/* The same for a condition that other CPUs change: under `lock`, which the caller holds, which is
 * free while it sleeps, and which it holds again afterwards. Whoever makes the condition true does
 * so under the lock as well and calls thread_wakeup_shared after that: between the test and the
 * sleep nobody can come.
 *
 *     bool irq = spin_lock(&lock);                    bool irq = spin_lock(&lock);
 *     while (!condition)                              condition = true;
 *         thread_sleep_shared(&condition,             spin_unlock(&lock, irq);
 *                             THREAD_FOREVER, &lock); thread_wakeup_shared(&condition);
 *     spin_unlock(&lock, irq);
 */
bool thread_sleep_shared(const void *chan, uint64_t deadline_ns, struct spinlock *lock);

/* Sleeps for a time, rounded up to a tick. */
void thread_sleep_ns(uint64_t ns);

/* Makes every thread of this CPU, or of all CPUs, that sleeps on chan runnable. Callable from
 * interrupt handlers. */
void thread_wakeup(const void *chan);
void thread_wakeup_shared(const void *chan);

_Noreturn void thread_exit(void);

const char *thread_name(void); /* of the running thread; "boot" before there are any */

/* On each CPU, before anything that may panic. */
void thread_init(void);

/* The boot stack's last act: becomes the idle thread, which halts the CPU when nothing runs. */
_Noreturn void thread_idle(void);

/* From the timer tick: wakes those whose deadline has passed. */
void thread_tick(uint64_t now);

#endif
