#include "clock.h"
#include "cmdline.h"
#include "irq.h"
#include "lapic.h"
#include "panic.h"
#include "stats.h"
#include "thread.h"

#define PIT_HZ        1193182ull
#define PIT_COMMAND   0x43
#define STATUS_OUT    0x80 /* the count has passed zero */
#define PORT_B        0x61
#define PORT_B_GATE2  0x01
#define PORT_B_SPEAK  0x02
#define ABSENT        0xff
#define WINDOW_COUNTS 23864 /* 20 ms of the 55 ms that the counter lasts */
#define TRIES         16
#define ROUNDS        50

extern uint64_t entry_tsc; /* boot.S */

struct sample {
    uint64_t tsc;
    uint64_t width; /* the PIT was latched within this many cycles */
    uint32_t pit;   /* counts since the start */
    uint32_t lapic; /* counts left */
    uint8_t status;
};

static uint64_t hz;
static uint64_t ns_per_cycle_q32;
static uint32_t tick_counts; /* of the LAPIC timer */

/* Channel 2 is nobody's, but its gate must be opened. Where the port for that is missing (QEMU's
 * microvm), channel 0 serves, whose interrupt stays masked. */
static const struct channel {
    uint16_t port;
    uint8_t start;     /* low, then high byte; mode 0: count down once */
    uint8_t read_back; /* latch status and count */
} channel0 = { 0x40, 0x30, 0xc2 }, channel2 = { 0x42, 0xb0, 0xc8 }, *channel;

static void choose_channel(void)
{
    uint8_t b = inb(PORT_B);

    channel = b == ABSENT ? &channel0 : &channel2;
    if (channel == &channel2)
        outb(PORT_B, (uint8_t)((b & ~PORT_B_SPEAK) | PORT_B_GATE2));
}

static struct sample sample_once(void)
{
    struct sample s;
    uint64_t before = rdtsc();

    outb(PIT_COMMAND, channel->read_back);
    uint64_t after = rdtsc();
    s.lapic = lapic_timer_count();
    s.status = inb(channel->port);
    uint32_t low = inb(channel->port);
    uint32_t left = low | (uint32_t)inb(channel->port) << 8;
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
    outb(PIT_COMMAND, channel->start);
    outb(channel->port, 0xff);
    outb(channel->port, 0xff);
    lapic_timer_count_start();

    struct sample first = sample_best(), now;
    do {
        cpu_pause();
        now = sample_once();
    } while (now.pit < first.pit + WINDOW_COUNTS && !(now.status & STATUS_OUT));
    struct sample last = sample_best();

    if (sample_once().status & STATUS_OUT)
        return false;
    uint64_t counts = last.pit - first.pit;
    *tsc = (last.tsc - first.tsc) * PIT_HZ / counts;
    *lapic = (first.lapic - last.lapic) * PIT_HZ / counts;
    return true;
}

static void tick(void *arg)
{
    (void)arg;
    this_stats()->ticks++;
    thread_tick(now_ns());
}

void clock_init(void)
{
    uint64_t lapic_hz;
    int round = 0;

    choose_channel();
    if (sample_once().status == ABSENT)
        panic("no PIT to calibrate the TSC against: QEMU's microvm needs pit=on");
    while (!calibrate(&hz, &lapic_hz))
        if (++round == ROUNDS)
            panic("the TSC cannot be calibrated: the host gives no 55 ms without a pause");
    ns_per_cycle_q32 = (1000000000ull << 32) / hz;
    irq_vector_set(LAPIC_TIMER_VECTOR, tick, 0);
    tick_counts = (uint32_t)(lapic_hz / cmdline.tick_hz);
    clock_start_tick();
}

void clock_start_tick(void)
{
    lapic_timer_periodic(tick_counts);
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
