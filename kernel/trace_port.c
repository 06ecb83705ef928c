/* The kernel's own records are there whether or not the driver's are. */
#define TRACE 1
#include "../trace/trace.h"
#include "trace_port.h"
#include "../faultinj/plan.h"
#include "../trace/buffer.h"
#include "../trace/machine.h"
#include "../trace/trigger.h"
#include "../virtio_net/mode.h"
#include "clock.h"
#include "cmdline.h"
#include "cpu.h"
#include "console.h"
#include "page.h"
#include "panic.h"
#include "region.h"
#include "stats.h"
#include "string.h"
#include "symbols.h"
#include "trap.h"
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

/* Counted apart from the records, so that a test can tell that none is missing. */
static struct {
    uint64_t taken, in_writer, in_record;
} nmis;

/* Whether the last record that was reserved is not finished: then we interrupt its writer. */
static bool record_is_open(void)
{
    const struct trace_region *r = trace_region();
    const struct trace_cpu_area *area = &r->cpu[trace_cpu()];
    uint64_t packet = (area->reserved - 1) / TRACE_RECORDS_PER_PACKET;
    const struct trace_packet *p =
        (const struct trace_packet *)((const uint8_t *)r + area->first_packet) +
        packet % area->packets;
    return area->reserved &&
           p->header.committed != area->reserved - packet * TRACE_RECORDS_PER_PACKET;
}

static bool on_nmi(uint64_t rip)
{
    uint64_t offset;

    /* Every CPU of the machine gets it; one that serves no queue has no stream. */
    if (trace_cpu() >= trace_region()->cpus)
        return true;
    const char *function = symbol_find(rip, &offset);
    bool in_writer = function && !strcmp(function, "trace_emit");
    uint64_t taken = __atomic_add_fetch(&nmis.taken, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&nmis.in_writer, in_writer, __ATOMIC_RELAXED);
    __atomic_add_fetch(&nmis.in_record, record_is_open(), __ATOMIC_RELAXED);
    TRACE_AT(nmi, (uint32_t)taken, 0, TRACE_VQ_NONE, rip, in_writer);
    return true;
}

static struct trace_region *init_region(unsigned cpus)
{
    if (trace_buffer_init(region_base(), region_bytes(), cpus, tsc_hz()))
        panic("trace region of %zu bytes is too small", region_bytes());
    struct trace_region *r = trace_region();
    r->mask = (uint32_t)cmdline.trace_mask;
    r->overwrite = !strcmp(cmdline.trace_mode, "overwrite");
    if (trace_trigger_set(cmdline.trigger, (unsigned)cmdline.trigger_post))
        panic("trigger=%s: give a list of " TRACE_TRIGGER_SYNTAX, cmdline.trigger);
    trap_nmi = strcmp(cmdline.nmi, "trace") ? NULL : on_nmi;
    name_counter("nmis_", "taken", &nmis.taken);
    name_counter("nmis_", "in_writer", &nmis.in_writer);
    name_counter("nmis_", "in_record", &nmis.in_record);
    return r;
}

void trace_port_init_alone(void)
{
    struct trace_region *r = init_region(cpu_count());
    snprintf(r->about, sizeof(r->about), "workload=%s", cmdline.workload);
}

void trace_port_init(struct vnet_dev *dev, const char *irq_kind)
{
    struct trace_region *r = init_region(port_cpus());
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
