#include "trap.h"
#include <stdbool.h>
#include <stddef.h>
#include "cpu.h"
#include "irq.h"
#include "layout.h"
#include "panic.h"
#include "smp.h"
#include "symbols.h"
#include "thread.h"
#include "vm.h"
#include "x86.h"

#define KERNEL_CS      0x08
#define TSS_SELECTOR   0x18
#define GATE_INTERRUPT 0x8e /* present, ring 0, interrupts off on entry */
#define TSS_AVAILABLE  0x89
#define GDT_CODE       0x00af9b000000ffff
#define GDT_DATA       0x00cf93000000ffff
#define EXCEPTIONS     32
#define NMI            2
#define DOUBLE_FAULT   8

struct __attribute__((packed)) gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct __attribute__((packed)) tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, iomap;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

extern const char trap_entries[]; /* 256 stubs of 16 bytes */

static struct gate idt[256] __attribute__((aligned(16)));
/* Each CPU's own: a task is marked busy where it is loaded. */
static struct tss tasks[CPU_MAX];
static uint64_t gdts[CPU_MAX][5];

static const char *const exception_names[EXCEPTIONS] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "no FPU",
    "double fault",
    "exception 9",
    "invalid TSS",
    "segment not present",
    "stack segment",
    "general protection",
    "page fault",
    "exception 15",
    "FPU error",
    "alignment check",
    "machine check",
    "SIMD error",
    "virtualization",
    "control protection",
    "exception 22",
    "exception 23",
    "exception 24",
    "exception 25",
    "exception 26",
    "exception 27",
    "hypervisor",
    "VMM communication",
    "security",
    "exception 31",
};

static void set_gate(int vector, int ist)
{
    uint64_t entry = (uint64_t)trap_entries + (uint64_t)vector * 16;

    idt[vector] = (struct gate){
        .offset_low = (uint16_t)entry,
        .selector = KERNEL_CS,
        .ist = (uint8_t)ist,
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

void trap_init_cpu(void)
{
    unsigned cpu = cpu_index();
    struct tss *task = &tasks[cpu];
    uint64_t *gdt = gdts[cpu], base = (uint64_t)task;
    struct table_pointer gdtr = { sizeof(gdts[cpu]) - 1, (uint64_t)gdt };
    struct table_pointer idtr = { sizeof(idt) - 1, (uint64_t)idt };

    task->iomap = sizeof(*task);
    for (int stack = STACK_BOOT + 1; stack < STACK_COUNT; stack++)
        task->ist[stack - 1] = (uint64_t)&kernel_stacks[cpu][stack + 1];
    gdt[1] = GDT_CODE;
    gdt[2] = GDT_DATA;
    gdt[3] = (sizeof(*task) - 1) | (base & 0xffffff) << 16 | (uint64_t)TSS_AVAILABLE << 40 |
             (base >> 24 & 0xff) << 56;
    gdt[4] = base >> 32;
    __asm__ volatile("lgdt %0" ::"m"(gdtr));
    __asm__ volatile("ltr %w0" ::"r"(TSS_SELECTOR));
    __asm__ volatile("lidt %0" ::"m"(idtr));
}

void trap_init(void)
{
    for (int vector = 0; vector < 256; vector++)
        set_gate(vector, 0);
    set_gate(DOUBLE_FAULT, STACK_DOUBLE_FAULT);
    set_gate(NMI, STACK_NMI);
    set_gate(TRAP_PAGE_FAULT, STACK_PAGE_FAULT);
    trap_init_cpu();
}

static void print_page_fault(const struct trap_frame *f, uint64_t address)
{
    const char *access = f->error & 0x10 ? "execution" : f->error & 2 ? "write" : "read";
    const char *why = f->error & 8   ? "reserved bit set"
                      : f->error & 1 ? "protection"
                                     : "not mapped";

    if (vm_is_guard(address))
        kprintf("\npanic: stack overflow: %s at %#llx in the guard page\n", access,
                (unsigned long long)address);
    else
        kprintf("\npanic: page fault: %s at %#llx: %s%s\n", access, (unsigned long long)address,
                why, address < 4096 ? " (null pointer)" : "");
}

#define U(x) ((unsigned long long)(x))

static void print_registers(const struct trap_frame *f)
{
    kprintf("rip %016llx rsp %016llx rbp %016llx flags %08llx\n", U(f->rip), U(f->rsp), U(f->rbp),
            U(f->rflags));
    kprintf("rax %016llx rbx %016llx rcx %016llx rdx %016llx\n", U(f->rax), U(f->rbx), U(f->rcx),
            U(f->rdx));
    kprintf("rsi %016llx rdi %016llx r8  %016llx r9  %016llx\n", U(f->rsi), U(f->rdi), U(f->r8),
            U(f->r9));
    kprintf("r10 %016llx r11 %016llx r12 %016llx r13 %016llx\n", U(f->r10), U(f->r11), U(f->r12),
            U(f->r13));
    kprintf("r14 %016llx r15 %016llx cr2 %016llx cr3 %016llx\n", U(f->r14), U(f->r15),
            U(read_cr2()), U(read_cr3()));
}

_Noreturn static void exception(const struct trap_frame *f)
{
    if (f->vector == NMI)
        smp_stop_if_asked();
    panic_begin();
    if (f->vector == TRAP_PAGE_FAULT)
        print_page_fault(f, read_cr2());
    else
        kprintf("\npanic: %s\n", exception_names[f->vector]);
    kprintf("CPU %u, thread \"%s\"%s, trap %llu, error code %#llx\n", cpu_index(), thread_name(),
            irq_in_handler() ? " in an interrupt handler" : "", U(f->vector), U(f->error));
    print_registers(f);
    /* A wild jump leaves its caller only on the stack. */
    backtrace(f->rip, f->rbp);
    panic_end();
}

void trap_dispatch(const struct trap_frame *f)
{
    if (f->vector < TRAP_FIRST_IRQ)
        exception(f);
    irq_dispatch((unsigned)f->vector);
}
