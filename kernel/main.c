#include "main.h"
#include "bootinfo.h"
#include "clock.h"
#include "cmdline.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "page.h"
#include "panic.h"
#include "pci.h"
#include "power.h"
#include "region.h"
#include "rendezvous.h"
#include "slab.h"
#include "smp.h"
#include "string.h"
#include "thread.h"
#include "trap.h"
#include "vm.h"

__attribute__((weak)) int vnet_port_init(void)
{
    return 0;
}

__attribute__((weak)) void workload_start(void)
{
}

/* Nothing of the machine is needed to say that the command line is wrong; the host sees PANIC in
 * the region's state instead of waiting. */
_Noreturn static void refuse(const char *why)
{
    console_release();
    kprintf("ringscope: %s\n", why);
    region_mark_panic();
    qemu_debug_exit(EXIT_USAGE);
    halt_forever();
}

static void read_cmdline(void)
{
    char why[160];
    bool help;

    if (cmdline_parse(&cmdline, bootinfo.cmdline, &help, why, sizeof(why)) < 0)
        refuse(why);
    if (help) {
        cmdline_help();
        qemu_exit(EXIT_OK);
    }
    if (region_init() < 0)
        refuse("the trace region does not fit into RAM: give the machine more, or trace_mb less");
    if (cmdline.quiet)
        console_hold();
}

/* The self-tests and the crashes need no network and must not depend on one. */
static bool runs_alone(void)
{
    return !strcmp(cmdline.workload, "selftest") || !strncmp(cmdline.workload, "crash", 5);
}

static void start_workload(void)
{
    if (!runs_alone() && vnet_port_init())
        refuse("no network: the line above says why");
    if (!strcmp(cmdline.workload, "selftest"))
        selftest_start();
    else if (runs_alone())
        crash_start();
    else
        workload_start();
}

_Noreturn void kmain(uint64_t start_info_paddr)
{
    cpu_init(0);
    console_init();
    trap_init();
    thread_init();
    bootinfo_read(start_info_paddr);
    read_cmdline();
    page_init();
    vm_init();
    slab_init();
    irq_init();
    clock_init();
    uint64_t clock_done = now_ns();
    irq_enable();
    int functions = pci_scan();
    smp_start();
    rendezvous_init();
    kprintf("ringscope: RAM %llu MiB, trace region %llu MiB, TSC %llu Hz, %d PCI functions\n",
            (unsigned long long)bootinfo.ram_bytes >> 20, (unsigned long long)cmdline.trace_mb,
            (unsigned long long)tsc_hz(), functions);
    start_workload();
    kprintf("ringscope: kernel ready, %llu us after entry (%llu us until the clock)\n",
            (unsigned long long)now_ns() / 1000, (unsigned long long)clock_done / 1000);
    thread_idle();
}
