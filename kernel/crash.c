#include "cmdline.h"
#include "console.h"
#include "layout.h"
#include "main.h"
#include "string.h"
#include "thread.h"
#include "x86.h"

static volatile uint64_t sink;

__attribute__((noinline)) static void crash_null(void)
{
    sink = *(volatile uint64_t *)sink; /* sink is 0; the compiler does not know */
}

__attribute__((noinline)) static uint64_t crash_recurse(uint64_t depth)
{
    if (depth == UINT64_MAX)
        return 0;
    volatile uint64_t frame[16] = { depth };

    return crash_recurse(depth + 1) + frame[depth % 16];
}

__attribute__((noinline)) static void crash_write_text(void)
{
    *(volatile char *)__text_start = 0;
}

__attribute__((noinline)) static void crash_execute_data(void)
{
    static uint8_t code[] = { 0xc3 }; /* ret */

    ((void (*)(void))(uint64_t)code)();
}

/* No exception can be delivered on a non-canonical stack; the double fault has one of its own. */
__attribute__((noinline)) static void crash_double_fault(void)
{
    __asm__ volatile("mov %0, %%rsp; ud2" ::"r"(1ull << 62));
}

static void crash_thread(void *arg)
{
    const char *how = arg;

    if (!strcmp(how, "crash-stack"))
        sink = crash_recurse(0);
    else if (!strcmp(how, "crash-wx"))
        crash_write_text();
    else if (!strcmp(how, "crash-nx"))
        crash_execute_data();
    else if (!strcmp(how, "crash-df"))
        crash_double_fault();
    crash_null();
}

void crash_start(void)
{
    thread_create("crash", crash_thread, (void *)(uint64_t)cmdline.workload);
}
