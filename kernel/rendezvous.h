/* Stopping the world: a function runs while every other CPU is between two threads. */
#ifndef KERNEL_RENDEZVOUS_H
#define KERNEL_RENDEZVOUS_H

/* A thread on each CPU. Once, after smp_start. Panics without memory. */
void rendezvous_init(void);

/* Runs fn(arg) here with interrupts off, while all other CPUs spin in a thread of their own with
 * interrupts off: no other thread is inside anything that does not yield, no interrupt handler
 * runs anywhere, and what they had written is seen. From a thread, or from the boot stack before
 * there are any; returns when fn has. fn must not sleep and must not take long: nobody ticks. */
void rendezvous(void (*fn)(void *arg), void *arg);

#endif
