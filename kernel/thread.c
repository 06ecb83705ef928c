#include "thread.h"
#include <stddef.h>
#include "clock.h"
#include "cpu.h"
#include "page.h"
#include "panic.h"
#include "slab.h"
#include "smp.h"
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

/* A CPU's threads. Its left, idle and current are touched by no other CPU. */
struct sched {
    struct spinlock lock; /* of the two lists, which any CPU's wake-ups change */
    struct queue runnable;
    struct thread *sleepers;
    struct thread *left; /* the last that died here: its stack was in use until the switch */
    struct thread idle;
    struct thread *current;
};
static struct sched scheds[CPU_MAX];

/* Struct and stack of those that died before that, for the next thread_create on any CPU. */
static struct spinlock dead_lock = SPINLOCK("dead threads");
static struct thread *dead;

static struct sched *here(void)
{
    return &scheds[cpu_index()];
}

void thread_init(void)
{
    struct sched *s = here();

    s->lock.name = "threads";
    s->idle.name = cpu_index() ? "idle" : "boot";
    s->current = &s->idle;
}

/* The lock is held. A CPU that has work looks again without being told. */
static void enqueue(struct sched *s, struct thread *t)
{
    bool was_empty = !s->runnable.head;

    t->next = NULL;
    if (s->runnable.tail)
        s->runnable.tail->next = t;
    else
        __atomic_store_n(&s->runnable.head, t, __ATOMIC_RELEASE);
    s->runnable.tail = t;
    if (was_empty && s != here())
        smp_wake((unsigned)(s - scheds));
}

static struct thread *dequeue(struct sched *s)
{
    struct thread *t = s->runnable.head;

    if (!t)
        return &s->idle;
    __atomic_store_n(&s->runnable.head, t->next, __ATOMIC_RELEASE);
    if (!s->runnable.head)
        s->runnable.tail = NULL;
    return t;
}

/* Without the lock: what another CPU adds at this moment is seen at the next look. */
static bool has_work(struct sched *s)
{
    return __atomic_load_n(&s->runnable.head, __ATOMIC_ACQUIRE);
}

/* Runs the next thread; returns when this one is chosen again. Interrupts are off. A thread that
 * another CPU wakes before it has left is safe: only its own CPU can run it, and that is here. */
static void schedule(void)
{
    struct sched *s = here();
    kassert(!this_cpu()->locks);
    bool irq = spin_lock(&s->lock);
    struct thread *from = s->current, *to = dequeue(s);
    spin_unlock(&s->lock, irq);

    if (to == from)
        return;
    s->current = to;
    this_stats()->switches++;
    thread_switch(&from->rsp, to->rsp);
}

static void thread_main(void)
{
    struct thread *t = here()->current;

    /* The guard page may have been RAM when this CPU last looked; no other CPU runs on the stack.
     */
    invlpg(t->stack);
    irq_enable();
    t->fn(t->arg);
    thread_exit();
}

static struct thread *thread_new(void)
{
    bool irq = spin_lock(&dead_lock);
    struct thread *t = here()->left;
    if (t)
        here()->left = NULL;
    else if ((t = dead))
        dead = t->next;
    spin_unlock(&dead_lock, irq);
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

struct thread *thread_create_on(unsigned cpu, const char *name, void (*fn)(void *arg), void *arg)
{
    struct sched *s = &scheds[cpu];
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
    bool irq = spin_lock(&s->lock);
    enqueue(s, t);
    spin_unlock(&s->lock, irq);
    return t;
}

struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
    return thread_create_on(cpu_index(), name, fn, arg);
}

void thread_yield(void)
{
    bool irq = irq_save();
    struct sched *s = here();

    if (has_work(s)) {
        if (s->current != &s->idle) {
            spin_lock(&s->lock);
            enqueue(s, s->current);
            spin_unlock(&s->lock, false);
        }
        schedule();
    }
    irq_restore(irq);
}

/* From here on a wake-up finds the thread. */
static struct thread *fall_asleep(const void *chan, uint64_t deadline_ns)
{
    struct sched *s = here();
    struct thread *t = s->current;

    kassert(t != &s->idle);
    t->chan = chan;
    t->deadline = deadline_ns;
    bool irq = spin_lock(&s->lock);
    t->next = s->sleepers;
    s->sleepers = t;
    spin_unlock(&s->lock, irq);
    return t;
}

bool thread_sleep(const void *chan, uint64_t deadline_ns)
{
    bool irq = irq_save();
    struct thread *t = fall_asleep(chan, deadline_ns);

    schedule();
    irq_restore(irq);
    return t->woken;
}

bool thread_sleep_shared(const void *chan, uint64_t deadline_ns, struct spinlock *lock)
{
    struct thread *t = fall_asleep(chan, deadline_ns);

    spin_unlock(lock, false); /* interrupts stay off */
    schedule();
    spin_lock(lock);
    return t->woken;
}

void thread_sleep_ns(uint64_t ns)
{
    uint64_t deadline = now_ns() + ns;

    while (now_ns() < deadline)
        thread_sleep(&deadline, deadline);
}

/* Makes those of a CPU's sleepers runnable that are waited for on chan, or, with chan NULL, whose
 * deadline is not after now. */
static void wake(struct sched *s, const void *chan, uint64_t now)
{
    bool irq = spin_lock(&s->lock);

    for (struct thread **link = &s->sleepers, *t; (t = *link);) {
        if (chan ? t->chan != chan : t->deadline > now) {
            link = &t->next;
            continue;
        }
        *link = t->next;
        t->woken = chan;
        enqueue(s, t);
    }
    spin_unlock(&s->lock, irq);
}

void thread_wakeup(const void *chan)
{
    wake(here(), chan, 0);
}

void thread_wakeup_shared(const void *chan)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        wake(&scheds[cpu], chan, 0);
}

void thread_tick(uint64_t now)
{
    wake(here(), NULL, now);
}

void thread_exit(void)
{
    struct sched *s = here();

    irq_disable();
    kassert(s->current != &s->idle);
    spin_lock(&dead_lock);
    if (s->left) {
        s->left->next = dead;
        dead = s->left;
    }
    s->left = s->current;
    spin_unlock(&dead_lock, false);
    schedule();
    panic("a dead thread runs");
}

const char *thread_name(void)
{
    const struct thread *t = here()->current;

    return t ? t->name : "boot";
}

void thread_idle(void)
{
    struct sched *s = here();

    s->idle.name = "idle";
    for (;;) {
        irq_disable();
        if (has_work(s)) {
            schedule();
            continue;
        }
        uint64_t before = rdtsc();
        /* sti takes effect after the next instruction: an interrupt that makes a thread runnable
         * between the test and hlt is taken in hlt and ends it; so is that of another CPU that has
         * made one runnable. */
        __asm__ volatile("sti; hlt" ::: "memory");
        this_stats()->idle_tsc += rdtsc() - before;
    }
}
