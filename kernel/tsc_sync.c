/* The asker stamps, asks, and stamps again when it has the answer: the other CPU's stamp was taken
 * between the two. Each round bounds the difference from both sides; the tightest bounds of several
 * rounds hold, as the counters run at one rate. A round is short only while the host runs both
 * CPUs: where it has fewer to give, a few loose rounds must do. */
#include "tsc_sync.h"
#include "clock.h"
#include "x86.h"

#define ROUNDS   16
#define LIMIT_NS 10000000 /* no round begins after that */
#define TIGHT_NS 1000     /* nor after bounds this far apart */
#define OVER     UINT32_MAX

static struct {
    uint32_t asked, answered; /* rounds; OVER: there are no more */
    uint64_t stamp;
} exchange;

/* Not before the loads before it. */
static uint64_t rdtsc_after_loads(void)
{
    __asm__ volatile("lfence" ::: "memory");
    return rdtsc();
}

/* Returns the new value. */
static uint32_t wait_for_change(const uint32_t *word, uint32_t from)
{
    uint32_t now;

    while ((now = __atomic_load_n(word, __ATOMIC_ACQUIRE)) == from)
        cpu_pause();
    return now;
}

static void ask(struct tsc_bounds *b, uint32_t round)
{
    uint64_t before = rdtsc_after_loads();
    __atomic_store_n(&exchange.asked, round, __ATOMIC_RELEASE);
    wait_for_change(&exchange.answered, round - 1);
    uint64_t after = rdtsc_after_loads();
    int64_t low = (int64_t)(exchange.stamp - after), high = (int64_t)(exchange.stamp - before);

    b->low = low > b->low ? low : b->low;
    b->high = high < b->high ? high : b->high;
}

struct tsc_bounds tsc_sync_ask(void)
{
    struct tsc_bounds b = { INT64_MIN, INT64_MAX };
    uint64_t end = now_ns() + LIMIT_NS;
    uint32_t round = 0;

    do
        ask(&b, ++round);
    while (round < ROUNDS && now_ns() < end && tsc_to_ns((uint64_t)(b.high - b.low)) > TIGHT_NS);
    __atomic_store_n(&exchange.asked, OVER, __ATOMIC_RELEASE);
    wait_for_change(&exchange.answered, round);
    exchange.asked = exchange.answered = 0;
    return b;
}

void tsc_sync_answer(void)
{
    uint32_t round = 0;

    while (round != OVER) {
        round = wait_for_change(&exchange.asked, round);
        exchange.stamp = rdtsc_after_loads();
        __atomic_store_n(&exchange.answered, round, __ATOMIC_RELEASE);
    }
}
