#include "prefix.h"

static void guest_record(struct prefix_queue *q, const struct event *e)
{
    if (e->id == TRACE_EV_kick)
        event_add(&q->kicks, e);
    else if (e->id == TRACE_EV_publish)
        event_add(&q->publishes, e);
    else if (e->id == TRACE_EV_harvest || e->id == TRACE_EV_irq || e->id == TRACE_EV_irq_spurious)
        event_add(&q->seen, e);
    else
        return;
    q->guest_records++;
}

static void add_run(struct prefix_queue *q, const struct event *begin, const struct event *end,
                    int whole)
{
    q->runs.size = sizeof(struct run);
    *(struct run *)window_add(&q->runs) = (struct run){ *begin, *end, whole };
}

static void host_record(struct prefix_queue *q, const struct event *e, const struct reader *r)
{
    q->host_records++;
    if (e->id == TRACE_EV_host_kick) {
        event_add(&q->host_kicks, e);
    } else if (e->id == TRACE_EV_used) {
        event_add(&q->used, e);
    } else if (e->id == TRACE_EV_run_begin) {
        q->open = *e;
    } else if (e->id == TRACE_EV_run_end) {
        if (q->open.id)
            add_run(q, &q->open, e, !reader_lost_between(r, q->open.time, e->time));
        q->open.id = 0;
    } else {
        q->host_records--;
    }
}

/* CPUs whose TSCs differ give a queue's kicks in another order than they had. */
static int by_ordinal(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

void prefix_read(struct prefix *p, struct join *j)
{
    struct reader *sides[] = { &j->guest.reader, &j->host.reader };
    struct event e;
    *p = (struct prefix){ 0 };
    for (int host = 0; host < 2; host++) {
        struct reader *r = sides[host];
        int full = 0;
        reader_rewind(r, host);
        while (!full && reader_next(r, &e)) {
            if (e.vq >= JOIN_QUEUES || !event_is_listed(e.id))
                continue;
            struct queue *q = &j->queue[e.vq];
            struct prefix_queue *pq = &p->queue[e.vq];
            size_t *count = host ? &pq->host_records : &pq->guest_records;
            if (!event_in_life(q, r->records - 1, host) || *count >= PREFIX_RECORDS)
                continue;
            if (host) {
                event_shift(q, &e);
                host_record(pq, &e, r);
            } else {
                guest_record(pq, &e);
            }
            /* A queue that is full waits for one that has not begun its last life. */
            full = *count >= PREFIX_RECORDS;
            for (int vq = 0; vq < JOIN_QUEUES; vq++) {
                const struct prefix_queue *other = &p->queue[vq];
                full = full && ((host ? other->host_records : other->guest_records) >= 1024 ||
                                event_in_life(&j->queue[vq], r->records, host));
            }
        }
        reader_rewind(r, 0);
    }
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        struct window *k = &p->queue[vq].kicks;
        size_t sorted = 1;
        while (sorted < k->n && event_at(k, sorted - 1)->seq <= event_at(k, sorted)->seq)
            sorted++;
        if (sorted < k->n && j->guest.reader.stream_count > 1)
            qsort(event_at(k, 0), k->n, sizeof(struct event), by_ordinal);
    }
}

void prefix_free(struct prefix *p)
{
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        struct prefix_queue *q = &p->queue[vq];
        struct window *all[] = { &q->kicks, &q->host_kicks, &q->publishes,
                                 &q->used,  &q->seen,       &q->runs };
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            window_free(all[i]);
    }
}
