#include "cpu.h"
#include "x86.h"

#define MSR_GS_BASE 0xc0000101

struct cpu cpus[CPU_MAX];
static unsigned count = 1;

unsigned cpu_count(void)
{
    return __atomic_load_n(&count, __ATOMIC_ACQUIRE);
}

void cpu_init(unsigned index)
{
    cpus[index].index = index;
    wrmsr(MSR_GS_BASE, (uint64_t)&cpus[index]);
}

void cpu_started(void)
{
    __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE);
}
