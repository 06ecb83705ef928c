#include "snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "stream.h"

/* Copies [from, to) into `records` before anything is written: the guest may be overwriting them,
 * and a disk is slower than a guest. A record that is not there has id 0. Returns the first index
 * that was still of its lap after the copy. */
static uint64_t copy_out(const struct region *r, unsigned cpu, uint64_t from, uint64_t to,
                         struct trace_record *records)
{
    for (uint64_t i = from; i < to; i++)
        if (!region_record(r, cpu, i, &records[i - from]))
            records[i - from].id = 0;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    uint64_t oldest = region_oldest(r, cpu);
    return oldest < to ? oldest : to;
}

static int write_run(struct ctf_stream *s, const struct trace_record *records, uint64_t n,
                     struct snapshot_count *count)
{
    uint64_t holes = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (!records[i].id) {
            holes++;
            continue;
        }
        if (ctf_stream_gap(s, holes, s->last_time, records[i].time) ||
            ctf_stream_put(s, &records[i]))
            return -1;
        count->uncommitted += holes;
        holes = 0;
    }
    count->uncommitted += holes;
    return ctf_stream_gap(s, holes, s->last_time, s->last_time);
}

static int cut_cpu(const struct region *r, unsigned cpu, const struct position *from,
                   const struct position *to, const char *out, struct snapshot_count *count)
{
    uint64_t begin = from->reserved[cpu], end = to->reserved[cpu];
    uint64_t reserved = region_reserved(r, cpu), oldest = region_oldest(r, cpu);
    if (begin > end || end > reserved || to->lost[cpu] < from->lost[cpu])
        return complain("%s: CPU %u: no records [%" PRIu64 ", %" PRIu64 "), it has reserved "
                        "%" PRIu64 ": take the positions from this guest, earlier one first",
                        r->path, cpu, begin, end, reserved);
    uint64_t start = begin > oldest ? begin : oldest < end ? oldest : end;
    struct trace_record *records = calloc(end - start + 1, sizeof *records);
    struct ctf_stream s;
    if (!records)
        return complain("%s: no memory for %" PRIu64 " records", r->path, end - start);
    uint64_t whole = copy_out(r, cpu, start, end, records);
    if (whole < start)
        whole = start;
    uint64_t dropped = to->lost[cpu] - from->lost[cpu];
    const struct trace_record *first = &records[whole - start];
    uint64_t start_time = whole < end && first->id ? first->time : 0;
    int bad = ctf_stream_open(&s, out, cpu);
    if (!bad) {
        bad = ctf_stream_gap(&s, whole - begin, start_time, start_time) ||
              write_run(&s, first, end - whole, count) ||
              ctf_stream_gap(&s, dropped, s.last_time, s.last_time);
        bad = ctf_stream_close(&s) || bad;
        count->records += s.records;
        count->overwritten += whole - begin;
        count->dropped += dropped;
    }
    free(records);
    return bad ? -1 : 0;
}

int snapshot_cut(const struct region *r, const struct position *from, const struct position *to,
                 const char *out, struct snapshot_count *count)
{
    memset(count, 0, sizeof *count);
    if (ctf_dir_create(out, TRACE_SIDE_GUEST, r->head.tsc_hz, r->head.cpus))
        return -1;
    for (unsigned cpu = 0; cpu < r->head.cpus; cpu++)
        if (cut_cpu(r, cpu, from, to, out, count))
            return -1;
    return 0;
}

/* Squeezes out the slots that never got a record, so that the packet reads as CTF. */
static void close_by_marks(struct trace_packet *p, unsigned reserved, uint64_t lost,
                           struct snapshot_count *count)
{
    unsigned n = 0;
    for (unsigned i = 0; i < reserved; i++)
        if (p->records[i].id && p->records[i].time >= p->header.time_begin)
            p->records[n++] = p->records[i];
    memset(&p->records[n], 0, (TRACE_RECORDS_PER_PACKET - n) * sizeof *p->records);
    p->header.content_bits = 8 * (sizeof p->header + n * sizeof *p->records);
    p->header.discarded = lost + reserved - n;
    p->header.time_begin = n ? p->records[0].time : p->header.time_begin;
    p->header.time_end = n ? p->records[n - 1].time : p->header.time_begin;
    count->uncommitted += reserved - n;
}

/* Packet `i / 126` as it stands. Returns 0 if the guest came round while it was copied. */
static int copy_packet(const struct region *r, unsigned cpu, uint64_t i, struct trace_packet *p)
{
    memcpy(p, region_packet(r, cpu, i / TRACE_RECORDS_PER_PACKET), sizeof *p);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return p->header.magic == TRACE_CTF_MAGIC && region_oldest(r, cpu) <= i;
}

static int dump_cpu(const struct region *r, unsigned cpu, const char *out,
                    struct snapshot_count *count)
{
    struct ctf_stream s;
    uint64_t reserved = region_reserved(r, cpu), oldest = region_oldest(r, cpu);
    uint64_t lost = region_lost(r, cpu), told = 0;
    if (ctf_stream_open(&s, out, cpu))
        return -1;
    int bad = 0;
    for (uint64_t i = oldest; i < reserved && !bad; i += TRACE_RECORDS_PER_PACKET) {
        struct trace_packet p;
        if (!copy_packet(r, cpu, i, &p)) {
            count->overwritten += TRACE_RECORDS_PER_PACKET;
            continue;
        }
        uint64_t left = reserved - i;
        if (p.header.content_bits != 8 * TRACE_PACKET_BYTES)
            close_by_marks(&p, left < TRACE_RECORDS_PER_PACKET ? left : TRACE_RECORDS_PER_PACKET,
                           lost, count);
        p.header.committed = 0;
        told = p.header.discarded;
        bad = ctf_stream_packet(&s, &p);
    }
    /* What a full buffer refused lies behind its last packet. */
    if (!bad && lost > told)
        bad = ctf_stream_gap(&s, lost - told, s.last_time, s.last_time);
    bad = ctf_stream_close(&s) || bad;
    count->records += s.records;
    count->overwritten += oldest;
    count->dropped += lost;
    count->stopped += region_stopped(r, cpu);
    return bad ? -1 : 0;
}

int snapshot_dump(const struct region *r, const char *out, struct snapshot_count *count)
{
    memset(count, 0, sizeof *count);
    if (ctf_dir_create(out, TRACE_SIDE_GUEST, r->head.tsc_hz, r->head.cpus))
        return -1;
    for (unsigned cpu = 0; cpu < r->head.cpus; cpu++)
        if (dump_cpu(r, cpu, out, count))
            return -1;
    return 0;
}
