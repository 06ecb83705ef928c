/* Divides the calls among QEMU's reads of the call eventfd.
 *
 * A read takes all calls made since the one before and returns their number, so while no record is
 * lost the reads divide the calls in order. After a loss it is not known whose turn it is, until a
 * read whose number is that of the calls that were surely made between it and the read before.
 */
#include "live.h"

static const struct call *call_at(const struct queue *q, uint64_t number)
{
    return window_number(&q->calls, number);
}

/* Calls [first, first + read->a) are the read's by their order; times can only deny it. */
static int in_order(const struct queue *q, const struct event *read, uint64_t first)
{
    uint64_t end = window_end(&q->calls), past = first + read->a;
    if (read->a > end || past > end || first < q->calls.first)
        return 0;
    if (read->a && call_at(q, past - 1)->made_after > read->time)
        return 0;
    return past == end || call_at(q, past)->time > read->time;
}

/* The calls that were surely made between two reads; *first is set to the first of them. */
static uint64_t surely_between(const struct queue *q, uint64_t before, uint64_t after,
                               uint64_t *first)
{
    uint64_t end = window_end(&q->calls);
    while (*first < end && call_at(q, *first)->made_after <= before)
        ++*first;
    uint64_t past = *first;
    while (past < end && call_at(q, past)->time <= after)
        past++;
    return past - *first;
}

/* All calls that the read can have taken are known once a call beyond them is. */
static int decidable(const struct join *j, const struct queue *q, const struct event *read)
{
    uint64_t end = window_end(&q->calls);
    if (j->host_over || q->calls.n > LIVE_WINDOW || q->reads.n > LIVE_WINDOW)
        return 1;
    return q->calls.n && read->a < end && q->reads_next + read->a < end &&
           call_at(q, end - 1)->time > read->time;
}

static void bind(struct queue *q, const struct event *read)
{
    for (uint64_t c = q->reads_next; c < q->reads_next + read->a; c++) {
        struct used *u = window_number(&q->used, call_at(q, c)->used);
        if (u)
            u->read = *read;
    }
    q->reads_next += read->a;
}

/* Calls before the next read's first get none any more. */
static void pass_over(struct queue *q, uint64_t until)
{
    while (q->calls.n && q->calls.first < until) {
        struct used *u = window_number(&q->used, ((struct call *)window_at(&q->calls, 0))->used);
        if (u)
            u->read_settled = 1;
        window_drop(&q->calls, 1);
    }
}

void live_read(struct join *j, struct queue *q, const struct event *e)
{
    event_add(&q->reads, e);
    live_class(j, e, CLASS_call_read);
}

void live_settle_reads(struct join *j, struct queue *q)
{
    const struct reader *host = &j->host.reader;
    while (q->reads.n && decidable(j, q, event_at(&q->reads, 0))) {
        const struct event *read = event_at(&q->reads, 0);
        int lost = reader_lost_between(host, q->read_before, read->time);
        if (q->reads_next < q->calls.first)
            q->reads_next = q->calls.first;
        q->out_of_step = q->out_of_step || lost || !in_order(q, read, q->reads_next);
        if (q->out_of_step && !lost)
            q->out_of_step =
                surely_between(q, q->read_before, read->time, &q->reads_next) != read->a;
        if (!q->out_of_step)
            bind(q, read);
        pass_over(q, q->reads_next);
        q->read_before = read->time;
        window_drop(&q->reads, 1);
    }
    if (q->calls.n > LIVE_WINDOW)
        pass_over(q, q->calls.first + 1);
    if (j->host_over && !q->reads.n)
        pass_over(q, window_end(&q->calls));
}
