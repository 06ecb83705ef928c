/* The one loop of a hosted program. Mode poll looks at both rings all the time; the others sleep in
 * epoll until a call eventfd, a time that the program named, or a signal. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "port.h"
#include "program.h"

enum { BACKEND = VNET_QUEUES, STOP, SOURCES }; /* after the queues, in epoll's data */
#define LOOKS_BETWEEN    4096u /* passes of mode poll between two looks at the socket */
#define TX_LOOKS_BETWEEN 32u   /* idle ones between two looks at the transmit ring */

uint64_t port_run_ns, port_cpu_ns;

static volatile sig_atomic_t asked_to_stop;
static uint32_t poll_wanted; /* 1 << queue */
static uint32_t budget;
static int epoll = -1;
static int stop_event = -1;

static void ask_to_stop(int signal)
{
    int interrupted = errno;
    (void)signal;
    asked_to_stop = 1;
    env_eventfd_signal(stop_event);
    errno = interrupted;
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

/* A signal also ends the sleep that is about to begin, by an eventfd of its own. */
int port_listen(void)
{
    struct sigaction action = { .sa_handler = ask_to_stop };
    stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!vnet_mode.uses_irqs)
        return 0;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int wrong = epoll < 0 || stop_event < 0 || watch(stop_event, STOP);
    for (uint32_t i = 0; i < VNET_QUEUES && !wrong; i++)
        wrong = watch(port_vhost.ring[i].call, i);
    if (!wrong && port_vhost.socket >= 0)
        wrong = watch(port_vhost.socket, BACKEND);
    return wrong ? port_complain("epoll: %s", strerror(errno)) : 0;
}

static int hung_up(void)
{
    return port_complain("%s %s: the backend closed the connection", port_vhost.base.name,
                         port_vhost.where);
}

static bool take(int eventfd)
{
    uint64_t count;
    return read(eventfd, &count, sizeof(count)) == sizeof(count);
}

/* The eventfd is read before the ring: what is used after it is signalled anew. */
static int event(uint32_t source)
{
    if (source < VNET_QUEUES) {
        if (take(port_vhost.ring[source].call))
            vnet_irq(&port_dev.q[source]);
    } else if (source == STOP) {
        take(stop_event);
    } else if (vhost_gone(&port_vhost)) {
        return hung_up();
    }
    return 0;
}

static int sleep_until(uint64_t until)
{
    struct epoll_event events[SOURCES];
    struct timespec t, *timeout = NULL;
    if (until != PROGRAM_WAITS) {
        uint64_t now = env_now(), ns = until > now ? until - now : 0;
        t = (struct timespec){ (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
        timeout = &t;
    }
    int n = epoll_pwait2(epoll, events, SOURCES, timeout, NULL);
    for (int i = 0; i < n; i++) {
        if (event(events[i].data.u32))
            return -1;
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

/* Sends reclaim what was sent before (vnet_tx), so the transmit ring is looked at now and then, and
 * when nothing else is to be done: the backend writes there, and each look takes its cache lines.
 */
static int poll_always(bool idle)
{
    static uint32_t passes, idle_passes;
    if (!vnet_poll(&port_dev.q[VNET_RX], budget).done && idle &&
        ++idle_passes % TX_LOOKS_BETWEEN == 0)
        vnet_poll(&port_dev.q[VNET_TX], budget);
    return ++passes % LOOKS_BETWEEN == 0 && vhost_gone(&port_vhost) ? hung_up() : 0;
}

/* Sleeps where the mode does, until `next` if nothing is left to do, and lets the driver work. Work
 * comes last: what it brings the program must be looked at before the next sleep. */
static int pass(uint64_t now, uint64_t next)
{
    if (!vnet_mode.uses_irqs)
        return poll_always(next > now);
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

static int check_rings(void)
{
    for (int i = 0; i < VNET_QUEUES; i++) {
        const struct vnet_q *q = &port_dev.q[i];
        if (q->stats.broken)
            return port_complain("%s queue: %s", i == VNET_RX ? "receive" : "transmit",
                                 vnet_error_text(q->ring.broken));
    }
    return 0;
}

/* What is still with the device when its time is over is for port_stop to give back, and so is what
 * the program sends meanwhile: a backend that never stops sending would keep an echo here. */
static int drain(uint64_t patience)
{
    const struct vnet_stats *tx = &port_dev.q[VNET_TX].stats;
    uint64_t now = env_now(), until = now + patience, sent = tx->posted;
    for (; tx->packets < sent && !is_broken() && now < until; now = env_now()) {
        if (pass(now, until))
            return -1;
    }
    return 0;
}

static uint64_t cpu_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int port_run(const struct options *o)
{
    uint64_t cpu = cpu_time(), start = env_now(), now = start;
    uint64_t end = o->seconds ? now + o->seconds : UINT64_MAX;
    budget = (uint32_t)o->budget;
    while (!asked_to_stop && !program_done() && !is_broken() && now < end) {
        uint64_t next = program_step(now);
        if (pass(now, earlier(next, end)))
            return -1;
        now = env_now();
    }
    port_run_ns = env_now() - start;
    port_cpu_ns = cpu_time() - cpu;
    if (check_rings())
        return -1;
    if (o->count && now >= end && !program_done())
        return port_complain("--seconds is over before --count is reached");
    return drain(o->timeout * 1000000);
}
