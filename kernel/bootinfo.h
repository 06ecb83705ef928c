/* What the PVH loader hands over, copied out of low memory before that is unmapped. */
#ifndef KERNEL_BOOTINFO_H
#define KERNEL_BOOTINFO_H

#include <stdint.h>
#include "cpu.h"

#define BOOT_MAX_RANGES  16
#define BOOT_CMDLINE_MAX 1024

struct ram_range {
    uint64_t start, end; /* physical, end excluded, page aligned, ascending, above 1 MiB */
};

struct bootinfo {
    struct ram_range ram[BOOT_MAX_RANGES];
    unsigned ranges;
    uint64_t ram_bytes;
    char cmdline[BOOT_CMDLINE_MAX];
    uint32_t cpu_apic_ids[CPU_MAX]; /* of the CPUs that the firmware tells of */
    unsigned cpus;                  /* 0: it tells of none */
};

extern struct bootinfo bootinfo;

/* Panics when the loader is not a PVH loader or gives no memory map. */
void bootinfo_read(uint64_t start_info_paddr);

#endif
