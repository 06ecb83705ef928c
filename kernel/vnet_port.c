/* The driver's port to this kernel: finds the device, gives it memory, starts it.
 *
 * A queue is one CPU's (port_cpu), and threads are cooperative: two threads never interleave inside
 * the driver on one queue, so only interrupt context needs keeping out, and only in modes that work
 * there (port_lock). What concerns all queues at once runs in a rendezvous. */
#include "vnet_port.h"
#include "../faultinj/plan.h"
#include "../trace/buffer.h"
#include "../virtio_net/mode.h"
#include "cmdline.h"
#include "console.h"
#include "main.h"
#include "page.h"
#include "rendezvous.h"
#include "string.h"
#include "thread.h"
#include "trace_port.h"
#include "vnet_bus.h"
#include "vnet_commands.h"
#include "vnet_threads.h"
#include "x86.h"

static struct vnet_dev dev;

unsigned port_cpu(unsigned pair)
{
    return vnet_bus_pairs_apart() ? pair % cpu_count() : 0;
}

unsigned port_cpus(void)
{
    unsigned most = vnet_bus_pairs_apart() ? cpu_count() : 1;
    return dev.pairs < most ? dev.pairs : most;
}

static unsigned pair_of(const struct vnet_q *q)
{
    return q->index / VNET_QUEUES;
}

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

static const void *sent_chan(void)
{
    return &port_stats[cpu_index()].pool_free;
}

void port_wait_for_sent(void)
{
    thread_sleep(sent_chan(), THREAD_FOREVER);
}

void port_sent(void)
{
    thread_wakeup(sent_chan());
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    workload_rx(pair_of(q), bufs, n);
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        port_buf_free(pair_of(q), bufs[i]);
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        port_frame_free(pair_of(q), bufs[i]);
    port_sent();
}

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t k = 0;
    while (k < n && (bufs[k] = port_buf_alloc(pair_of(q))))
        k++;
    return k;
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

static int make_rings(void)
{
    bool there = true;
    for (int i = 0; i < vnet_queues(&dev) && there; i++)
        there = ring_alloc(i, vring_bytes(&dev.q[i].layout), &dev.q[i].layout);
    if (there && dev.ctrl.on)
        there = ring_alloc(vnet_queues(&dev), vnet_ctrl_bytes(&dev), &dev.ctrl.layout);
    return there ? 0 : -VNET_E_MEMORY;
}

static int make_pools(void)
{
    uint32_t bufs[CPU_MAX] = { 0 };
    for (int i = 0; i < vnet_queues(&dev); i++)
        bufs[port_cpu(pair_of(&dev.q[i]))] += dev.q[i].layout.size + VNET_BATCH;
    for (unsigned cpu = 0; cpu < port_cpus(); cpu++) {
        if (port_pool_init(cpu, bufs[cpu]))
            return -VNET_E_MEMORY;
    }
    return 0;
}

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    port_frame_free(pair_of(q), b);
}

static void start_device(void *error)
{
    *(int *)error = vnet_start(&dev, memory, shadow);
}

/* What a device does with rings that come and go while it runs. */
static void reset_queues(void *result)
{
    int error = 0;
    for (uint64_t n = 0; n < cmdline.queue_resets * vnet_queues(&dev) && !error; n++) {
        unsigned i = n % vnet_queues(&dev);
        error = vnet_queue_reset(&dev.q[i], give_back);
        if (!error)
            error = vnet_queue_restart(&dev.q[i], memory[i], shadow[i]);
    }
    *(int *)result = error;
}

static void restart_device(void *error)
{
    *(int *)error = vnet_restart(&dev, give_back);
}

int port_restart(void)
{
    int error;
    rendezvous(restart_device, &error);
    return error;
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

static int start(void)
{
    int error = make_rings();
    if (!error)
        error = make_pools();
    if (error)
        return error;
    trace_port_init(&dev, vnet_bus_irq_kind());
    rendezvous(start_device, &error);
    if (!error && cmdline.queue_resets)
        rendezvous(reset_queues, &error);
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
        error = start();
    if (!error && vnet_commands(&dev, cmdline.ctrl, cmdline.mac))
        return -1;
    if (!error)
        error = vnet_threads_start(&dev);
    if (error) {
        kprintf("vnet: %s\n", vnet_error_text(error));
        return error;
    }
    kprintf("vnet: mode %s, %s, %s, irq %s, rx ring %u, tx ring %u, pairs %u, mtu %u, CPUs %u\n",
            vnet_mode.name, dev.q[VNET_RX].layout.packed ? "packed" : "split",
            dev.q[VNET_RX].layout.event_idx ? "event_idx" : "flags", vnet_bus_irq_kind(),
            dev.q[VNET_RX].layout.size, dev.q[VNET_TX].layout.size, dev.pairs, dev.mtu,
            port_cpus());
    return 0;
}
