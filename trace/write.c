/* Writes one record on this CPU, also inside an interrupt or an NMI that came in the middle of
 * another record, and inside that again.
 *
 * A CPU writes its own area only, and what interrupts it there is done before it goes on. So three
 * steps that no interrupt can divide are enough, without LOCK and with interrupts on:
 *
 * 1. The slot is taken by a compare-exchange of `reserved`, after the time was read: who is
 *    interrupted between the two tries again with a later time, so times follow the slots, as CTF
 *    demands of a stream.
 * 2. The id is stored last: a host takes a record only if its id is there. Ids of an earlier lap
 *    are cleared when a packet is made ready, before `reserved` can come to it.
 * 3. The packet's count of finished records is raised; who makes it 126 closes the packet, and that
 *    is the last one to finish, not the one who took the last slot.
 *
 * A packet is made ready one packet ahead, so whoever is interrupted in that leaves room for 126
 * records more. When this is used up too, records are lost and counted: nobody waits. A packet
 * with an unfinished record is not overwritten, however many records interrupt it. */
#include "writer.h"
#include "buffer.h"
#include "trace.h"
#include "machine.h"

#define PER          TRACE_RECORDS_PER_PACKET
#define QUEUES       18 /* 8 pairs, the control queue, and none */
#define GUEST_EVENTS 64
#define unlikely(x)  __builtin_expect(!!(x), 0)

struct trace_writer trace_writers[TRACE_MAX_CPUS];
static uint32_t ordinals[QUEUES][GUEST_EVENTS];

static const uint8_t class_of[GUEST_EVENTS] = {
#define GUEST_EVENT(id, name, class, seq, a, b, text) [id] = TRACE_CLASS_##class,
#include "events.def"
};

static uint64_t read64(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void write64(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

void trace_set_limit(struct trace_writer *w)
{
    uint64_t ready = read64(&w->area->prepared) / 2 * PER, stop = read64(&w->area->stop_at);
    write64(&w->limit, ready < stop ? ready : stop);
}

static void clear_packet(const struct trace_cpu_area *area, struct trace_packet *p, uint64_t number)
{
    for (int i = 0; i < PER; i++)
        __atomic_store_n(&p->records[i].id, 0, __ATOMIC_RELAXED);
    p->header = (struct trace_packet_header){
        .magic = TRACE_CTF_MAGIC,
        .time_begin = trace_now(),
        .packet_bits = TRACE_PACKET_BYTES * 8,
        .packet_seq = number,
        .cpu = (uint32_t)(area - trace_region()->cpu),
    };
}

void trace_prepare(struct trace_writer *w, uint64_t number)
{
    struct trace_region *region = trace_region();
    struct trace_cpu_area *area = w->area;
    if ((number >= area->packets && !region->overwrite) || number * PER >= read64(&area->stop_at))
        return;
    struct trace_packet *p =
        (struct trace_packet *)((uint8_t *)region + area->first_packet) + number % area->packets;
    /* Not closed: whoever has a record open in it was interrupted by us. */
    if (number >= area->packets && !read64(&p->header.content_bits))
        return;
    /* Fails if it is ready, or being made ready by whom we have interrupted. */
    if (!trace_local_cmpxchg(&area->prepared, 2 * number, 2 * number + 1))
        return;
    clear_packet(area, p, number);
    /* In use by nobody: packet number - 2 is full. Who is about to take a slot there will fail. */
    w->packet[number % 2] = p;
    write64(&area->prepared, 2 * number + 2);
    trace_set_limit(w);
}

static void close_packet(const struct trace_cpu_area *area, struct trace_packet *p)
{
    p->header.time_begin = p->records[0].time;
    p->header.time_end = p->records[PER - 1].time;
    p->header.discarded = read64(&area->lost);
    write64(&p->header.content_bits, TRACE_PACKET_BYTES * 8);
}

/* Slot `slot` is not below the limit. True if it is now; otherwise the record is counted. */
static __attribute__((noinline)) bool make_room(struct trace_writer *w, uint64_t slot, uint16_t id)
{
    struct trace_cpu_area *area = w->area;
    if (slot < read64(&area->stop_at)) {
        trace_prepare(w, slot / PER);
        trace_set_limit(w); /* who interrupted trace_prepare may have left it behind */
        if (slot < w->limit)
            return true;
    }
    if (slot >= read64(&area->stop_at)) {
        trace_local_inc(&area->stopped);
    } else {
        trace_local_inc(&area->lost);
        trace_local_inc(&area->lost_of[class_of[id % GUEST_EVENTS]]);
    }
    return false;
}

/* What is rare comes after the record. In a function of its own, so that the common path keeps
 * nothing over a call. */
static __attribute__((noinline)) void after(struct trace_writer *w, uint16_t id, uint8_t vq,
                                            uint64_t slot, uint64_t now, uint64_t b)
{
    if (slot % PER == 0)
        trace_prepare(w, slot / PER + 1);
    if (w->watch >> (id % GUEST_EVENTS) & 1)
        trace_look(w, id, vq, slot, now, b);
}

static void emit_without_room(uint16_t id, uint8_t vq, uint8_t flags, uint32_t seq, uint64_t a,
                              uint64_t b);

/* With `look_for_room` false the rare case is left to emit_without_room, for the same reason. */
static inline __attribute__((always_inline)) void emit(bool look_for_room, uint16_t id, uint8_t vq,
                                                       uint8_t flags, uint32_t seq, uint64_t a,
                                                       uint64_t b)
{
    struct trace_writer *w = &trace_writers[trace_cpu()];
    struct trace_cpu_area *area = w->area;
    uint64_t slot, now;
    struct trace_packet *p;
    do {
        slot = read64(&area->reserved);
        if (unlikely(slot >= read64(&w->limit))) {
            if (!look_for_room) {
                emit_without_room(id, vq, flags, seq, a, b);
                return;
            }
            if (!make_room(w, slot, id))
                return;
        }
        p = w->packet[slot / PER % 2];
        now = trace_now();
    } while (unlikely(!trace_local_cmpxchg(&area->reserved, slot, slot + 1)));
    struct trace_record *r = &p->records[slot % PER];
    r->time = now;
    r->vq = vq;
    r->flags = flags | (trace_in_irq() ? TRACE_F_IN_IRQ : 0);
    r->seq = seq;
    r->a = a;
    r->b = b;
    __atomic_store_n(&r->id, id, __ATOMIC_RELEASE);
    if (unlikely(trace_local_add(&p->header.committed, 1) == PER))
        close_packet(area, p);
    if (unlikely(slot % PER == 0 || w->watch >> (id % GUEST_EVENTS) & 1))
        after(w, id, vq, slot, now, b);
}

static __attribute__((noinline)) void emit_without_room(uint16_t id, uint8_t vq, uint8_t flags,
                                                        uint32_t seq, uint64_t a, uint64_t b)
{
    emit(true, id, vq, flags, seq, a, b);
}

void trace_emit(uint16_t id, uint8_t vq, uint8_t flags, uint32_t seq, uint64_t a, uint64_t b)
{
    /* The ordinal advances whether or not the record finds room, so that a loss shows as a gap. */
    uint32_t own = trace_local_add(&ordinals[vq < QUEUES ? vq : QUEUES - 1][id % GUEST_EVENTS], 1);
    emit(false, id, vq, flags, seq ? seq : own, a, b);
}
