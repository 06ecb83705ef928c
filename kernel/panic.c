#include "panic.h"
#include <stdbool.h>
#include <stddef.h>
#include "cmdline.h"
#include "cpu.h"
#include "power.h"
#include "region.h"
#include "smp.h"
#include "string.h"
#include "symbols.h"
#include "thread.h"
#include "vm.h"
#include "x86.h"

#define BACKTRACE_MAX 24

uint64_t __stack_chk_guard = 0x00a0d7ff51c3e92bull;

void panic_begin(void)
{
    static bool panicking;

    irq_disable();
    /* The first one is told; a panic inside it, or on another CPU, is not. */
    if (__atomic_exchange_n(&panicking, true, __ATOMIC_ACQ_REL)) {
        smp_stop_if_asked();
        halt_forever();
    }
    /* First of all: a host that waits must learn of it even if printing fails. */
    region_mark_panic();
    unsigned stopped = smp_stop_others();
    console_break();
    if (cpu_count() > 1)
        kprintf("\nCPU %u: %u of the %u others stopped", cpu_index(), stopped, cpu_count() - 1);
}

void panic_end(void)
{
    if (cmdline.onpanic && !strcmp(cmdline.onpanic, "exit"))
        qemu_exit(EXIT_PANIC);
    halt_forever();
}

/* call is 1 for a return address: a call that never returns may be the last thing in its function,
 * so the instruction before the address says whose it is. */
static void print_frame(int n, uint64_t pc, int call)
{
    uint64_t offset;
    const char *name = symbol_find(pc - (uint64_t)call, &offset);

    if (name)
        kprintf("  #%-2d %016llx %s+%#llx\n", n, (unsigned long long)pc, name,
                (unsigned long long)offset + (unsigned)call);
    else
        kprintf("  #%-2d %016llx ?\n", n, (unsigned long long)pc);
}

static bool readable(uint64_t va)
{
    return va % 8 == 0 && vm_mapped(va) && vm_mapped(va + 15);
}

void backtrace(uint64_t pc, uint64_t rbp)
{
    int n = 0;

    kprintf("backtrace:\n");
    if (pc)
        print_frame(n++, pc, 0);
    while (n < BACKTRACE_MAX && rbp && readable(rbp)) {
        const uint64_t *frame = (const uint64_t *)rbp;
        if (!frame[1])
            break;
        print_frame(n++, frame[1], 1);
        if (frame[0] <= rbp)
            break;
        rbp = frame[0];
    }
}

void panic(const char *fmt, ...)
{
    char text[256];
    va_list ap;

    panic_begin();
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    kprintf("\npanic: %s\nCPU %u, thread \"%s\"\n", text, cpu_index(), thread_name());
    backtrace(0, (uint64_t)__builtin_frame_address(0));
    panic_end();
}

_Noreturn void __stack_chk_fail(void)
{
    panic("stack smashed: a local array was overrun");
}
