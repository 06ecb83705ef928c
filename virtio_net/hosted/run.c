/* The main thread while the pairs' threads run: signals, the end, a backend that hangs up, and what
 * is done to the device meanwhile. It touches a pair only while that pair's thread stands still. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "pair.h"
#include "program.h"

#define LOOK_NS 1000000u /* between two looks at counts, and two things done to the device */

enum { NEWS, STOP, BACKEND, SOURCES };

struct port_run port_run_stats;

static volatile sig_atomic_t asked_to_stop;
static int epoll = -1, stop_event = -1, news = -1;
static unsigned threads; /* of the first so many pairs */

static void ask_to_stop(int signal)
{
    int interrupted = errno;
    (void)signal;
    asked_to_stop = 1;
    env_eventfd_signal(stop_event);
    errno = interrupted;
}

static int watch(int fd, uint32_t events, uint32_t number)
{
    struct epoll_event e = { .events = events, .data.u32 = number };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

/* A signal also ends the sleep that is about to begin, by an eventfd of its own. */
int port_listen(const struct options *o)
{
    struct sigaction action = { .sa_handler = ask_to_stop };
    epoll = epoll_create1(EPOLL_CLOEXEC);
    stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int wrong = epoll < 0 || watch(stop_event, EPOLLIN, STOP) || watch(news, EPOLLIN, NEWS);
    if (!wrong && port_vhost.socket >= 0)
        wrong = watch(port_vhost.socket, EPOLLRDHUP, BACKEND);
    if (wrong)
        return port_complain("epoll: %s", strerror(errno));
    int error = 0;
    for (unsigned i = 0; i < port_dev.pairs && !error; i++)
        error = pair_prepare(&port_pairs[i], o, news);
    return error;
}

static int hung_up(void)
{
    epoll_ctl(epoll, EPOLL_CTL_DEL, port_vhost.socket, NULL);
    return port_complain("%s %s: the backend closed the connection", port_vhost.base.name,
                         port_vhost.where);
}

/* Until something happens, or the time. -1: the backend hung up. */
static int wait_until(uint64_t until)
{
    struct epoll_event events[SOURCES];
    uint64_t now = env_now(), ms = until > now ? (until - now + 999999) / 1000000 : 0, count;
    int n = epoll_wait(epoll, events, SOURCES, ms < 60000 ? (int)ms : 60000), gone = 0;
    for (int i = 0; i < n; i++) {
        uint32_t source = events[i].data.u32;
        if (source == BACKEND)
            gone = hung_up();
        else
            (void)!read(source == NEWS ? news : stop_event, &count, sizeof(count));
    }
    return gone;
}

static struct port_pair *pair(unsigned i)
{
    return &port_pairs[i];
}

static void order_all(enum pair_order order)
{
    for (unsigned i = 0; i < threads; i++)
        pair_order(pair(i), order);
}

static bool stands(const struct port_pair *p)
{
    enum pair_state s = pair_state(p);
    return s == PAIR_PARKED || s == PAIR_ENDED;
}

/* The threads of n pairs from `first` on stand still, or go again. -1: the backend hung up. */
static int halt(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        pair_order(pair(i), PAIR_PARK);
    for (unsigned i = first; i < first + n; i++)
        while (!stands(pair(i)))
            if (wait_until(UINT64_MAX))
                return -1;
    return 0;
}

static int go(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        pair_order(pair(i), PAIR_GO);
    for (unsigned i = first; i < first + n; i++)
        while (pair_state(pair(i)) == PAIR_PARKED)
            if (wait_until(UINT64_MAX))
                return -1;
    return 0;
}

static int reset_queue(unsigned queue)
{
    unsigned i = queue / VNET_QUEUES;
    if (halt(i, 1) || port_queue_reset(&port_dev.q[queue]))
        return -1;
    port_run_stats.queue_resets++;
    return go(i, 1);
}

static int restart(void)
{
    if (halt(0, port_dev.pairs) || port_restart())
        return -1;
    return go(0, port_dev.pairs);
}

struct todo { /* to the device while it runs */
    uint64_t queue_resets, restarts, mends;
};

/* The next of it. -1: it failed, and a line says why. */
static int do_next(struct todo *t, bool *did)
{
    *did = true;
    if (t->queue_resets)
        return reset_queue(--t->queue_resets % vnet_queues(&port_dev));
    if (t->restarts) {
        t->restarts--;
        return restart();
    }
    *did = false;
    return 0;
}

static bool any_broken(void)
{
    bool any = false;
    for (unsigned i = 0; i < port_dev.pairs; i++)
        any |= pair_state(pair(i)) == PAIR_IS_BROKEN;
    return any;
}

static bool is_over(const struct options *o)
{
    uint64_t progress = 0;
    unsigned done = 0;
    for (unsigned i = 0; i < port_dev.pairs; i++) {
        progress += port_progress_of(pair(i));
        done += pair_was_done(pair(i));
    }
    if (program.counts_together)
        return done || (o->count && progress >= o->count);
    return done == port_dev.pairs;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Until the traffic is over. A ring that broke ends it too, unless it can be mended. -1: something
 * failed, and a line says what. */
static int control(const struct options *o, uint64_t end)
{
    struct todo t = { o->queue_resets * vnet_queues(&port_dev), o->restarts, o->mend };
    bool counts = program.counts_together && o->count && port_dev.pairs > 1, did = false;
    uint64_t now = env_now();
    for (; !asked_to_stop && now < end; now = env_now()) {
        int error = 0;
        if (any_broken() && !t.mends--)
            return 0;
        error = any_broken() ? restart() : do_next(&t, &did);
        if (error || (!did && is_over(o)))
            return error;
        if (wait_until(earlier(end, did || counts ? now + LOOK_NS : UINT64_MAX)))
            return -1;
    }
    return 0;
}

static int check_rings(void)
{
    for (unsigned i = 0; i < vnet_queues(&port_dev); i++) {
        const struct vnet_q *q = &port_dev.q[i];
        const char *side = vnet_is_rx(q) ? "receive" : "transmit";
        if (q->stats.broken && port_dev.pairs == 1)
            return port_complain("%s queue: %s", side, vnet_error_text(q->ring.broken));
        if (q->stats.broken)
            return port_complain("%s queue of pair %u: %s", side, i / VNET_QUEUES + 1,
                                 vnet_error_text(q->ring.broken));
    }
    return 0;
}

/* -1: the backend hung up, or had failed before. */
static int finish(int error, uint64_t start)
{
    uint64_t end = start;
    order_all(error ? PAIR_QUIT : PAIR_DRAIN);
    for (unsigned i = 0; i < threads; i++)
        while (pair_state(pair(i)) != PAIR_ENDED)
            if (wait_until(UINT64_MAX)) {
                error = -1;
                order_all(PAIR_QUIT);
            }
    for (unsigned i = 0; i < threads; i++) {
        struct pair_times t = pair_join(pair(i));
        end = t.end_ns > end ? t.end_ns : end;
        port_run_stats.cpu_ns += t.cpu_ns;
    }
    port_run_stats.ns = end - start;
    return error;
}

/* Signals are the main thread's. */
static int begin(const struct options *o)
{
    bool alone = port_dev.pairs == 1 && !o->queue_resets && !o->restarts;
    sigset_t ours, before;
    int error = 0;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &before);
    while (threads < port_dev.pairs && !error) {
        error = pair_begin(pair(threads), alone);
        threads += !error;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}

int port_run(const struct options *o)
{
    uint64_t start = env_now(), end = o->seconds ? start + o->seconds : UINT64_MAX;
    int error = begin(o);
    if (!error)
        error = control(o, end);
    bool late = env_now() >= end;
    if (finish(error, start) || check_rings())
        return -1;
    if (o->count && late && !is_over(o))
        return port_complain("--seconds is over before --count is reached");
    return 0;
}
