/* Divides the calls among QEMU's reads of the call eventfd.
 *
 * A read takes all calls made since the one before and returns their number, so while no record is
 * lost the reads divide the calls in order. After a loss it is not known whose turn it is, until a
 * read whose number is that of the calls that were surely made between it and the read before.
 */
#include <stdlib.h>

#include "join.h"

/* A call is stamped when it returns, so it was surely made after the used record before it. */
static uint64_t made_after(const struct queue *q, const struct event *call)
{
    size_t position = list_position(&q->used, call);
    return position ? q->used.at[position - 1]->time : 0;
}

/* Calls [first, first + count) are the read's by their order; times can only deny it. */
static int in_order(const struct queue *q, const struct event *read, size_t first)
{
    size_t past = first + read->a;
    if (read->a > q->calls.n || past > q->calls.n)
        return 0;
    if (read->a && made_after(q, q->calls.at[past - 1]) > read->time)
        return 0;
    return past == q->calls.n || q->calls.at[past]->time > read->time;
}

/* The calls that were surely made between two reads; *first is set to the first of them. */
static size_t surely_between(const struct queue *q, uint64_t before, uint64_t after, size_t *first)
{
    size_t past = *first;
    while (*first < q->calls.n && made_after(q, q->calls.at[*first]) <= before)
        ++*first;
    past = *first;
    while (past < q->calls.n && q->calls.at[past]->time <= after)
        past++;
    return past - *first;
}

void join_bind_call_reads(const struct join *j, struct queue *q)
{
    q->read_of = calloc(q->calls.n + 1, sizeof *q->read_of);
    if (!q->read_of)
        abort();
    size_t next = 0;
    uint64_t before = 0;
    int in_step = 1;
    for (size_t i = 0; i < q->call_reads.n; i++) {
        struct event *read = q->call_reads.at[i];
        int lost = trace_lost_between(&j->host, before, read->time);
        in_step = in_step && !lost && in_order(q, read, next);
        if (!in_step && !lost)
            in_step = surely_between(q, before, read->time, &next) == read->a;
        for (size_t c = next; in_step && c < next + read->a; c++)
            q->read_of[c] = read;
        next += in_step ? read->a : 0;
        before = read->time;
    }
}
