/* The one loop of a hosted program. Mode poll looks at both rings all the time; the others sleep in
 * epoll until a call eventfd, a time that the program named, or a signal. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "port.h"
#include "program.h"

#define BACKEND       VNET_QUEUES /* among the queues' numbers, in epoll's data */
#define LOOKS_BETWEEN 4096u       /* passes of mode poll between two looks at the socket */

static volatile sig_atomic_t asked_to_stop;
static uint32_t poll_wanted; /* 1 << queue */
static uint32_t budget;
static int epoll = -1;
static sigset_t while_asleep;

static void ask_to_stop(int signal)
{
    (void)signal;
    asked_to_stop = 1;
}

void vnet_up_schedule(struct vnet_q *q)
{
    poll_wanted |= 1u << q->index;
}

static int watch(int fd, uint32_t number)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP, .data.u32 = number };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

/* A signal between the look at asked_to_stop and the sleep must end the sleep: where one sleeps,
 * signals come then and only then. */
static int prepare(void)
{
    struct sigaction action = { .sa_handler = ask_to_stop };
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!vnet_mode.uses_irqs)
        return 0;
    sigprocmask(SIG_BLOCK, &stop, &while_asleep);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int wrong = epoll < 0;
    for (uint32_t i = 0; i < VNET_QUEUES && !wrong; i++)
        wrong = watch(port_vhost.ring[i].call, i);
    if (!wrong && port_vhost.tap < 0)
        wrong = watch(port_vhost.fd, BACKEND);
    return wrong ? port_complain("epoll: %s", strerror(errno)) : 0;
}

static int hung_up(void)
{
    return port_complain("%s %s: the backend closed the connection", port_vhost.base.name,
                         port_vhost.where);
}

/* The eventfd is read before the ring: what is used after it is signalled anew. */
static void interrupt(uint32_t queue)
{
    uint64_t calls;
    if (read(port_vhost.ring[queue].call, &calls, sizeof(calls)) == sizeof(calls))
        vnet_irq(&port_dev.q[queue]);
}

static int sleep_until(uint64_t until)
{
    struct epoll_event events[VNET_QUEUES + 1];
    struct timespec t, *timeout = NULL;
    if (until != PROGRAM_WAITS) {
        uint64_t now = env_now(), ns = until > now ? until - now : 0;
        t = (struct timespec){ (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
        timeout = &t;
    }
    int n = epoll_pwait2(epoll, events, VNET_QUEUES + 1, timeout, &while_asleep);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u32 != BACKEND)
            interrupt(events[i].data.u32);
        else if (vhost_gone(&port_vhost))
            return hung_up();
    }
    return n < 0 && errno != EINTR ? port_complain("epoll: %s", strerror(errno)) : 0;
}

/* Polls what interrupts asked for; what is not finished asks for itself. */
static void poll_on_demand(void)
{
    uint32_t work = poll_wanted;
    poll_wanted = 0;
    for (int i = 0; i < VNET_QUEUES; i++) {
        struct vnet_q *q = &port_dev.q[i];
        if (work & 1u << i && vnet_poll(q, budget).again)
            vnet_up_schedule(q);
    }
}

static int poll_always(void)
{
    static uint32_t passes;
    for (int i = 0; i < VNET_QUEUES; i++)
        vnet_poll(&port_dev.q[i], budget);
    return ++passes % LOOKS_BETWEEN == 0 && vhost_gone(&port_vhost) ? hung_up() : 0;
}

/* Sleeps where the mode does, until `next` if nothing is left to do, and lets the driver work. Work
 * comes last: what it brings the program must be looked at before the next sleep. */
static int pass(uint64_t next)
{
    if (!vnet_mode.uses_irqs)
        return poll_always();
    int error = sleep_until(poll_wanted ? 0 : next);
    poll_on_demand();
    return error;
}

static bool is_broken(void)
{
    return port_dev.q[VNET_RX].stats.broken || port_dev.q[VNET_TX].stats.broken;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What is still with the device when its time is over is for port_stop to give back. */
static int drain(uint64_t patience)
{
    const struct vnet_stats *tx = &port_dev.q[VNET_TX].stats;
    uint64_t until = env_now() + patience;
    while (tx->packets < tx->posted && !is_broken() && env_now() < until) {
        if (pass(until))
            return -1;
    }
    return 0;
}

int port_run(const struct options *o)
{
    uint64_t now = env_now(), end = o->seconds ? now + o->seconds : UINT64_MAX;
    budget = (uint32_t)o->budget;
    if (prepare())
        return -1;
    while (!asked_to_stop && !program_done() && !is_broken() && now < end) {
        uint64_t next = program_step(now);
        if (pass(earlier(next, end)))
            return -1;
        now = env_now();
    }
    return drain(o->timeout * 1000000);
}
