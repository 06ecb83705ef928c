/* The reading that joins: both traces at once, in the order of the aligned clocks. */
#include <math.h>

#include "../ctf/complain.h"
#include "live.h"

#define SETTLE_EVERY 256 /* records: settling is cheapest for many at once */
#define LOSSES_MAX   256

static enum event_class plain_class(const struct event *e)
{
    switch (e->id) {
    case TRACE_EV_vq_start:
    case TRACE_EV_fault:
    case TRACE_EV_broken:
    case TRACE_EV_trigger:
        return CLASS_control;
    case TRACE_EV_nmi:
    case TRACE_EV_selftest:
        return CLASS_buffer_test;
    case TRACE_EV_irq_mask:
        return CLASS_irq_mask;
    case TRACE_EV_irq_arm:
        return CLASS_irq_arm;
    case TRACE_EV_arm_race:
        return CLASS_arm_race;
    case TRACE_EV_poll:
    case TRACE_EV_budget_out:
        return CLASS_poll;
    case TRACE_EV_tx_full:
    case TRACE_EV_refill_short:
    case TRACE_EV_drop:
        return CLASS_ring_trouble;
    case TRACE_EV_rescue:
        return CLASS_rescue;
    default: /* only records that would have been matched are the other queues' own class */
        return event_name(e->id)[0] != '?' && e->vq >= JOIN_QUEUES ? CLASS_other_queue
                                                                   : CLASS_guest_unknown;
    }
}

static void guest_record(struct join *j, const struct event *e, uint64_t number)
{
    struct queue *q = e->vq < JOIN_QUEUES ? &j->queue[e->vq] : NULL;
    if (!q || !event_is_listed(e->id) || e->id >= TRACE_EV_host_kick) {
        live_class(j, e, plain_class(e));
        return;
    }
    if (!event_in_life(q, number, 0)) {
        live_class(j, e, CLASS_earlier_epoch);
        return;
    }
    switch (e->id) {
    case TRACE_EV_publish:
        live_publish(j, q, e);
        break;
    case TRACE_EV_kick:
        live_kick(j, q, e);
        break;
    case TRACE_EV_kick_suppressed:
        live_suppressed(j, q, e);
        break;
    case TRACE_EV_harvest:
        live_harvest(q, e);
        break;
    default:
        live_irq(q, e);
    }
}

static enum event_class plain_host_class(const struct event *e)
{
    switch (e->id) {
    case TRACE_EV_mark:
        return CLASS_mark;
    case TRACE_EV_irq_inject:
        return CLASS_irq_inject;
    case TRACE_EV_notify_off:
    case TRACE_EV_notify_on:
        return CLASS_notify_switch;
    case TRACE_EV_weight_out:
        return CLASS_weight_out;
    case TRACE_EV_tap_send:
    case TRACE_EV_tap_recv:
        return CLASS_tap;
    case TRACE_EV_worker_on:
    case TRACE_EV_worker_off:
    case TRACE_EV_vcpu_on:
    case TRACE_EV_vcpu_off:
        return CLASS_scheduled;
    default: /* listed, but of another queue; or of the guest, or of a later tree */
        return event_is_listed(e->id) && e->id >= TRACE_EV_host_kick ? CLASS_host_other_queue
                                                                     : CLASS_host_unknown;
    }
}

static void host_record(struct join *j, struct event *e, uint64_t number)
{
    struct queue *q = e->vq < JOIN_QUEUES ? &j->queue[e->vq] : NULL;
    if (!q || !event_is_listed(e->id) || e->id < TRACE_EV_host_kick) {
        live_class(j, e, plain_host_class(e));
        return;
    }
    if (!event_in_life(q, number, 1)) {
        live_class(j, e, CLASS_host_earlier_epoch);
        return;
    }
    event_shift(q, e);
    switch (e->id) {
    case TRACE_EV_host_kick:
        live_host_kick(j, q, e);
        break;
    case TRACE_EV_run_begin:
    case TRACE_EV_run_end:
        live_run(j, q, e);
        break;
    case TRACE_EV_used:
        live_used(j, q, e);
        break;
    default:
        live_read(j, q, e);
    }
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0 ? a : b;
}

/* The lowest ring index that something still asks the host's windows for. */
static uint64_t index_needed(const struct queue *q)
{
    uint64_t index = UINT64_MAX / 4 + q->avail_seen;
    if (q->chains.n)
        index = lower(index, ((struct chain *)window_at(&q->chains, 0))->index);
    if (q->suppressed.n)
        index = lower(index, event_at(&q->suppressed, 0)->a - 1);
    if (q->host_kicks.n) /* its guest kick, not read yet, announced nothing below */
        index = lower(index, event_at(&q->host_kicks, 0)->a);
    return index;
}

static int used_is_open(const struct queue *q, uint64_t needed)
{
    const struct used *u = window_at(&q->used, 0);
    return (int64_t)(u->event.a - needed) > 0 || q->used.first >= q->used_settled ||
           (u->event.flags & TRACE_F_SIGNALLED && !u->read_settled);
}

static void forget(struct queue *q)
{
    /* The doorbell for the last index published may be told of by the guest's next record. */
    uint64_t needed = index_needed(q), avail = lower(needed, q->avail_seen - 1), used = needed;
    if (q->harvest_known) /* what the guest has not harvested so far, as far as it is read */
        used = lower(used, q->harvests.n ? event_last(&q->harvests)->a : q->harvested);
    if (q->open_irqs.n) /* it may be for a call that is harvested already */
        used = lower(used, q->claimed);
    if (q->open_harvests.n)
        used = lower(used, event_at(&q->open_harvests, 0)->a - 1);
    while (q->runs.n > LIVE_WINDOW ||
           (q->runs.n > 1 && (int64_t)(((struct run *)window_at(&q->runs, 0))->end.a - avail) <= 0))
        window_drop(&q->runs, 1);
    while (q->used.n > LIVE_WINDOW || (q->used.n > 1 && !used_is_open(q, used)))
        window_drop(&q->used, 1);
    while (q->irqs.n > LIVE_WINDOW ||
           (q->irqs.n && (int64_t)(event_at(&q->irqs, 0)->a - q->settled_index) <= 0))
        window_drop(&q->irqs, 1);
    while (q->harvests.n > LIVE_WINDOW ||
           (q->harvests.n > 1 &&
            (int64_t)(event_at(&q->harvests, 0)->a - lower(needed, q->settled_index)) <= 0))
        window_drop(&q->harvests, 1);
}

static void settle(struct join *j)
{
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        struct queue *q = &j->queue[vq];
        live_pair(j, q);
        live_settle_suppressed(j, q);
        live_settle_calls(j, q);
        live_settle_reads(j, q);
        live_settle_irqs(j, q);
        live_settle_harvests(j, q);
        live_settle_chains(j, q);
        forget(q);
    }
    live_hand_on(j);
}

/* Too many losses to keep: the oldest become one, which says "maybe" for more than it must. */
static void bound_losses(struct reader *r)
{
    while (r->losses.n > LOSSES_MAX) {
        struct loss *first = window_at(&r->losses, 0), *second = first + 1;
        second->from = first->from < second->from ? first->from : second->from;
        second->to = first->to > second->to ? first->to : second->to;
        second->count += first->count;
        window_drop(&r->losses, 1);
    }
}

/* When a side's next record comes on the common axis. */
static double guest_next(const struct join *j)
{
    const struct reader *r = &j->guest.reader;
    struct event e = { .cpu = r->current ? r->current->cpu : 0 };
    return r->current ? join_guest_ns(j, &e, reader_when(r)) : INFINITY;
}

static double host_next(const struct join *j)
{
    const struct reader *r = &j->host.reader;
    return r->current ? join_host_ns(j, reader_when(r)) : INFINITY;
}

void join_live(struct join *j)
{
    struct reader *g = &j->guest.reader, *h = &j->host.reader;
    struct event e;
    reader_rewind(g, 1);
    reader_rewind(h, 1);
    double guest = guest_next(j), host = host_next(j);
    while (g->current || h->current) {
        if (g->current && (guest <= host || !h->current)) {
            reader_next(g, &e);
            guest_record(j, &e, g->records - 1);
            guest = guest_next(j);
        } else {
            reader_next(h, &e);
            host_record(j, &e, h->records - 1);
            host = host_next(j);
        }
        if ((g->records + h->records) % SETTLE_EVERY == 0) {
            bound_losses(g);
            bound_losses(h);
            settle(j);
        }
    }
    j->guest_over = j->host_over = 1;
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        live_run_over(j, &j->queue[vq]);
        stall_deaf(j, &j->queue[vq]);
    }
    settle(j);
    if (j->unmatched > COMPLAINTS)
        complain("and %llu more kicks without the other side",
                 (unsigned long long)(j->unmatched - COMPLAINTS));
}
