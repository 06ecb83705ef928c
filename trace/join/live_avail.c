/* The avail side: publications, with a doorbell or without, and the runs that pick them up. */
#include "live.h"

void live_publish(struct join *j, struct queue *q, const struct event *e)
{
    static const unsigned char classes[] = { CLASS_publish_consumed, CLASS_publish_posted,
                                             CLASS_publish_stall, CLASS_publish_open,
                                             CLASS_publish_unknown };
    enum fate fate = stall_fate(j, q, e);
    event_add(&q->publishes, e);
    event_last(&q->publishes)->class = classes[fate];
    live_class(j, e, classes[fate]);
    stall_note(j, q, e, fate);
    q->avail_seen = e->a;
    if (q->publishes.n > LIVE_WINDOW)
        window_drop(&q->publishes, 1);
}

void live_suppressed(struct join *j, struct queue *q, const struct event *e)
{
    event_add(&q->suppressed, e);
    q->avail_seen = e->a;
    if (!q->publishes_are_told)
        stall_note(j, q, e, stall_fate(j, q, e));
}

void live_settle_suppressed(struct join *j, struct queue *q)
{
    static const unsigned char classes[] = { CLASS_suppressed_consumed, CLASS_suppressed_posted,
                                             CLASS_suppressed_stall, CLASS_suppressed_open,
                                             CLASS_suppressed_unknown };
    while (q->suppressed.n) {
        const struct event *e = event_at(&q->suppressed, 0);
        if (!live_run_reached(q, e->a - 1) && !j->host_over && q->suppressed.n <= LIVE_WINDOW)
            return;
        live_class(j, e,
                   live_run_covering(q, e->a - 1) ? CLASS_suppressed_served
                                                  : classes[stall_fate(j, q, e)]);
        window_drop(&q->suppressed, 1);
    }
}

static void add_run(struct queue *q, const struct event *begin, const struct event *end, int whole)
{
    q->runs.size = sizeof(struct run);
    *(struct run *)window_add(&q->runs) = (struct run){ *begin, *end, whole };
    q->run_seq = begin->seq;
    q->run_count++;
}

/* A run that lacks an end stands for what is known: its missing end is the other one again, so it
 * covers no index. */
static void half_run(struct join *j, struct queue *q, const struct event *e)
{
    live_class(j, e, CLASS_run_half);
    add_run(q, e, e, 0);
    ((struct run *)window_at(&q->runs, q->runs.n - 1))->begin.class = CLASS_run_half;
}

static void whole_run(struct join *j, struct queue *q, struct event *begin, struct event *end)
{
    /* The full set of probes knows; it also says weight where a kick came meanwhile. */
    int no_kick = begin->flags & (TRACE_F_CAUSE_START | TRACE_F_CAUSE_BUSY);
    int new_kick = !no_kick && (!q->run_count || begin->seq != q->run_seq);
    enum event_class class = begin->flags & TRACE_F_CAUSE_NET                ? CLASS_run_net
                             : begin->flags & TRACE_F_CAUSE_KICK && new_kick ? CLASS_run_kick
                                                                             : CLASS_run_other;
    begin->class = end->class = (uint8_t) class;
    live_class(j, begin, class);
    live_class(j, end, class);
    add_run(q, begin, end, !reader_lost_between(&j->host.reader, begin->time, end->time));
}

void live_run(struct join *j, struct queue *q, const struct event *e)
{
    struct event end = *e;
    if (e->id == TRACE_EV_run_begin) {
        live_run_over(j, q);
        q->run_begin = *e;
    } else if (q->run_begin.id) {
        whole_run(j, q, &q->run_begin, &end);
        q->run_begin.id = 0;
    } else {
        half_run(j, q, e);
    }
}

void live_run_over(struct join *j, struct queue *q)
{
    if (q->run_begin.id)
        half_run(j, q, &q->run_begin);
    q->run_begin.id = 0;
}

int live_run_reached(const struct queue *q, uint64_t index)
{
    return q->runs.n && ((struct run *)window_at(&q->runs, q->runs.n - 1))->end.a > index;
}

const struct run *live_run_covering(const struct queue *q, uint64_t index)
{
    size_t low = 0, high = q->runs.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (((struct run *)window_at(&q->runs, middle))->end.a > index)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == q->runs.n)
        return NULL;
    const struct run *run = window_at(&q->runs, low);
    return run->whole && run->begin.a <= index ? run : NULL;
}
