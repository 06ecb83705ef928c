#include "smp.h"
#include <stdbool.h>
#include <stddef.h>
#include "ap_boot.h"
#include "bootinfo.h"
#include "clock.h"
#include "cmdline.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "lapic.h"
#include "layout.h"
#include "page.h"
#include "panic.h"
#include "power.h"
#include "string.h"
#include "thread.h"
#include "trap.h"
#include "tsc_sync.h"
#include "vm.h"
#include "x86.h"

/* Intel SDM volume 3, "MP Initialization Protocol Algorithm". */
#define AFTER_INIT_US    10000
#define AFTER_STARTUP_US 200
#define START_LIMIT_US   10000000
#define STOP_LIMIT_US    100000

void *ap_stack;
static unsigned starting; /* index of the CPU that is being started */
static bool alive;        /* it has reached C */
static bool stopping;
static uint32_t stopped; /* 1 << CPU */

void smp_wake(unsigned cpu)
{
    lapic_send(cpus[cpu].apic_id, LAPIC_WAKE_VECTOR);
}

/* What it is for has happened when it arrives: hlt has ended. */
static void woken(void *arg)
{
    (void)arg;
}

_Noreturn void ap_main(void)
{
    cpu_init(starting);
    trap_init_cpu();
    lapic_init_cpu();
    this_cpu()->apic_id = lapic_id();
    thread_init();
    __atomic_store_n(&alive, true, __ATOMIC_RELEASE);
    tsc_sync_answer();
    clock_start_tick();
    thread_idle();
}

static bool is_alive_within(uint64_t us)
{
    uint64_t end = now_ns() + us * 1000;

    while (!__atomic_load_n(&alive, __ATOMIC_ACQUIRE)) {
        if (now_ns() >= end)
            return false;
        cpu_pause();
    }
    return true;
}

/* The second startup IPI is for a CPU that lost the first; one that runs ignores it. */
static void start(unsigned index, uint32_t apic_id)
{
    starting = index;
    ap_stack = &kernel_stacks[index][STACK_BOOT + 1];
    alive = false;
    lapic_send_startup(apic_id, AP_TRAMPOLINE);
    if (!is_alive_within(AFTER_STARTUP_US))
        lapic_send_startup(apic_id, AP_TRAMPOLINE);
    if (!is_alive_within(START_LIMIT_US))
        panic("CPU with APIC id %u does not start; with cpus=%u it is not asked to", apic_id,
              index);
}

/* How far this CPU's TSC and the new one's can be apart. */
static uint64_t compare_tsc(unsigned index)
{
    struct tsc_bounds b = tsc_sync_ask();

    if (b.low > 0 || b.high < 0)
        kprintf("smp: CPU %u's TSC is ahead by %ld to %ld cycles: its trace will not merge with "
                "the others'\n",
                index, b.low, b.high);
    uint64_t low = (uint64_t)(b.low < 0 ? -b.low : b.low);
    uint64_t high = (uint64_t)(b.high < 0 ? -b.high : b.high);
    return low > high ? low : high;
}

/* Writable until the code is there, executable from then on, and absent when all CPUs are past it.
 */
static void place_trampoline(void)
{
    uint8_t *copy = (uint8_t *)AP_TRAMPOLINE;
    uint64_t tables = read_cr3();

    kassert(tables <= UINT32_MAX);
    vm_set_page(copy, VM_RW);
    memcpy(copy, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
    memcpy(copy + (ap_trampoline_cr3 - ap_trampoline), &tables, sizeof(uint32_t));
    vm_set_page(copy, VM_RX);
}

void smp_start(void)
{
    uint64_t apart = 0, before = now_ns();
    unsigned wanted = 0;
    uint32_t ids[CPU_MAX];

    this_cpu()->apic_id = lapic_id();
    for (unsigned i = 0; i < bootinfo.cpus && wanted + 1 < cmdline.cpus; i++)
        if (bootinfo.cpu_apic_ids[i] != this_cpu()->apic_id)
            ids[wanted++] = bootinfo.cpu_apic_ids[i];
    if (!wanted)
        return;
    irq_vector_set(LAPIC_WAKE_VECTOR, woken, NULL);
    place_trampoline();
    for (unsigned i = 0; i < wanted; i++)
        lapic_send_init(ids[i]);
    delay_us(AFTER_INIT_US);
    for (unsigned i = 0; i < wanted; i++) {
        start(i + 1, ids[i]);
        uint64_t cycles = compare_tsc(i + 1);
        apart = cycles > apart ? cycles : apart;
        cpu_started();
    }
    vm_set_page((void *)AP_TRAMPOLINE, VM_ABSENT);
    kprintf("smp: %u CPUs in %lu us, TSCs at most %lu ns apart\n", cpu_count(),
            (now_ns() - before) / 1000, tsc_to_ns(apart));
}

static unsigned stopped_cpus(void)
{
    unsigned n = 0;

    for (uint32_t bits = __atomic_load_n(&stopped, __ATOMIC_ACQUIRE); bits; bits &= bits - 1)
        n++;
    return n;
}

/* An NMI, as the others may have interrupts off: waiting for a lock of ours, or with us. */
unsigned smp_stop_others(void)
{
    uint64_t end = now_ns() + STOP_LIMIT_US * 1000;

    if (cpu_count() == 1)
        return 0;
    __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
    lapic_send_nmi_to_others();
    while (stopped_cpus() + 1 < cpu_count() && now_ns() < end)
        cpu_pause();
    return stopped_cpus();
}

void smp_stop_if_asked(void)
{
    if (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
        return;
    __atomic_fetch_or(&stopped, 1u << cpu_index(), __ATOMIC_RELEASE);
    halt_forever();
}
