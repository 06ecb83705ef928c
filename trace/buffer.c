/* Per-CPU trace buffer. One CPU writes its own area only, so no lock and no LOCK prefix: the whole
 * record is written with interrupts off, which also keeps the timestamps of a stream in order, as
 * CTF demands. The id goes in last (release): a host that reads the running buffer, or what is left
 * of it after a crash, takes a record only if its id is there. */
#include "buffer.h"
#include "trace.h"
#include "machine.h"

#define QUEUES 16 /* a power of two */

static struct trace_region *region;
/* A queue is one CPU's at a time, so its ordinals are. */
static uint32_t ordinals[QUEUES][TRACE_EV_MAX];
static volatile uint32_t all_off;
volatile uint32_t *trace_mask = &all_off;

struct trace_region *trace_region(void)
{
    return region;
}

static struct trace_packet *packet_at(const struct trace_cpu_area *area, uint64_t packet)
{
    uint8_t *base = (uint8_t *)region + area->first_packet;
    return (struct trace_packet *)(base + (packet % area->packets) * TRACE_PACKET_BYTES);
}

static void close_packet(struct trace_packet *p)
{
    p->header.time_end = p->records[TRACE_RECORDS_PER_PACKET - 1].time;
    p->header.content_bits = TRACE_PACKET_BYTES * 8;
}

static void open_packet(const struct trace_cpu_area *area, uint64_t number, uint64_t now)
{
    struct trace_packet *p = packet_at(area, number);
    uint64_t overwritten = number >= area->packets ? number - area->packets + 1 : 0;
    p->header = (struct trace_packet_header){
        .magic = TRACE_CTF_MAGIC,
        .time_begin = now,
        .time_end = now,
        .packet_bits = TRACE_PACKET_BYTES * 8,
        .packet_seq = number,
        .discarded = area->lost + overwritten * TRACE_RECORDS_PER_PACKET,
        .cpu = (uint32_t)(area - region->cpu),
    };
}

/* Slot for the next record, or NULL when the buffer is full and may not overwrite. */
static struct trace_record *reserve(struct trace_cpu_area *area, uint64_t now)
{
    uint64_t slot = area->reserved;
    uint64_t number = slot / TRACE_RECORDS_PER_PACKET;
    if (!region->overwrite && number >= area->packets) {
        area->lost++;
        return 0;
    }
    if (slot % TRACE_RECORDS_PER_PACKET == 0)
        open_packet(area, number, now);
    struct trace_record *r = &packet_at(area, number)->records[slot % TRACE_RECORDS_PER_PACKET];
    /* The slot may hold a record of the previous lap: take its commit mark away before the slot
     * counts as reserved, or a reader could take the old record for the new one. */
    __atomic_store_n(&r->id, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&area->reserved, slot + 1, __ATOMIC_RELEASE);
    return r;
}

void trace_emit(uint16_t id, uint8_t vq, uint8_t flags, uint32_t seq, uint64_t a, uint64_t b)
{
    uint64_t irq = trace_irq_save();
    /* The ordinal advances whether or not the record finds room, so that a loss shows as a gap. */
    uint32_t own = ++ordinals[vq & (QUEUES - 1)][id & (TRACE_EV_MAX - 1)];
    uint64_t now = trace_now();
    struct trace_cpu_area *area = &region->cpu[trace_cpu()];
    struct trace_record *r = reserve(area, now);
    if (r) {
        r->time = now;
        r->vq = vq;
        r->flags = flags | (trace_in_irq() ? TRACE_F_IN_IRQ : 0);
        r->seq = seq ? seq : own;
        r->a = a;
        r->b = b;
        __atomic_store_n(&r->id, id, __ATOMIC_RELEASE);
        if (area->reserved % TRACE_RECORDS_PER_PACKET == 0)
            close_packet(packet_at(area, area->reserved / TRACE_RECORDS_PER_PACKET - 1));
    }
    trace_irq_restore(irq);
}

int trace_buffer_init(void *memory, size_t bytes, uint32_t cpus, uint64_t tsc_hz)
{
    if (cpus < 1 || cpus > TRACE_MAX_CPUS)
        return -1;
    if (bytes < TRACE_HEAD_BYTES + TRACE_PACKET_BYTES)
        return -1;
    uint64_t packets = (bytes - TRACE_HEAD_BYTES) / TRACE_PACKET_BYTES / cpus;
    if (packets < 1)
        return -1;
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
    for (uint32_t i = 0; i < cpus; i++) {
        r->cpu[i].first_packet = TRACE_HEAD_BYTES + i * packets * TRACE_PACKET_BYTES;
        r->cpu[i].packets = packets;
    }
    region = r;
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
