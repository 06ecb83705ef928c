/* The thread of one pair. Mode poll looks at both rings all the time; the others sleep in epoll
 * until a call eventfd, a time that the program named, or a word of the main thread. */
#include "pair.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "program.h"

enum { WAKE = VNET_QUEUES, SOURCES }; /* after the queues, in epoll's data */
#define TX_LOOKS_BETWEEN 32u          /* idle passes of mode poll between two looks at that ring */

struct worker {
    _Alignas(128) struct port_pair *pair;
    uint32_t budget, poll_wanted, idle_passes; /* poll_wanted: 1 << VNET_RX, VNET_TX */
    int epoll, wake, news;
    bool alone;
    uint64_t patience;
    struct pair_times times;
    pthread_t thread;
    /* Between this thread and the main one, rarely written. */
    _Alignas(128) int order, state, was_done;
};
static struct worker workers[VNET_PAIRS_MAX];

static struct worker *worker_of(const struct port_pair *p)
{
    return &workers[p->index];
}

void vnet_up_schedule(struct vnet_q *q)
{
    workers[q->index / VNET_QUEUES].poll_wanted |= 1u << q->index % VNET_QUEUES;
}

static struct vnet_q *queue_of(const struct worker *w, unsigned side)
{
    return side == VNET_RX ? w->pair->rx : w->pair->tx;
}

static bool take(int eventfd)
{
    uint64_t count;
    return read(eventfd, &count, sizeof(count)) == sizeof(count);
}

/* The eventfd is read before the ring: what is used after it is signalled anew. */
static void event(struct worker *w, uint32_t source)
{
    if (source == WAKE)
        take(w->wake);
    else if (take(port_vhost.ring[queue_of(w, source)->index].call))
        vnet_irq(queue_of(w, source));
}

static void sleep_until(struct worker *w, uint64_t until)
{
    struct epoll_event events[SOURCES];
    struct timespec t, *timeout = NULL;
    if (until != PROGRAM_WAITS) {
        uint64_t now = env_now(), ns = until > now ? until - now : 0;
        t = (struct timespec){ (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
        timeout = &t;
    }
    int n = epoll_pwait2(w->epoll, events, SOURCES, timeout, NULL);
    for (int i = 0; i < n; i++)
        event(w, events[i].data.u32);
}

/* Polls what interrupts asked for; what is not finished asks for itself. */
static void poll_on_demand(struct worker *w)
{
    uint32_t work = w->poll_wanted;
    w->poll_wanted = 0;
    for (unsigned side = 0; side < VNET_QUEUES; side++) {
        struct vnet_q *q = queue_of(w, side);
        if (work & 1u << side && vnet_poll(q, w->budget).again)
            vnet_up_schedule(q);
    }
}

/* Sends reclaim what was sent before (vnet_tx), so the transmit ring is looked at now and then, and
 * when nothing else is to be done: the backend writes there, and each look takes its cache lines.
 */
static void poll_always(struct worker *w, bool idle)
{
    if (!vnet_poll(w->pair->rx, w->budget).done && idle && ++w->idle_passes % TX_LOOKS_BETWEEN == 0)
        vnet_poll(w->pair->tx, w->budget);
}

/* Sleeps where the mode does, until `next` if nothing is left to do, and lets the driver work. Work
 * comes last: what it brings the program must be looked at before the next sleep. */
static void pass(struct worker *w, uint64_t now, uint64_t next)
{
    if (!vnet_mode.uses_irqs) {
        poll_always(w, next > now);
        return;
    }
    sleep_until(w, w->poll_wanted ? 0 : next);
    poll_on_demand(w);
}

static enum pair_order order_of(const struct worker *w)
{
    return (enum pair_order)__atomic_load_n(&w->order, __ATOMIC_ACQUIRE);
}

static void say(struct worker *w, enum pair_state state)
{
    __atomic_store_n(&w->state, state, __ATOMIC_RELEASE);
    env_eventfd_signal(w->news);
}

/* Until the main thread says what to do next. */
static void park(struct worker *w, enum pair_state why, enum pair_order during)
{
    struct pollfd p = { .fd = w->wake, .events = POLLIN };
    say(w, why);
    while (order_of(w) == during) {
        poll(&p, 1, -1);
        take(w->wake);
    }
    if (order_of(w) == PAIR_GO)
        say(w, PAIR_RUNS);
}

static bool is_broken(const struct port_pair *p)
{
    return p->rx->stats.broken || p->tx->stats.broken;
}

static void note_done(struct worker *w)
{
    if (w->was_done || !program_done(w->pair))
        return;
    w->times.end_ns = env_now();
    __atomic_store_n(&w->was_done, true, __ATOMIC_RELEASE);
    env_eventfd_signal(w->news);
}

static uint64_t cpu_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void traffic(struct worker *w)
{
    uint64_t cpu = cpu_time();
    w->times.start_ns = env_now();
    for (uint64_t now = w->times.start_ns;; now = env_now()) {
        enum pair_order order = order_of(w);
        if (order == PAIR_DRAIN || order == PAIR_QUIT)
            break;
        note_done(w);
        if (w->was_done && w->alone)
            break;
        if (order == PAIR_PARK)
            park(w, PAIR_PARKED, PAIR_PARK);
        else if (is_broken(w->pair))
            park(w, PAIR_IS_BROKEN, PAIR_GO);
        else
            pass(w, now, program_step(w->pair, now));
    }
    w->times.end_ns = w->was_done ? w->times.end_ns : env_now();
    w->times.cpu_ns = cpu_time() - cpu;
}

/* What is still with the device when its time is over is for port_stop to give back, and so is what
 * the program sends meanwhile: a backend that never stops sending would keep an echo here. */
static void drain(struct worker *w)
{
    const struct vnet_stats *tx = &w->pair->tx->stats;
    uint64_t now = env_now(), until = now + w->patience, sent = tx->posted;
    for (; tx->packets + tx->given_back < sent && now < until; now = env_now()) {
        if (order_of(w) == PAIR_QUIT || is_broken(w->pair))
            return;
        pass(w, now, until);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    traffic(w);
    if (order_of(w) != PAIR_QUIT)
        drain(w);
    say(w, PAIR_ENDED);
    return NULL;
}

static int watch(const struct worker *w, int fd, uint32_t number)
{
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = number };
    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e);
}

int pair_prepare(struct port_pair *p, const struct options *o, int news)
{
    struct worker *w = worker_of(p);
    *w = (struct worker){
        .pair = p,
        .budget = (uint32_t)o->budget,
        .patience = o->timeout * 1000000,
        .news = news,
        .epoll = -1,
        .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    int wrong = w->wake < 0;
    if (vnet_mode.uses_irqs) {
        w->epoll = epoll_create1(EPOLL_CLOEXEC);
        wrong |= w->epoll < 0 || watch(w, w->wake, WAKE);
        for (unsigned side = 0; side < VNET_QUEUES && !wrong; side++)
            wrong = watch(w, port_vhost.ring[queue_of(w, side)->index].call, side);
    }
    return wrong ? port_complain("epoll: %s", strerror(errno)) : 0;
}

int pair_begin(struct port_pair *p, bool alone)
{
    struct worker *w = worker_of(p);
    w->alone = alone;
    int error = pthread_create(&w->thread, NULL, work, w);
    return error ? port_complain("no thread for pair %u: %s", p->index + 1, strerror(error)) : 0;
}

void pair_order(struct port_pair *p, enum pair_order order)
{
    struct worker *w = worker_of(p);
    __atomic_store_n(&w->order, order, __ATOMIC_RELEASE);
    env_eventfd_signal(w->wake);
}

enum pair_state pair_state(const struct port_pair *p)
{
    return (enum pair_state)__atomic_load_n(&worker_of(p)->state, __ATOMIC_ACQUIRE);
}

bool pair_was_done(const struct port_pair *p)
{
    return __atomic_load_n(&worker_of(p)->was_done, __ATOMIC_ACQUIRE);
}

struct pair_times pair_join(struct port_pair *p)
{
    pthread_join(worker_of(p)->thread, NULL);
    return worker_of(p)->times;
}

void port_wake(unsigned pair)
{
    env_eventfd_signal(workers[pair].wake);
}
