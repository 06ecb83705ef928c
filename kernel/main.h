/* What the kernel calls once it is up. The kernel links without a driver: weak definitions in
 * main.c stand in for it and for the trace. */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

/* Runs on the boot stack with interrupts on, after pci_scan, threads and time; must not sleep, may
 * create threads. Returns 0, or a negative number after one line that says why: the kernel then
 * refuses to run. */
int vnet_port_init(void);

/* Starts the threads of cmdline.workload; returns. Not called for selftest and crash*, which the
 * kernel runs itself. */
void workload_start(void);

/* Runs in a thread and leaves QEMU with EXIT_OK or EXIT_FAILED. */
void selftest_start(void);

/* Starts a thread that writes trace records until cmdline.count, or for ever. */
void trace_load_start(void);

/* Starts a thread that dies in the way cmdline.workload names. */
void crash_start(void);

#endif
