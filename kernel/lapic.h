/* The local APIC in xAPIC mode: end of interrupt, periodic timer, target of MSIs. */
#ifndef KERNEL_LAPIC_H
#define KERNEL_LAPIC_H

#include <stdint.h>

#define LAPIC_SPURIOUS_VECTOR 0xff
#define LAPIC_TIMER_VECTOR    0x30
#define LAPIC_WAKE_VECTOR     0x31

/* Maps the registers, which are each CPU's own at one address, and sets up the booting CPU's; the
 * others call the second. */
void lapic_init(void);
void lapic_init_cpu(void);
uint32_t lapic_id(void);
void lapic_eoi(void);

/* Interprocessor interrupts, to the CPU with that APIC id; from any context. The startup IPI's page
 * is below 1 MiB and page aligned. */
void lapic_send(uint32_t apic_id, unsigned vector);
void lapic_send_init(uint32_t apic_id);
void lapic_send_startup(uint32_t apic_id, uint32_t page);
void lapic_send_nmi_to_others(void);

/* Free-running down counter for calibration, and the same timer as a periodic interrupt. */
void lapic_timer_count_start(void);
uint32_t lapic_timer_count(void);
void lapic_timer_periodic(uint32_t initial_count);

#endif
