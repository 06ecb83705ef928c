/* The shared region: how it is laid out, and what the guest says in it beside the records. */
#include "buffer.h"
#include "trace.h"
#include "machine.h"
#include "writer.h"

static struct trace_region *region;
static volatile uint32_t all_off;
volatile uint32_t *trace_mask = &all_off;

struct trace_region *trace_region(void)
{
    return region;
}

static void set_up_cpu(struct trace_region *r, uint32_t cpu, uint64_t packets)
{
    struct trace_cpu_area *area = &r->cpu[cpu];
    area->first_packet = TRACE_HEAD_BYTES + cpu * packets * TRACE_PACKET_BYTES;
    area->packets = packets;
    area->stop_at = TRACE_NEVER;
    trace_writers[cpu] = (struct trace_writer){ .area = area };
    trace_prepare(&trace_writers[cpu], 0);
}

int trace_buffer_init(void *memory, size_t bytes, uint32_t cpus, uint64_t tsc_hz)
{
    if (cpus < 1 || cpus > TRACE_MAX_CPUS)
        return -1;
    if (bytes < TRACE_HEAD_BYTES)
        return -1;
    uint64_t packets = (bytes - TRACE_HEAD_BYTES) / TRACE_PACKET_BYTES / cpus;
    if (packets < TRACE_MIN_PACKETS)
        return -1;
    trace_mask = &all_off; /* of the region there was, if there was one */
    struct trace_region *r = memory;
    for (size_t i = 0; i < TRACE_HEAD_BYTES; i++)
        ((volatile uint8_t *)memory)[i] = 0;
    r->version = TRACE_REGION_VERSION;
    r->cpus = cpus;
    r->bytes = bytes;
    r->tsc_hz = tsc_hz;
    r->boot_tsc = trace_now();
    r->mask = TRACE_MASK_ALL;
    r->overwrite = 1;
    region = r;
    trace_trigger_reset();
    for (uint32_t i = 0; i < cpus; i++)
        set_up_cpu(r, i, packets);
    trace_mask = &r->mask;
    __atomic_store_n(&r->magic, TRACE_REGION_MAGIC, __ATOMIC_RELEASE);
    return 0;
}

int trace_counter_add(const char *prefix, const char *name, uint64_t paddr)
{
    if (!region || region->counters_used == TRACE_MAX_COUNTERS)
        return -1;
    struct trace_counter *c = &region->counters[region->counters_used];
    const char *parts[] = { prefix, name };
    uint32_t n = 0;
    for (int i = 0; i < 2; i++) {
        for (const char *s = parts[i]; *s; s++) {
            if (n == TRACE_COUNTER_NAME - 1)
                return -1;
            c->name[n++] = *s;
        }
    }
    c->paddr = paddr;
    __atomic_store_n(&region->counters_used, region->counters_used + 1, __ATOMIC_RELEASE);
    return 0;
}

void trace_guest_state(enum trace_guest_state state)
{
    if (region)
        __atomic_store_n(&region->state, state, __ATOMIC_RELEASE);
}
