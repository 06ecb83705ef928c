#include "clock.h"
#include "cmdline.h"
#include "irq.h"
#include "lapic.h"
#include "panic.h"
#include "stats.h"
#include "thread.h"

#define PIT_HZ        1193182ull
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_START     0xb0 /* channel 2, low then high byte, mode 0: count down once */
#define PIT_LATCH     0x80
#define PORT_B        0x61
#define PORT_B_GATE2  0x01
#define PORT_B_SPEAK  0x02
#define PORT_B_OUT2   0x20  /* high once the count has passed zero */
#define WINDOW_COUNTS 23864 /* 20 ms of the 55 ms that the counter lasts */
#define TRIES         16
#define ROUNDS        50

extern uint64_t entry_tsc; /* boot.S */

struct sample {
    uint64_t tsc;
    uint64_t width; /* the PIT was latched within this many cycles */
    uint32_t pit;   /* counts since the start */
    uint32_t lapic; /* counts left */
};

static uint64_t hz;
static uint64_t ns_per_cycle_q32;

static struct sample sample_once(void)
{
    struct sample s;
    uint64_t before = rdtsc();

    outb(PIT_COMMAND, PIT_LATCH);
    uint64_t after = rdtsc();
    s.lapic = lapic_timer_count();
    uint32_t low = inb(PIT_CHANNEL2);
    uint32_t left = low | (uint32_t)inb(PIT_CHANNEL2) << 8;
    s.tsc = before + (after - before) / 2;
    s.width = after - before;
    s.pit = 0xffff - left;
    return s;
}

/* The tightest of several: the others lost time to the host between the two clocks. */
static struct sample sample_best(void)
{
    struct sample best = sample_once();

    for (int i = 1; i < TRIES; i++) {
        struct sample s = sample_once();
        if (s.width < best.width)
            best = s;
    }
    return best;
}

/* One round; false when the host took the CPU away for so long that the counter wrapped. */
static bool calibrate(uint64_t *tsc, uint64_t *lapic)
{
    outb(PORT_B, (uint8_t)((inb(PORT_B) & ~PORT_B_SPEAK) | PORT_B_GATE2));
    outb(PIT_COMMAND, PIT_START);
    outb(PIT_CHANNEL2, 0xff);
    outb(PIT_CHANNEL2, 0xff);
    lapic_timer_count_start();

    struct sample first = sample_best();
    while (sample_once().pit < first.pit + WINDOW_COUNTS && !(inb(PORT_B) & PORT_B_OUT2))
        cpu_pause();
    struct sample last = sample_best();

    if (inb(PORT_B) & PORT_B_OUT2)
        return false;
    uint64_t counts = last.pit - first.pit;
    *tsc = (last.tsc - first.tsc) * PIT_HZ / counts;
    *lapic = (first.lapic - last.lapic) * PIT_HZ / counts;
    return true;
}

static void tick(void *arg)
{
    (void)arg;
    kernel_stats.ticks++;
    thread_tick(now_ns());
}

void clock_init(void)
{
    uint64_t lapic_hz;
    int round = 0;

    while (!calibrate(&hz, &lapic_hz))
        if (++round == ROUNDS)
            panic("the TSC cannot be calibrated: the host gives no 55 ms without a pause");
    ns_per_cycle_q32 = (1000000000ull << 32) / hz;
    irq_vector_set(LAPIC_TIMER_VECTOR, tick, 0);
    lapic_timer_periodic((uint32_t)(lapic_hz / cmdline.tick_hz));
}

uint64_t tsc_hz(void)
{
    return hz;
}

uint64_t boot_tsc(void)
{
    return entry_tsc;
}

uint64_t tsc_to_ns(uint64_t cycles)
{
    return (uint64_t)((unsigned __int128)cycles * ns_per_cycle_q32 >> 32);
}

uint64_t now_ns(void)
{
    return tsc_to_ns(rdtsc() - entry_tsc);
}

void delay_us(uint64_t us)
{
    uint64_t end = rdtsc() + us * hz / 1000000;

    while ((int64_t)(rdtsc() - end) < 0)
        cpu_pause();
}
