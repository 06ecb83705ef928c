/* The local APIC in xAPIC mode: end of interrupt, periodic timer, target of MSIs. */
#ifndef KERNEL_LAPIC_H
#define KERNEL_LAPIC_H

#include <stdint.h>

#define LAPIC_SPURIOUS_VECTOR 0xff
#define LAPIC_TIMER_VECTOR    0x30

void lapic_init(void);
uint32_t lapic_id(void);
void lapic_eoi(void);

/* Free-running down counter for calibration, and the same timer as a periodic interrupt. */
void lapic_timer_count_start(void);
uint32_t lapic_timer_count(void);
void lapic_timer_periodic(uint32_t initial_count);

#endif
