#include "trace_port.h"
#include "../faultinj/plan.h"
#include "../trace/buffer.h"
#include "../virtio_net/mode.h"
#include "clock.h"
#include "cmdline.h"
#include "console.h"
#include "page.h"
#include "panic.h"
#include "region.h"
#include "stats.h"
#include "string.h"
#include "vnet_port.h"

static void name_counter(const char *prefix, const char *name, const uint64_t *value)
{
    if (trace_counter_add(prefix, name, virt_to_phys(value)))
        panic("trace region has no room for counter %s%s", prefix, name);
}

static void name_queue_counters(const char *prefix, struct vnet_stats *stats)
{
#define STAT(name, text) name_counter(prefix, #name, &stats->name);
#include "../virtio_net/stats.def"
}

/* "rx_" and "tx_" are the first pair's, as of a device that has but one; then "rx2_" and so on. */
static const char *queue_prefix(const struct vnet_q *q)
{
    static char prefix[8];
    unsigned pair = q->index / VNET_QUEUES;
    const char *side = vnet_is_rx(q) ? "rx" : "tx";
    if (pair)
        snprintf(prefix, sizeof(prefix), "%s%u_", side, pair + 1);
    else
        snprintf(prefix, sizeof(prefix), "%s_", side);
    return prefix;
}

/* The booting CPU's have no prefix, as on a machine that has but one; then "cpu1_" and so on. One
 * that serves no pair has no frames. */
static void name_cpu_counters(unsigned cpu)
{
    char prefix[8] = "";
    if (cpu)
        snprintf(prefix, sizeof(prefix), "cpu%u_", cpu);
    struct port_stats *frames = &port_stats[cpu];
#define PORT_STAT(name, text) name_counter(prefix, #name, &frames->name);
    if (cpu < port_cpus()) {
#include "port_stats.def"
    }
    struct kernel_stats *stats = &kernel_stats[cpu];
#define KSTAT(name, text) name_counter(prefix, #name, &stats->name);
#include "stats.def"
}

void trace_port_init(struct vnet_dev *dev, const char *irq_kind)
{
    if (trace_buffer_init(region_base(), region_bytes(), port_cpus(), tsc_hz()))
        panic("trace region of %zu bytes is too small", region_bytes());
    struct trace_region *r = trace_region();
    r->mask = (uint32_t)cmdline.trace_mask;
    r->overwrite = !strcmp(cmdline.trace_mode, "overwrite");
    snprintf(r->about, sizeof(r->about),
             "mode=%s event_idx=%d packed=%d workload=%s transport=%s irq=%s rx_ring=%u tx_ring=%u "
             "budget=%lu",
             vnet_mode.name, dev->q[VNET_RX].layout.event_idx, dev->q[VNET_RX].layout.packed,
             cmdline.workload, dev->transport->name, irq_kind, dev->q[VNET_RX].layout.size,
             dev->q[VNET_TX].layout.size, cmdline.budget);
    name_counter("", "config_changes", &dev->config_changes);
    name_counter("", "restarts", &dev->restarts);
    for (unsigned i = 0; i < vnet_queues(dev); i++) {
        name_queue_counters(queue_prefix(&dev->q[i]), &dev->q[i].stats);
    }
    if (dev->ctrl.on) {
        name_counter("ctrl_", "commands", &dev->ctrl.commands);
        name_counter("ctrl_", "refused", &dev->ctrl.refused);
        name_counter("", "rss_on", &dev->rss_on);
    }
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        name_cpu_counters(cpu);
    for (int i = 0; i < FAULT_POINTS; i++) {
        name_counter("fault_", fault_point_name((enum fault_point)i), &fault_counters.fired[i]);
        name_counter("passed_", fault_point_name((enum fault_point)i), &fault_counters.passed[i]);
    }
}
