/* The one thing asked of ACPI: which CPUs there are. */
#ifndef KERNEL_ACPI_H
#define KERNEL_ACPI_H

#include <stdint.h>

/* Local APIC ids of the usable CPUs, the booting one among them, from the MADT; at most `max`.
 * Returns how many, 0 where there are no tables (rsdp_paddr 0) or damaged ones. Reads the tables
 * where the firmware left them: before vm_init unmaps that. */
unsigned acpi_cpus(uint64_t rsdp_paddr, uint32_t *ids, unsigned max);

#endif
