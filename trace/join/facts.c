/* The first reading: what only the end of a trace tells. */
#include "../ctf/complain.h"
#include "join.h"

int event_is_listed(uint16_t id)
{
    switch (id) {
    case TRACE_EV_publish:
    case TRACE_EV_kick:
    case TRACE_EV_kick_suppressed:
    case TRACE_EV_irq:
    case TRACE_EV_irq_spurious:
    case TRACE_EV_harvest:
    case TRACE_EV_host_kick:
    case TRACE_EV_run_begin:
    case TRACE_EV_run_end:
    case TRACE_EV_used:
    case TRACE_EV_call_read:
        return 1;
    default:
        return 0;
    }
}

void event_shift(const struct queue *q, struct event *e)
{
    if (e->id == TRACE_EV_host_kick || e->id == TRACE_EV_run_begin || e->id == TRACE_EV_run_end)
        e->a += q->avail_shift;
    if (e->id == TRACE_EV_run_begin || e->id == TRACE_EV_run_end)
        e->b += q->used_shift;
    if (e->id == TRACE_EV_used)
        e->a += q->used_shift;
}

/* First indices of a queue's life on each side. */
struct firsts {
    struct event avail, used, run; /* id 0: none yet */
    uint32_t count;                /* of the last host kick */
    int kicked, seen;
};

/* A driver that starts a queue anew begins its indices anew. */
static void guest_fact(struct queue *q, struct firsts *f, const struct event *e, uint64_t number)
{
    if (e->id == TRACE_EV_vq_start && f->seen) {
        *f = (struct firsts){ .seen = 1 };
        q->guest_from = number;
        q->restarted = e->time;
        q->harvest_known = q->publishes_are_told = 0;
    }
    f->seen |= e->id != TRACE_EV_vq_start;
    switch (e->id) {
    case TRACE_EV_publish:
    case TRACE_EV_kick:
    case TRACE_EV_kick_suppressed:
        q->publishes_are_told |= e->id == TRACE_EV_publish;
        f->avail = f->avail.id ? f->avail : *e;
        break;
    case TRACE_EV_harvest:
        q->last_harvest = e->a;
        q->harvest_known = 1;
        f->used = f->used.id ? f->used : *e;
        break;
    case TRACE_EV_irq:
    case TRACE_EV_irq_spurious:
        f->used = f->used.id ? f->used : *e;
        break;
    }
}

static void note_consumed(struct queue *q, const struct event *e)
{
    q->consumed = !q->consumed_known || (int64_t)(e->a - q->consumed) > 0 ? e->a : q->consumed;
    q->consumed_known = 1;
}

/* The host then has a new kick eventfd, whose count starts over. */
static void host_fact(struct queue *q, struct firsts *f, const struct event *e, uint64_t number)
{
    if (e->id == TRACE_EV_host_kick && f->kicked && e->seq < f->count) {
        *f = (struct firsts){ 0 };
        q->host_from = number;
        q->consumed_known = q->used_known = q->calls_are_read = 0;
    }
    switch (e->id) {
    case TRACE_EV_host_kick:
        f->count = e->seq;
        f->kicked = 1;
        f->avail = f->avail.id ? f->avail : *e;
        note_consumed(q, e);
        break;
    case TRACE_EV_run_begin:
    case TRACE_EV_run_end:
        f->avail = f->avail.id ? f->avail : *e;
        f->run = f->run.id ? f->run : *e;
        note_consumed(q, e);
        break;
    case TRACE_EV_used:
        f->used = f->used.id ? f->used : *e;
        q->last_used = e->a;
        q->used_known = 1;
        break;
    case TRACE_EV_call_read:
        q->calls_are_read = 1;
        break;
    }
}

/* The multiple of 65536 that brings `host` nearest to `guest`. */
static uint64_t nearest_lap(uint64_t guest, uint64_t host)
{
    uint64_t distance = guest - host + 32768;
    return distance & ~UINT64_C(0xffff);
}

/* Both slices begin at the same moment, so their first indices are less than half a lap apart.
 * The kicks check this afterwards: a kick's index cannot be below what the host had consumed. */
static void align_laps(struct queue *q, const struct firsts *guest, const struct firsts *host)
{
    uint64_t used = host->used.id ? host->used.a : host->run.b;
    if (guest->avail.id && host->avail.id)
        q->avail_shift = nearest_lap(guest->avail.a, host->avail.a);
    if ((host->used.id || host->run.id) && guest->used.id)
        q->used_shift = nearest_lap(guest->used.a, used);
    else if (host->run.id) /* what is used was available before, at most a ring earlier */
        q->used_shift = nearest_lap(host->run.a + q->avail_shift, host->run.b);
    q->consumed += q->avail_shift;
    q->last_used += q->used_shift;
}

static void read_side(struct join *j, struct side *side, struct firsts *firsts,
                      void (*fact)(struct queue *, struct firsts *, const struct event *, uint64_t))
{
    struct event e;
    struct reader *r = &side->reader;
    while (reader_next(r, &e)) {
        if (r->records == 1)
            side->first = e;
        side->last = e;
        if (e.vq < JOIN_QUEUES)
            fact(&j->queue[e.vq], &firsts[e.vq], &e, r->records - 1);
    }
    side->records = r->records;
    side->lost = r->lost;
    side->disordered = r->disordered;
    side->damaged = r->damaged;
}

void join_facts(struct join *j)
{
    struct firsts guest[JOIN_QUEUES] = { 0 }, host[JOIN_QUEUES] = { 0 };
    for (uint8_t vq = 0; vq < JOIN_QUEUES; vq++) { /* a second time, the kicks stay matched */
        const struct queue *q = &j->queue[vq];
        j->queue[vq] = (struct queue){ .vq = vq, .matched = q->matched, .kick_base = q->kick_base };
    }
    reader_rewind(&j->guest.reader, 0);
    reader_rewind(&j->host.reader, 0);
    read_side(j, &j->guest, guest, guest_fact);
    read_side(j, &j->host, host, host_fact);
    for (int vq = 0; vq < JOIN_QUEUES; vq++)
        align_laps(&j->queue[vq], &guest[vq], &host[vq]);
}
