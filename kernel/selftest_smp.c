/* Several CPUs at once: threads on each, locks, wake-ups across, allocators, the rendezvous. On one
 * CPU the same checks run against threads of that CPU. */
#include "clock.h"
#include "cpu.h"
#include "irq.h"
#include "page.h"
#include "rendezvous.h"
#include "selftest.h"
#include "slab.h"
#include "spinlock.h"
#include "stats.h"
#include "string.h"
#include "thread.h"
#include "vm.h"
#include "x86.h"

#define LAPS      300
#define ADDITIONS 20000
#define BLOCKS    400
#define MEETINGS  50

static struct spinlock lock = SPINLOCK("selftest");
static unsigned done; /* under the lock: threads that have finished */

static void finished(void)
{
    bool irq = spin_lock(&lock);
    done++;
    spin_unlock(&lock, irq);
    thread_wakeup_shared(&done);
}

/* One thread on each CPU, and waits for them all. */
static void on_all(void (*fn)(void *arg))
{
    done = 0;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        CHECK(thread_create_on(cpu, "worker", fn, (void *)(uint64_t)cpu));
    bool irq = spin_lock(&lock);
    while (done < cpu_count())
        thread_sleep_shared(&done, THREAD_FOREVER, &lock);
    spin_unlock(&lock, irq);
}

static uint32_t right_place; /* 1 << CPU */

static void where(void *arg)
{
    int local;
    uint64_t ticks = this_stats()->ticks, stack = align_down((uint64_t)&local, 4 * PAGE_SIZE);
    bool right = cpu_index() == (uint64_t)arg && irq_enabled() && !irq_in_handler() &&
                 !this_cpu()->locks && vm_is_guard(stack) && !strcmp(thread_name(), "worker");

    thread_sleep_ns(20000000); /* its own timer wakes it */
    right &= this_stats()->ticks > ticks && cpu_index() == (uint64_t)arg;
    if (right)
        __atomic_fetch_or(&right_place, 1u << cpu_index(), __ATOMIC_RELAXED);
    finished();
}

static uint64_t sum;

static void add(void *arg)
{
    (void)arg;
    for (int i = 0; i < ADDITIONS; i++) {
        bool irq = spin_lock(&lock);
        sum++;
        spin_unlock(&lock, irq);
    }
    finished();
}

/* A token goes round the CPUs, each asleep until it is there; it carries the time, which must not
 * go back. A wake-up lost anywhere stops it. */
static unsigned turn;
static uint64_t token_ns, went_back;

static void pass_on(void *arg)
{
    unsigned me = cpu_index();
    (void)arg;
    for (int lap = 0; lap < LAPS; lap++) {
        bool irq = spin_lock(&lock);
        while (turn != me)
            thread_sleep_shared(&turn, THREAD_FOREVER, &lock);
        uint64_t now = now_ns();
        went_back += now < token_ns;
        token_ns = now;
        turn = (me + 1) % cpu_count();
        spin_unlock(&lock, irq);
        thread_wakeup_shared(&turn);
    }
    finished();
}

/* Waits until every worker has come to its n-th barrier. */
static void barrier(unsigned n)
{
    static unsigned there;

    __atomic_add_fetch(&there, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&there, __ATOMIC_ACQUIRE) < n * cpu_count())
        thread_yield();
}

/* Blocks of several sizes, held for a while, each full of its owner's number. Returns how many
 * bytes another one wrote, and blocks there were not. */
static uint64_t take_and_give(void)
{
    enum { HELD = 8, BYTES = 200 };
    uint8_t *held[HELD] = { 0 }, mark = (uint8_t)(cpu_index() + 1);
    uint64_t bad = 0;

    for (int i = 0; i < BLOCKS + HELD; i++) {
        uint8_t **slot = &held[i % HELD];
        for (int b = 0; *slot && b < BYTES; b++)
            bad += (*slot)[b] != mark;
        if (i % 2)
            kfree(*slot);
        else if (*slot)
            page_free(*slot);
        *slot = i >= BLOCKS ? NULL : i % 2 ? kmalloc(BYTES) : page_alloc((unsigned)i % 3);
        if (*slot)
            memset(*slot, mark, BYTES);
        else
            bad += i < BLOCKS;
    }
    return bad;
}

static uint64_t damaged, pages_used[2];

/* The first round leaves each cache its one slab, the second must leave nothing. */
static void allocate(void *arg)
{
    (void)arg;
    for (unsigned round = 0; round < 2; round++) {
        uint64_t bad = take_and_give();
        __atomic_fetch_add(&damaged, bad, __ATOMIC_RELAXED);
        barrier(2 * round + 1);
        pages_used[round] = page_used_count();
        barrier(2 * round + 2);
    }
    finished();
}

/* Inside between two yields, as a driver's poll is; the rendezvous must find nobody there. */
static bool inside[CPU_MAX];
static uint64_t found_inside, meetings;

static void look(void *arg)
{
    (void)arg;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        found_inside += inside[cpu];
    found_inside += irq_enabled();
    meetings++;
}

static void meet(void *arg)
{
    (void)arg;
    for (int i = 0; i < MEETINGS; i++) {
        inside[cpu_index()] = true;
        for (int n = 0; n < 100; n++)
            cpu_pause();
        inside[cpu_index()] = false;
        thread_yield();
        /* From two CPUs, so that callers meet. */
        if (cpu_index() < 2 && i % 5 == 0)
            rendezvous(look, NULL);
    }
    finished();
}

void selftest_smp(void)
{
    unsigned n = cpu_count(), callers = n < 2 ? n : 2;

    on_all(where);
    CHECK(right_place == (1u << n) - 1);
    on_all(add);
    CHECK(sum == (uint64_t)n * ADDITIONS);
    on_all(pass_on);
    CHECK(turn == 0 && token_ns > 0);
    CHECK(went_back == 0);
    on_all(allocate);
    CHECK(damaged == 0);
    CHECK(pages_used[0] == pages_used[1]);
    on_all(meet);
    CHECK(found_inside == 0 && meetings == callers * MEETINGS / 5);
    kprintf("selftest: %u CPUs, %u hops of the token\n", n, n * LAPS);
}
