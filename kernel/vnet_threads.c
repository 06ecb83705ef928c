/* Who calls the driver when: a poll thread per queue pair and a watchdog per CPU, on the pairs' own
 * CPUs; on the booting CPU, which alone speaks to the control queue, what concerns the device. */
#include "vnet_threads.h"
#include "../virtio_net/mode.h"
#include "clock.h"
#include "cmdline.h"
#include "console.h"
#include "thread.h"
#include "vnet_commands.h"
#include "vnet_port.h"
#include "x86.h"

#define ANNOUNCE_LOOK_NS 20000000 /* a configuration change is seldom */
#define MEND_LOOK_NS     20000000
#define LOOKS_A_QUESTION 50 /* so many looks at the rings before the device is asked unprompted */

static struct vnet_dev *dev;

/* A pair's poll: what its interrupts ask for, on the CPU where its thread is. */
struct pair {
    struct vnet_q *q; /* two of them */
    uint32_t wanted;  /* 1 << VNET_RX, VNET_TX; set in interrupt context, taken by the thread */
};
static struct pair pairs[VNET_PAIRS_MAX];

void vnet_up_schedule(struct vnet_q *q)
{
    struct pair *p = &pairs[q->index / VNET_QUEUES];
    p->wanted |= 1u << q->index % VNET_QUEUES;
    thread_wakeup(p);
}

/* Hybrid: polls what interrupts asked for, and asks again for what is not finished. */
static void poll_on_demand(void *arg)
{
    struct pair *p = arg;
    for (;;) {
        bool was = irq_save();
        while (!p->wanted)
            thread_sleep(p, THREAD_FOREVER);
        uint32_t work = p->wanted;
        p->wanted = 0;
        irq_restore(was);
        for (int i = 0; i < VNET_QUEUES; i++) {
            if ((work & 1u << i) && vnet_poll(&p->q[i], (uint32_t)cmdline.budget).again) {
                was = irq_save();
                p->wanted |= 1u << i;
                irq_restore(was);
            }
        }
        thread_yield();
    }
}

static void poll_always(void *arg)
{
    struct pair *p = arg;
    for (;;) {
        for (int i = 0; i < VNET_QUEUES; i++)
            vnet_poll(&p->q[i], (uint32_t)cmdline.budget);
        thread_yield();
    }
}

/* Of the pairs of this CPU. */
static void watch(void *arg)
{
    uint64_t patience = cmdline.watchdog_ms * 1000000;
    (void)arg;
    for (;;) {
        thread_sleep_ns(patience / 2);
        bool was = irq_save();
        for (unsigned i = 0; i < vnet_queues(dev); i++) {
            if (port_cpu(i / VNET_QUEUES) == cpu_index())
                vnet_watchdog(&dev->q[i], now_ns(), patience / 2);
        }
        irq_restore(was);
    }
}

/* A broken ring is seen at every look, what the device says when it has announced a change or now
 * and then: that costs an exit. */
static int trouble(void)
{
    static uint64_t looks, changes;
    int why = vnet_broken(dev);
    if (why)
        return why;
    if (looks++ % LOOKS_A_QUESTION && changes == dev->config_changes)
        return 0;
    changes = dev->config_changes;
    return vnet_needs_reset(dev);
}

/* The way back when a ring has broken or the device says that it needs a reset. */
static void mend(void *arg)
{
    (void)arg;
    for (;;) {
        thread_sleep_ns(MEND_LOOK_NS);
        int why = trouble();
        if (!why)
            continue;
        uint64_t start = now_ns();
        int error = port_restart();
        uint64_t took = now_ns() - start;
        port_sent();
        kprintf("vnet: %s; reset in %lu us%s%s\n", vnet_error_text(why), took / 1000,
                error ? ", which failed: " : "", error ? vnet_error_text(error) : "");
        if (error)
            return;
    }
}

/* "Gratuitous Packet Sending", as a frame-level guest can: a reverse ARP request for its own
 * address tells every bridge on the way where it is now. */
static bool send_announcement(void)
{
    struct vnet_buf *b = port_buf_alloc(0);
    if (!b)
        return false;
    b->len = vnet_commands_rarp(b->data + VNET_HDR_BYTES, dev->mac);
    bool sent = port_send(0, &b, 1) == 1;
    if (!sent)
        port_buf_free(0, b);
    port_stats_of(0)->announced += sent;
    return sent;
}

static void announce(void *arg)
{
    (void)arg;
    for (;;) {
        thread_sleep_ns(ANNOUNCE_LOOK_NS);
        if (dev->announce && send_announcement())
            vnet_ctrl_announced(dev);
    }
}

static int start_poll(unsigned pair)
{
    struct pair *p = &pairs[pair];
    void (*poll)(void *) = vnet_mode.uses_irqs ? poll_on_demand : poll_always;
    p->q = &dev->q[VNET_QUEUES * pair];
    return vnet_mode.works_in_irq || thread_create_on(port_cpu(pair), "poll", poll, p)
               ? 0
               : -VNET_E_MEMORY;
}

static int start_watchdog(unsigned cpu)
{
    if (!vnet_mode.uses_irqs || !cmdline.watchdog_ms)
        return 0;
    return thread_create_on(cpu, "watchdog", watch, NULL) ? 0 : -VNET_E_MEMORY;
}

int vnet_threads_start(struct vnet_dev *device)
{
    int error = 0;
    dev = device;
    for (unsigned i = 0; i < dev->pairs && !error; i++)
        error = start_poll(i);
    for (unsigned cpu = 0; cpu < port_cpus() && !error; cpu++)
        error = start_watchdog(cpu);
    if (!error && cmdline.mend && !thread_create("mend", mend, NULL))
        error = -VNET_E_MEMORY;
    if (!error && dev->features.accepted & VNET_F(GUEST_ANNOUNCE) &&
        !thread_create("announce", announce, NULL))
        error = -VNET_E_MEMORY;
    return error;
}
