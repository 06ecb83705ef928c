/* The other CPUs: started, named, interrupted, stopped. */
#ifndef KERNEL_SMP_H
#define KERNEL_SMP_H

/* Starts the CPUs that bootinfo found, up to cmdline.cpus, one after the other, and compares their
 * TSCs with this one's. On the boot stack, with interrupts on. Panics when one does not start. */
void smp_start(void);

/* Ends a hlt of that CPU, so that it looks for work. From any context. */
void smp_wake(unsigned cpu);

/* For a panic: every other CPU halts for good, whatever it was doing. Returns how many have, after
 * waiting for them for 100 ms. */
unsigned smp_stop_others(void);

/* On a CPU that an NMI interrupted, or that panics too: halts when smp_stop_others wants that, else
 * returns. */
void smp_stop_if_asked(void);

#endif
