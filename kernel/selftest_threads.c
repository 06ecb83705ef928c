#include "clock.h"
#include "cmdline.h"
#include "irq.h"
#include "page.h"
#include "selftest.h"
#include "stats.h"
#include "string.h"
#include "thread.h"
#include "x86.h"

static char order[16];

static void append(void *arg)
{
    const char *letter = arg;

    for (int i = 0; i < 3; i++) {
        strlcpy(order + strlen(order), letter, 2);
        thread_yield();
    }
}

static void test_yield(void)
{
    CHECK(thread_create("a", append, "a") && thread_create("b", append, "b"));
    for (int i = 0; i < 8; i++)
        thread_yield();
    CHECK(!strcmp(order, "ababab"));
    CHECK(!strcmp(thread_name(), "selftest"));
    CHECK(irq_enabled());
}

static void nothing(void *arg)
{
    (*(int *)arg)++;
}

static void test_reuse(void)
{
    uint64_t used = page_used_count();
    int runs = 0;

    for (int i = 0; i < 100; i++) {
        CHECK(thread_create("short", nothing, &runs));
        thread_yield();
    }
    CHECK(runs == 100 && page_used_count() == used);
}

static int condition, wakes;

static void waiter(void *arg)
{
    (void)arg;
    bool irq = irq_save();
    while (!condition) {
        CHECK(thread_sleep(&condition, THREAD_FOREVER));
        CHECK(!irq_enabled());
    }
    irq_restore(irq);
    wakes++;
}

static void test_wakeup(void)
{
    for (int i = 0; i < 3; i++)
        CHECK(thread_create("waiter", waiter, NULL));
    thread_yield();
    thread_wakeup(&wakes);     /* nobody there */
    thread_wakeup(&condition); /* too early: they go back to sleep */
    thread_yield();
    CHECK(wakes == 0);
    condition = 1;
    thread_wakeup(&condition);
    thread_yield();
    CHECK(wakes == 3);
}

/* A host that takes the CPU away makes sleeps longer, never shorter. */
static void test_time(void)
{
    uint64_t tick_ns = 1000000000 / cmdline.tick_hz;
    uint64_t before = now_ns(), ticks = this_stats()->ticks;

    thread_sleep_ns(5 * tick_ns);
    uint64_t slept = now_ns() - before;
    CHECK(slept >= 5 * tick_ns && slept < 5 * tick_ns + 1000000000);
    CHECK(this_stats()->ticks - ticks >= 2);
    CHECK(this_stats()->idle_tsc > 0);
    CHECK(!thread_sleep(&tick_ns, now_ns())); /* the deadline is over: it returns all the same */

    before = now_ns();
    delay_us(300);
    CHECK(now_ns() - before >= 299000);
    bool monotonic = true;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = now_ns();
        monotonic &= now >= before;
        before = now;
    }
    CHECK(monotonic);
    CHECK(tsc_to_ns(tsc_hz()) > 999999900 && tsc_to_ns(tsc_hz()) <= 1000000000);
}

static bool handled_in_irq;

static void wake_handler(void *arg)
{
    handled_in_irq = irq_in_handler();
    condition = 1;
    thread_wakeup(arg);
}

static void raise_0x40(void *arg)
{
    (void)arg;
    __asm__ volatile("int $0x40" ::: "memory");
}

static void test_irq(void)
{
    int vector = irq_vector_alloc(wake_handler, &condition);
    uint64_t unexpected = this_stats()->irqs_unexpected;

    CHECK(vector == 0x40);
    condition = 0;
    CHECK(thread_create("raise", raise_0x40, NULL));
    bool irq = irq_save();
    while (!condition)
        CHECK(thread_sleep(&condition, now_ns() + 1000000000));
    irq_restore(irq);
    CHECK(handled_in_irq && !irq_in_handler());
    CHECK(this_stats()->irqs_unexpected == unexpected);
    irq_vector_free(vector);
    raise_0x40(NULL);
    CHECK(this_stats()->irqs_unexpected == unexpected + 1);
}

void selftest_threads(void)
{
    test_yield();
    test_reuse();
    test_wakeup();
    test_time();
    test_irq();
}
