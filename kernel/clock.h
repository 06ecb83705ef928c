/* Time: the TSC, calibrated once at boot, and the periodic tick. */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include <stdint.h>
#include "x86.h"

/* Calibrates against the PIT for about 20 ms, then starts the tick. */
void clock_init(void);

/* Starts the tick on a CPU other than the one that called clock_init. */
void clock_start_tick(void);

uint64_t tsc_hz(void);

/* The TSC at kernel entry. */
uint64_t boot_tsc(void);

/* Nanoseconds since kernel entry. Monotonic; good for 500 years. Callable from anywhere. */
uint64_t now_ns(void);

/* Converts a difference of TSC stamps. */
uint64_t tsc_to_ns(uint64_t cycles);

/* Spins without giving up the CPU. */
void delay_us(uint64_t us);

#endif
