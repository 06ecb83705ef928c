/* The driver's port to this kernel: gives the device memory, runs polls.
 *
 * One CPU, cooperative threads: two threads never interleave inside the driver, so only interrupt
 * context needs keeping out, and only in modes that work there (port_lock). */
#include "vnet_port.h"
#include "../faultinj/plan.h"
#include "../trace/buffer.h"
#include "../virtio_net/mode.h"
#include "clock.h"
#include "cmdline.h"
#include "console.h"
#include "main.h"
#include "page.h"
#include "panic.h"
#include "string.h"
#include "thread.h"
#include "trace_port.h"
#include "vnet_bus.h"
#include "vnet_commands.h"
#include "x86.h"

#define ANNOUNCE_LOOK_NS 20000000 /* a configuration change is seldom */
#define MEND_LOOK_NS     20000000
#define LOOKS_A_QUESTION 50 /* so many looks at the rings before the device is asked unprompted */

static struct vnet_dev dev;
static uint32_t poll_wanted; /* 1 << queue; set in interrupt context, taken by the poll thread */

bool port_lock(void)
{
    return vnet_mode.works_in_irq ? irq_save() : false;
}

void port_unlock(bool was)
{
    if (vnet_mode.works_in_irq)
        irq_restore(was);
}

const uint8_t *port_mac(void)
{
    return dev.mac;
}

uint32_t port_send(unsigned pair, struct vnet_buf **bufs, uint32_t n)
{
    bool was = port_lock();
    struct vnet_q *q = &dev.q[VNET_QUEUES * pair + VNET_TX];
    uint32_t k = vnet_tx(q, bufs, n);
    vnet_flush(q);
    port_unlock(was);
    return k;
}

void port_wait_for_sent(void)
{
    thread_sleep(&port_stats.pool_free, THREAD_FOREVER);
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    workload_rx(q->index / VNET_QUEUES, bufs, n);
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++)
        port_buf_free(bufs[i]);
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++)
        port_frame_free(bufs[i]);
    thread_wakeup(&port_stats.pool_free);
}

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t k = 0;
    (void)q;
    while (k < n && (bufs[k] = port_buf_alloc()))
        k++;
    return k;
}

void vnet_up_schedule(struct vnet_q *q)
{
    poll_wanted |= 1u << q->index;
    thread_wakeup(&poll_wanted);
}

/* Hybrid: polls what interrupts asked for, and asks again for what is not finished. */
static void poll_on_demand(void *arg)
{
    (void)arg;
    for (;;) {
        bool was = irq_save();
        while (!poll_wanted)
            thread_sleep(&poll_wanted, THREAD_FOREVER);
        uint32_t work = poll_wanted;
        poll_wanted = 0;
        irq_restore(was);
        for (int i = 0; i < vnet_queues(&dev); i++) {
            if ((work & 1u << i) && vnet_poll(&dev.q[i], (uint32_t)cmdline.budget).again) {
                was = irq_save();
                poll_wanted |= 1u << i;
                irq_restore(was);
            }
        }
        thread_yield();
    }
}

static void poll_always(void *arg)
{
    (void)arg;
    for (;;) {
        for (int i = 0; i < vnet_queues(&dev); i++)
            vnet_poll(&dev.q[i], (uint32_t)cmdline.budget);
        thread_yield();
    }
}

static void watch(void *arg)
{
    uint64_t patience = cmdline.watchdog_ms * 1000000;
    (void)arg;
    for (;;) {
        thread_sleep_ns(patience / 2);
        bool was = irq_save();
        for (int i = 0; i < vnet_queues(&dev); i++)
            vnet_watchdog(&dev.q[i], now_ns(), patience / 2);
        irq_restore(was);
    }
}

static void print_features(const struct vnet_features *f)
{
    static const struct {
        const char *name;
        size_t offset;
    } sets[] = {
        { "offered", offsetof(struct vnet_features, offered) },
        { "wanted", offsetof(struct vnet_features, wanted) },
        { "accepted", offsetof(struct vnet_features, accepted) },
        { "missing", offsetof(struct vnet_features, missing) },
    };
    for (unsigned s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
        char line[400];
        int n = 0;
        uint64_t bits = *(const uint64_t *)((const char *)f + sets[s].offset);
        line[0] = 0;
        for (unsigned bit = 0; bit < 64; bit++) {
            const char *name = vnet_feature_name(bit);
            if (!(bits & 1ull << bit) || n > (int)sizeof(line) - 24)
                continue;
            n += name ? snprintf(line + n, sizeof(line) - n, " %s", name)
                      : snprintf(line + n, sizeof(line) - n, " bit%u", bit);
        }
        kprintf("vnet: %-8s %016lx%s\n", sets[s].name, bits, line);
    }
}

static void *ring_memory(size_t bytes)
{
    unsigned order = page_order(bytes);
    return order <= PAGE_MAX_ORDER ? page_alloc(order) : NULL;
}

/* Of the queues, and of the control queue behind them. */
static void *memory[VNET_QUEUES_MAX + 1], *shadow[VNET_QUEUES_MAX + 1];

static bool ring_alloc(int i, size_t bytes, const struct vring_config *layout)
{
    memory[i] = ring_memory(bytes);
    shadow[i] = ring_memory(vring_shadow_bytes(layout));
    return memory[i] && shadow[i];
}

static int start_device(void)
{
    uint32_t bufs = 0;
    bool there = true;
    for (int i = 0; i < vnet_queues(&dev) && there; i++) {
        const struct vring_config *layout = &dev.q[i].layout;
        there = ring_alloc(i, vring_bytes(layout), layout);
        bufs += layout->size + VNET_BATCH;
    }
    if (there && dev.ctrl.on)
        there = ring_alloc(vnet_queues(&dev), vnet_ctrl_bytes(&dev), &dev.ctrl.layout);
    if (!there || port_pool_init(bufs))
        return -VNET_E_MEMORY;
    trace_port_init(&dev, vnet_bus_irq_kind());
    return vnet_start(&dev, memory, shadow);
}

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    (void)q;
    port_frame_free(b);
}

/* What a device does with rings that come and go while it runs. */
static int reset_queues(void)
{
    int error = 0;
    for (uint64_t n = 0; n < cmdline.queue_resets * vnet_queues(&dev) && !error; n++) {
        unsigned i = n % vnet_queues(&dev);
        bool was = irq_save();
        error = vnet_queue_reset(&dev.q[i], give_back);
        if (!error)
            error = vnet_queue_restart(&dev.q[i], memory[i], shadow[i]);
        irq_restore(was);
    }
    return error;
}

/* A broken ring is seen at every look, what the device says when it has announced a change or now
 * and then: that costs an exit. */
static int trouble(void)
{
    static uint64_t looks, changes;
    int why = vnet_broken(&dev);
    if (why)
        return why;
    if (looks++ % LOOKS_A_QUESTION && changes == dev.config_changes)
        return 0;
    changes = dev.config_changes;
    return vnet_needs_reset(&dev);
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
        bool was = irq_save();
        uint64_t start = now_ns();
        int error = vnet_restart(&dev, give_back);
        uint64_t took = now_ns() - start;
        irq_restore(was);
        thread_wakeup(&port_stats.pool_free);
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
    struct vnet_buf *b = port_buf_alloc();
    if (!b)
        return false;
    b->len = vnet_commands_rarp(b->data + VNET_HDR_BYTES, dev.mac);
    bool sent = port_send(0, &b, 1) == 1;
    if (!sent)
        port_buf_free(b);
    port_stats.announced += sent;
    return sent;
}

static void announce(void *arg)
{
    (void)arg;
    for (;;) {
        thread_sleep_ns(ANNOUNCE_LOOK_NS);
        if (dev.announce && send_announcement())
            vnet_ctrl_announced(&dev);
    }
}

static int start_threads(void)
{
    void (*poll)(void *) = vnet_mode.uses_irqs ? poll_on_demand : poll_always;
    if (!vnet_mode.works_in_irq && !thread_create("poll", poll, NULL))
        return -VNET_E_MEMORY;
    if (vnet_mode.uses_irqs && cmdline.watchdog_ms && !thread_create("watchdog", watch, NULL))
        return -VNET_E_MEMORY;
    if (cmdline.mend && !thread_create("mend", mend, NULL))
        return -VNET_E_MEMORY;
    if (dev.features.accepted & VNET_F(GUEST_ANNOUNCE) &&
        !thread_create("announce", announce, NULL))
        return -VNET_E_MEMORY;
    return 0;
}

/* event_idx= and packed= are factors of experiments; features= has the last word. */
static uint64_t wanted_features(void)
{
    uint64_t want = vnet_features_default() & ~(VNET_F(EVENT_IDX) | VNET_F(RING_PACKED));
    want |= cmdline.event_idx ? VNET_F(EVENT_IDX) : 0;
    want |= cmdline.packed ? VNET_F(RING_PACKED) : 0;
    const char *word;
    vnet_features_edit(&want, cmdline.features, &word);
    return want;
}

static int check_features(void)
{
    uint64_t want = 0;
    const char *word;
    int error = vnet_features_edit(&want, cmdline.features, &word);
    if (error)
        kprintf("features=: %s: %s\n", word, vnet_error_text(error));
    return error;
}

static int attach_device(struct vnet_transport *transport, struct vnet_config *cfg)
{
    cfg->want = wanted_features();
    cfg->ring_size[VNET_RX] = (uint16_t)cmdline.rx_ring;
    cfg->ring_size[VNET_TX] = (uint16_t)cmdline.tx_ring;
    int error = vnet_attach(&dev, transport, cfg);
    print_features(&dev.features);
    return error;
}

int vnet_port_init(void)
{
    char err[160];
    if (fault_plan_set(cmdline.fault, err, sizeof(err))) {
        kprintf("fault=: %s\n", err);
        return -1;
    }
    if (check_features())
        return -1;
    struct vnet_config cfg = { .pairs = (uint16_t)cmdline.pairs };
    struct vnet_transport *transport = vnet_bus_open(&cfg);
    if (!transport)
        return -1;
    int error = attach_device(transport, &cfg);
    if (!error && vnet_bus_connect(&dev))
        return -1;
    if (!error)
        error = start_device();
    if (!error)
        error = reset_queues();
    if (!error && vnet_commands(&dev, cmdline.ctrl, cmdline.mac))
        return -1;
    if (!error)
        error = start_threads();
    if (error) {
        kprintf("vnet: %s\n", vnet_error_text(error));
        return error;
    }
    kprintf("vnet: mode %s, %s, %s, irq %s, rx ring %u, tx ring %u, pairs %u, mtu %u\n",
            vnet_mode.name, dev.q[VNET_RX].layout.packed ? "packed" : "split",
            dev.q[VNET_RX].layout.event_idx ? "event_idx" : "flags", vnet_bus_irq_kind(),
            dev.q[VNET_RX].layout.size, dev.q[VNET_TX].layout.size, dev.pairs, dev.mtu);
    return 0;
}
