#include "lapic.h"
#include <stdbool.h>
#include "cpu.h"
#include "vm.h"
#include "x86.h"

#define MSR_APIC_BASE   0x1b
#define APIC_BASE_ON    0x800
#define APIC_BASE_ADDR  0xffffff000ull
#define REG_ID          0x020
#define REG_TPR         0x080
#define REG_EOI         0x0b0
#define REG_SPURIOUS    0x0f0
#define REG_COMMAND     0x300
#define REG_COMMAND_TO  0x310
#define REG_LVT_TIMER   0x320
#define REG_LVT_LINT0   0x350
#define REG_LVT_LINT1   0x360
#define REG_LVT_ERROR   0x370
#define REG_TIMER_START 0x380
#define REG_TIMER_COUNT 0x390
#define REG_TIMER_DIV   0x3e0
#define SPURIOUS_ENABLE 0x100
#define LVT_MASKED      0x10000
#define LVT_PERIODIC    0x20000
#define LVT_NMI         0x400
#define LVT_EXTINT      0x700
#define DIVIDE_BY_1     0x0b
#define COMMAND_NMI     0x00400
#define COMMAND_INIT    0x00500
#define COMMAND_STARTUP 0x00600
#define COMMAND_PENDING 0x01000
#define COMMAND_ASSERT  0x04000
#define COMMAND_OTHERS  0xc0000

static volatile uint32_t *lapic;

static uint32_t reg_read(unsigned reg)
{
    return lapic[reg / 4];
}

static void reg_write(unsigned reg, uint32_t v)
{
    lapic[reg / 4] = v;
}

void lapic_init_cpu(void)
{
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ON);
    reg_write(REG_TPR, 0);
    reg_write(REG_LVT_TIMER, LVT_MASKED);
    /* The 8259, for INTx: it interrupts one CPU. */
    reg_write(REG_LVT_LINT0, cpu_index() ? LVT_MASKED : LVT_EXTINT);
    reg_write(REG_LVT_LINT1, LVT_NMI);
    reg_write(REG_LVT_ERROR, LVT_MASKED);
    reg_write(REG_TIMER_DIV, DIVIDE_BY_1);
    reg_write(REG_SPURIOUS, SPURIOUS_ENABLE | LAPIC_SPURIOUS_VECTOR);
}

void lapic_init(void)
{
    lapic = mmio_map(rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDR, 4096);
    lapic_init_cpu();
}

uint32_t lapic_id(void)
{
    return reg_read(REG_ID) >> 24;
}

void lapic_eoi(void)
{
    reg_write(REG_EOI, 0);
}

void lapic_timer_count_start(void)
{
    reg_write(REG_LVT_TIMER, LVT_MASKED);
    reg_write(REG_TIMER_START, UINT32_MAX);
}

uint32_t lapic_timer_count(void)
{
    return reg_read(REG_TIMER_COUNT);
}

void lapic_timer_periodic(uint32_t initial_count)
{
    reg_write(REG_LVT_TIMER, LVT_PERIODIC | LAPIC_TIMER_VECTOR);
    reg_write(REG_TIMER_START, initial_count);
}

/* Two registers make one command: no interrupt handler may come between. */
static void command(uint32_t apic_id, uint32_t what)
{
    bool irq = irq_save();

    while (reg_read(REG_COMMAND) & COMMAND_PENDING)
        cpu_pause();
    reg_write(REG_COMMAND_TO, apic_id << 24);
    reg_write(REG_COMMAND, what | COMMAND_ASSERT);
    irq_restore(irq);
}

void lapic_send(uint32_t apic_id, unsigned vector)
{
    command(apic_id, vector);
}

void lapic_send_init(uint32_t apic_id)
{
    command(apic_id, COMMAND_INIT);
}

void lapic_send_startup(uint32_t apic_id, uint32_t page)
{
    command(apic_id, COMMAND_STARTUP | page >> 12);
}

void lapic_send_nmi_to_others(void)
{
    command(0, COMMAND_NMI | COMMAND_OTHERS);
}
