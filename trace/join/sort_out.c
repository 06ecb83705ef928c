/* Sorts the records of both traces into the lists of their queues, pairs the ends of service runs,
 * and brings the host's ring indices into the guest's numbering. */
#include <stdlib.h>

#include "../ctf/complain.h"
#include "join.h"

void list_add(struct list *list, struct event *event)
{
    if (list->n == list->room) {
        list->room = list->room ? 2 * list->room : 256;
        list->at = realloc(list->at, list->room * sizeof *list->at);
        if (!list->at)
            abort();
    }
    list->at[list->n++] = event;
}

size_t list_position(const struct list *list, const struct event *event)
{
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->at[middle] < event)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct event *list_first_beyond(const struct list *list, uint64_t index)
{
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->at[middle]->a > index)
            high = middle;
        else
            low = middle + 1;
    }
    return low < list->n ? list->at[low] : NULL;
}

struct event *list_covering(const struct list *list, uint64_t index)
{
    struct event *e = list_first_beyond(list, index);
    return e && e->a - e->b <= index ? e : NULL;
}

const struct run *run_covering(const struct queue *q, uint64_t index)
{
    size_t low = 0, high = q->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (q->runs[middle].end->a > index)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == q->run_count)
        return NULL;
    const struct run *run = &q->runs[low];
    return run->whole && run->begin->a <= index ? run : NULL;
}

static struct list *guest_list(struct queue *q, uint16_t id)
{
    switch (id) {
    case TRACE_EV_publish:
        return &q->publishes;
    case TRACE_EV_kick:
        return &q->kicks;
    case TRACE_EV_kick_suppressed:
        return &q->suppressed;
    case TRACE_EV_irq:
    case TRACE_EV_irq_spurious:
        return &q->irqs;
    case TRACE_EV_harvest:
        return &q->harvests;
    default:
        return NULL;
    }
}

static struct list *host_list(struct queue *q, uint16_t id)
{
    switch (id) {
    case TRACE_EV_host_kick:
        return &q->host_kicks;
    case TRACE_EV_run_begin:
    case TRACE_EV_run_end:
        return &q->run_events;
    case TRACE_EV_used:
        return &q->used;
    case TRACE_EV_call_read:
        return &q->call_reads;
    default:
        return NULL;
    }
}

/* Where the queue's last life in the slice begins: a driver that starts a queue anew begins its
 * indices anew, and the host then has a new kick eventfd, whose count starts over. */
static void find_epoch(const struct join *j, uint8_t vq, size_t *guest, size_t *host)
{
    const struct event *kick = NULL;
    int used_before = 0;
    *guest = *host = 0;
    for (size_t i = 0; i < j->guest.count; i++) {
        const struct event *e = &j->guest.events[i];
        if (e->vq != vq)
            continue;
        if (e->id == TRACE_EV_vq_start && used_before)
            *guest = i;
        used_before |= e->id != TRACE_EV_vq_start;
    }
    for (size_t i = 0; i < j->host.count; i++) {
        const struct event *e = &j->host.events[i];
        if (e->vq != vq || e->id != TRACE_EV_host_kick)
            continue;
        if (kick && e->seq < kick->seq)
            *host = i;
        kick = e;
    }
}

static void sort_queue(struct join *j, struct queue *q)
{
    size_t guest, host;
    find_epoch(j, q->vq, &guest, &host);
    if (guest)
        complain("%s: %s queue was started anew %.3f us into the cell: what came before is not "
                 "joined, cut the slice there to see it",
                 j->guest.dir, queue_name(q->vq),
                 join_guest_ns(j, j->guest.events[guest].time) / 1e3);
    for (size_t i = 0; i < j->guest.count; i++) {
        struct event *e = &j->guest.events[i];
        struct list *list = e->vq == q->vq ? guest_list(q, e->id) : NULL;
        if (list && i < guest)
            e->class = CLASS_earlier_epoch;
        else if (list)
            list_add(list, e);
    }
    for (size_t i = 0; i < j->host.count; i++) {
        struct event *e = &j->host.events[i];
        struct list *list = e->vq == q->vq ? host_list(q, e->id) : NULL;
        if (list && i < host) {
            e->class = CLASS_host_earlier_epoch;
        } else if (list) {
            list_add(list, e);
            if (e->id == TRACE_EV_used && e->flags & TRACE_F_SIGNALLED)
                list_add(&q->calls, e);
        }
    }
}

/* Pairs begin with the end that follows it. A run that lacks an end stands for what is known: its
 * missing end is the other one again, so it covers no index. */
static void pair_runs(struct join *j, struct queue *q)
{
    q->runs = calloc(q->run_events.n + 1, sizeof *q->runs);
    if (!q->runs)
        abort();
    for (size_t i = 0; i < q->run_events.n; i++) {
        struct event *e = q->run_events.at[i];
        struct event *next = i + 1 < q->run_events.n ? q->run_events.at[i + 1] : NULL;
        struct run *run = &q->runs[q->run_count++];
        *run = (struct run){ e, e, 0 };
        if (e->id == TRACE_EV_run_begin && next && next->id == TRACE_EV_run_end) {
            run->end = next;
            run->whole = !trace_lost_between(&j->host, e->time, next->time);
            i++;
        }
    }
}

/* The multiple of 65536 that brings `host` nearest to `guest`. */
static uint64_t nearest_lap(uint64_t guest, uint64_t host)
{
    uint64_t distance = guest - host + 32768;
    return distance & ~UINT64_C(0xffff);
}

static void shift_avail(struct queue *q, uint64_t shift)
{
    for (size_t i = 0; i < q->host_kicks.n; i++)
        q->host_kicks.at[i]->a += shift;
    for (size_t i = 0; i < q->run_events.n; i++)
        q->run_events.at[i]->a += shift;
}

static void shift_used(struct queue *q, uint64_t shift)
{
    for (size_t i = 0; i < q->run_events.n; i++)
        q->run_events.at[i]->b += shift;
    for (size_t i = 0; i < q->used.n; i++)
        q->used.at[i]->a += shift;
}

/* The earliest event of up to three lists, or NULL. */
static struct event *first_of(const struct list *a, const struct list *b, const struct list *c)
{
    const struct list *lists[] = { a, b, c };
    struct event *first = NULL;
    for (int i = 0; i < 3; i++)
        if (lists[i]->n && (!first || lists[i]->at[0]->time < first->time))
            first = lists[i]->at[0];
    return first;
}

/* Both slices begin at the same moment, so their first indices are less than half a lap apart.
 * The kicks check this afterwards: a kick's index cannot be below what the host had consumed. */
static void align_laps(struct queue *q)
{
    struct event *guest_avail = first_of(&q->publishes, &q->kicks, &q->suppressed);
    struct event *host_avail = first_of(&q->host_kicks, &q->run_events, &q->run_events);
    struct event *guest_used = first_of(&q->harvests, &q->irqs, &q->irqs);
    struct event *host_used = first_of(&q->used, &q->used, &q->used);
    if (guest_avail && host_avail)
        shift_avail(q, nearest_lap(guest_avail->a, host_avail->a));
    if (!host_used && q->run_events.n)
        host_used = q->run_events.at[0];
    if (!host_used)
        return;
    uint64_t used = host_used->id == TRACE_EV_used ? host_used->a : host_used->b;
    if (guest_used)
        shift_used(q, nearest_lap(guest_used->a, used));
    else if (q->run_events.n) /* what is used was available before, at most a ring earlier */
        shift_used(q, nearest_lap(q->run_events.at[0]->a, q->run_events.at[0]->b));
}

static void note_consumed(struct queue *q)
{
    const struct list *lists[] = { &q->host_kicks, &q->run_events };
    for (int l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l]->n; i++) {
            uint64_t a = lists[l]->at[i]->a;
            q->consumed = !q->consumed_known || (int64_t)(a - q->consumed) > 0 ? a : q->consumed;
            q->consumed_known = 1;
        }
}

void join_sort_out(struct join *j)
{
    for (uint8_t vq = 0; vq < JOIN_QUEUES; vq++) {
        struct queue *q = &j->queue[vq];
        q->vq = vq;
        sort_queue(j, q);
        align_laps(q);
        pair_runs(j, q);
        note_consumed(q);
    }
}
