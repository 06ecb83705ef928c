#include "cmdline.h"
#include "layout.h"
#include "main.h"
#include "page.h"
#include "slab.h"
#include "spinlock.h"
#include "string.h"
#include "thread.h"

/* Zero, or whatever the compiler must believe. */
static volatile uint64_t unknown;

static void crash_null(void)
{
    unknown = *(volatile uint64_t *)unknown;
}

static uint64_t crash_recurse(uint64_t depth)
{
    volatile uint64_t frame[16] = { depth };

    return unknown ? 0 : crash_recurse(depth + 1) + frame[depth % 16];
}

static void crash_stack(void)
{
    unknown = crash_recurse(0);
}

static void crash_write_text(void)
{
    *(volatile char *)__text_start = 0;
}

static void crash_execute_data(void)
{
    static uint8_t code[] = { 0xc3 }; /* ret */

    ((void (*)(void))(uint64_t)code)();
}

/* No exception can be delivered on a non-canonical stack; the double fault has one of its own. */
static void crash_double_fault(void)
{
    __asm__ volatile("mov %0, %%rsp; push %0" ::"r"(1ull << 62));
}

static void crash_object_free(void)
{
    void *p = kmalloc(100);

    kfree(p);
    kfree(p);
}

static void crash_page_free(void)
{
    void *p = page_alloc(3);

    page_free(p);
    page_free(p);
}

static void crash_smash(void)
{
    char name[16];

    memset(name, 0x41, sizeof(name) + 16 + unknown);
}

static void crash_lock(void)
{
    static struct spinlock lock = SPINLOCK("twice");

    spin_lock(&lock);
    spin_lock(&lock);
}

static const struct {
    const char *name;
    void (*die)(void);
} crashes[] = {
    { "crash", crash_null },
    { "crash-stack", crash_stack },
    { "crash-wx", crash_write_text },
    { "crash-nx", crash_execute_data },
    { "crash-df", crash_double_fault },
    { "crash-free", crash_object_free },
    { "crash-page-free", crash_page_free },
    { "crash-smash", crash_smash },
    { "crash-lock", crash_lock },
};

static void run(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        if (!strcmp(cmdline.workload, crashes[i].name))
            crashes[i].die();
}

void crash_start(void)
{
    thread_create("crash", run, NULL);
}
