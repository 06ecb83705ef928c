#include "thread.h"
#include <stddef.h>
#include "clock.h"
#include "page.h"
#include "panic.h"
#include "slab.h"
#include "stats.h"
#include "vm.h"
#include "x86.h"

struct thread {
    struct thread *next; /* in the one list its state names, none while running */
    const char *name;
    uint64_t rsp;
    void *stack;
    void (*fn)(void *arg);
    void *arg;
    const void *chan;  /* while asleep */
    uint64_t deadline; /* while asleep */
    bool woken;
};

struct queue {
    struct thread *head, *tail;
};

void thread_switch(uint64_t *save_rsp, uint64_t load_rsp);

/* All lists are changed with interrupts off. */
static struct queue runnable;
static struct thread *sleepers;
static struct thread *dead; /* struct and stack are kept for the next thread_create */
static struct thread idle = { .name = "boot" };
static struct thread *current = &idle;

static void enqueue(struct thread *t)
{
    t->next = NULL;
    if (runnable.tail)
        runnable.tail->next = t;
    else
        runnable.head = t;
    runnable.tail = t;
}

static struct thread *dequeue(void)
{
    struct thread *t = runnable.head;

    if (!t)
        return &idle;
    runnable.head = t->next;
    if (!runnable.head)
        runnable.tail = NULL;
    return t;
}

/* Runs the next thread; returns when this one is chosen again. Interrupts are off. */
static void schedule(void)
{
    struct thread *from = current, *to = dequeue();

    if (to == from)
        return;
    current = to;
    kernel_stats.switches++;
    thread_switch(&from->rsp, to->rsp);
}

static void thread_main(void)
{
    irq_enable();
    current->fn(current->arg);
    thread_exit();
}

static struct thread *thread_new(void)
{
    bool irq = irq_save();
    struct thread *t = dead;
    if (t)
        dead = t->next;
    irq_restore(irq);
    if (t)
        return t;

    t = kzalloc(sizeof(*t));
    void *stack = page_alloc(THREAD_STACK_ORDER);
    if (!t || !stack) {
        kfree(t);
        if (stack)
            page_free(stack);
        return NULL;
    }
    vm_guard(stack);
    t->stack = stack;
    return t;
}

struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread *t = thread_new();

    if (!t)
        return NULL;
    t->name = name;
    t->fn = fn;
    t->arg = arg;
    /* What thread_switch pops: six registers, then the address it returns to, then a zero where a
     * caller's return address would be, so that thread_main is entered aligned as by a call. */
    uint64_t *sp = (uint64_t *)((char *)t->stack + (PAGE_SIZE << THREAD_STACK_ORDER));
    *--sp = 0;
    *--sp = (uint64_t)thread_main;
    for (int i = 0; i < 6; i++)
        *--sp = 0;
    t->rsp = (uint64_t)sp;
    bool irq = irq_save();
    enqueue(t);
    irq_restore(irq);
    return t;
}

void thread_yield(void)
{
    bool irq = irq_save();

    if (runnable.head) {
        if (current != &idle)
            enqueue(current);
        schedule();
    }
    irq_restore(irq);
}

bool thread_sleep(const void *chan, uint64_t deadline_ns)
{
    struct thread *t = current;

    kassert(t != &idle);
    bool irq = irq_save();
    t->chan = chan;
    t->deadline = deadline_ns;
    t->next = sleepers;
    sleepers = t;
    schedule();
    irq_restore(irq);
    return t->woken;
}

void thread_sleep_ns(uint64_t ns)
{
    uint64_t deadline = now_ns() + ns;

    while (now_ns() < deadline)
        thread_sleep(&deadline, deadline);
}

void thread_wakeup(const void *chan)
{
    bool irq = irq_save();

    for (struct thread **link = &sleepers, *t; (t = *link);) {
        if (t->chan != chan) {
            link = &t->next;
            continue;
        }
        *link = t->next;
        t->woken = true;
        enqueue(t);
    }
    irq_restore(irq);
}

void thread_tick(uint64_t now)
{
    for (struct thread **link = &sleepers, *t; (t = *link);) {
        if (t->deadline > now) {
            link = &t->next;
            continue;
        }
        *link = t->next;
        t->woken = false;
        enqueue(t);
    }
}

void thread_exit(void)
{
    irq_disable();
    kassert(current != &idle);
    /* The stack is in use until the switch, but nobody can take it before interrupts are on. */
    current->next = dead;
    dead = current;
    schedule();
    panic("a dead thread runs");
}

const char *thread_name(void)
{
    return current->name;
}

void thread_idle(void)
{
    idle.name = "idle";
    for (;;) {
        irq_disable();
        if (runnable.head) {
            schedule();
            continue;
        }
        uint64_t before = rdtsc();
        /* sti takes effect after the next instruction: an interrupt that makes a thread runnable
         * between the test and hlt is taken in hlt and ends it. */
        __asm__ volatile("sti; hlt" ::: "memory");
        kernel_stats.idle_tsc += rdtsc() - before;
    }
}
