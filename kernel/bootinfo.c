#include "bootinfo.h"
#include "acpi.h"
#include "page.h"
#include "panic.h"
#include "string.h"

/* The PVH boot ABI (Xen public/arch-x86/hvm/start_info.h), version 1. */
#define START_INFO_MAGIC 0x336ec578
#define MEMMAP_RAM       1
#define LOW_MEMORY_END   0x100000ull

struct hvm_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t modules;
    uint64_t modlist_paddr;
    uint64_t cmdline_paddr;
    uint64_t rsdp_paddr;
    uint64_t memmap_paddr;
    uint32_t memmap_entries;
    uint32_t reserved;
};

struct hvm_memmap_entry {
    uint64_t addr;
    uint64_t size;
    uint32_t type;
    uint32_t reserved;
};

struct bootinfo bootinfo;

/* BIOS and video live below 1 MiB, and the loader's structures, which are gone once copied. */
static void add_range(uint64_t start, uint64_t end)
{
    start = align_up(start < LOW_MEMORY_END ? LOW_MEMORY_END : start, PAGE_SIZE);
    end = align_down(end, PAGE_SIZE);
    if (start >= end || bootinfo.ranges == BOOT_MAX_RANGES)
        return;
    bootinfo.ram[bootinfo.ranges++] = (struct ram_range){ start, end };
    bootinfo.ram_bytes += end - start;
}

void bootinfo_read(uint64_t start_info_paddr)
{
    const struct hvm_start_info *info = phys_to_virt(start_info_paddr);

    if (info->magic != START_INFO_MAGIC)
        panic("not booted by a PVH loader: magic %#x", info->magic);
    if (info->version < 1 || info->memmap_entries == 0)
        panic("PVH loader gives no memory map (version %u)", info->version);

    const struct hvm_memmap_entry *map = phys_to_virt(info->memmap_paddr);
    for (uint32_t i = 0; i < info->memmap_entries; i++)
        if (map[i].type == MEMMAP_RAM)
            add_range(map[i].addr, map[i].addr + map[i].size);
    bootinfo.cpus = acpi_cpus(info->rsdp_paddr, bootinfo.cpu_apic_ids, CPU_MAX);
    if (info->cmdline_paddr)
        strlcpy(bootinfo.cmdline, phys_to_virt(info->cmdline_paddr), sizeof(bootinfo.cmdline));
}
