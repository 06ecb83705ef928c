#include "lapic.h"
#include "vm.h"
#include "x86.h"

#define MSR_APIC_BASE   0x1b
#define APIC_BASE_ON    0x800
#define APIC_BASE_ADDR  0xffffff000ull
#define REG_ID          0x020
#define REG_TPR         0x080
#define REG_EOI         0x0b0
#define REG_SPURIOUS    0x0f0
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

static volatile uint32_t *lapic;

static uint32_t reg_read(unsigned reg)
{
    return lapic[reg / 4];
}

static void reg_write(unsigned reg, uint32_t v)
{
    lapic[reg / 4] = v;
}

void lapic_init(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    wrmsr(MSR_APIC_BASE, base | APIC_BASE_ON);
    lapic = mmio_map(base & APIC_BASE_ADDR, 4096);
    reg_write(REG_TPR, 0);
    reg_write(REG_LVT_TIMER, LVT_MASKED);
    reg_write(REG_LVT_LINT0, LVT_EXTINT); /* the 8259, for INTx */
    reg_write(REG_LVT_LINT1, LVT_NMI);
    reg_write(REG_LVT_ERROR, LVT_MASKED);
    reg_write(REG_TIMER_DIV, DIVIDE_BY_1);
    reg_write(REG_SPURIOUS, SPURIOUS_ENABLE | LAPIC_SPURIOUS_VECTOR);
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
