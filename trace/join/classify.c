/* Gives every record its class, exactly one each. */
#include <inttypes.h>
#include <stdlib.h>

#include "../ctf/complain.h"
#include "join.h"

/* A buffer that waited less than this when the slice ended may still have been on its way. */
#define STALL_NS        10e6
#define COMPLAINT_LIMIT 20

const char *queue_name(unsigned vq)
{
    return vq == TRACE_VQ_TX ? "tx" : vq == TRACE_VQ_RX ? "rx" : "?";
}

const char *class_name(enum event_class class)
{
    static const char *const names[] = {
        "none",
#define CLASS(side, name, text) #name,
#include "classes.def"
    };
    return class < CLASS_COUNT ? names[class] : "?";
}

const char *class_text(enum event_class class)
{
    static const char *const texts[] = {
        "not classified",
#define CLASS(side, name, text) text,
#include "classes.def"
    };
    return class < CLASS_COUNT ? texts[class] : "?";
}

enum trace_side class_side(enum event_class class)
{
    enum { guest = TRACE_SIDE_GUEST, host = TRACE_SIDE_HOST };
    static const unsigned char sides[] = {
        guest,
#define CLASS(side, name, text) side,
#include "classes.def"
    };
    return sides[class];
}

static void classify_runs(struct queue *q)
{
    for (size_t i = 0; i < q->run_count; i++) {
        const struct run *run = &q->runs[i];
        const struct event *begin = run->begin;
        int new_kick = !i || begin->seq != q->runs[i - 1].begin->seq;
        enum event_class class = CLASS_run_half;
        if (run->begin != run->end)
            class = begin->flags & TRACE_F_CAUSE_NET                ? CLASS_run_net
                    : begin->flags & TRACE_F_CAUSE_KICK && new_kick ? CLASS_run_kick
                                                                    : CLASS_run_other;
        run->begin->class = run->end->class = (uint8_t) class;
    }
}

/* Time of the last guest record that was surely written before a call's entries were stored: the
 * call is stamped when it returns, so only the used record before it bounds the store. */
static uint64_t guest_time_before(const struct join *j, const struct queue *q,
                                  const struct event *call)
{
    size_t position = list_position(&q->used, call), low = 0, high = j->guest.count;
    if (!position || !high)
        return 0;
    double at = join_host_ns(j, q->used.at[position - 1]->time) -
                clock_bound_ns(&j->clock, j->guest.events[0].time) -
                clock_bound_ns(&j->clock, j->guest.events[high - 1].time);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (join_guest_ns(j, j->guest.events[middle].time) < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? j->guest.events[low - 1].time : 0;
}

/* Whether a guest record that answers a call may be missing: one before `answer`, or any after the
 * call if there is no answer. */
static int answer_lost(const struct join *j, const struct queue *q, const struct event *call,
                       const struct event *answer)
{
    if (!j->guest.lost)
        return 0;
    if (!j->clock.valid)
        return 1;
    return trace_lost_between(&j->guest, guest_time_before(j, q, call),
                              answer ? answer->time : UINT64_MAX);
}

/* First interrupt whose handler saw this used index: calls up to there are its. */
static size_t irq_seeing(const struct queue *q, uint64_t used_idx)
{
    size_t low = 0, high = q->irqs.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (q->irqs.at[middle]->a >= used_idx)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void classify_calls(const struct join *j, struct queue *q)
{
    q->irq_of = calloc(q->calls.n + 1, sizeof *q->irq_of);
    if (!q->irq_of)
        abort();
    const struct event *taken = NULL;
    for (size_t i = 0; i < q->calls.n; i++) {
        struct event *call = q->calls.at[i];
        size_t k = irq_seeing(q, call->a);
        struct event *irq = k < q->irqs.n ? q->irqs.at[k] : NULL;
        const struct event *harvest = list_first_beyond(&q->harvests, call->a - 1);
        const struct event *answer = harvest && (!irq || harvest->time < irq->time) ? harvest : irq;
        if (answer_lost(j, q, call, answer)) {
            call->class = CLASS_used_unknown;
        } else if (!answer) {
            call->class = CLASS_used_open;
        } else if (answer == harvest) {
            call->class = CLASS_used_absorbed;
        } else {
            call->class = irq == taken ? CLASS_used_merged : CLASS_used_irq;
            q->irq_of[i] = irq;
            taken = irq;
        }
    }
}

/* Class of a host record that needs no other record to tell. */
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
    default:
        if (e->id < TRACE_EV_host_kick || e->id > TRACE_EV_mark)
            return CLASS_host_unknown;
        return e->vq >= JOIN_QUEUES ? CLASS_host_other_queue : CLASS_none;
    }
}

void join_classify_host(struct join *j)
{
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        struct queue *q = &j->queue[vq];
        classify_runs(q);
        for (size_t i = 0; i < q->used.n; i++)
            q->used.at[i]->class = CLASS_used_suppressed;
        classify_calls(j, q);
        join_bind_call_reads(j, q);
        for (size_t i = 0; i < q->call_reads.n; i++)
            q->call_reads.at[i]->class = CLASS_call_read;
    }
    for (size_t i = 0; i < j->host.count; i++) {
        struct event *e = &j->host.events[i];
        if (!e->class)
            e->class = (uint8_t)plain_host_class(e);
    }
}

/* What became of buffers up to avail index `a`, put on the ring at guest time `tsc`. */
enum fate { FATE_consumed, FATE_posted, FATE_stall, FATE_open, FATE_unknown };

static enum fate fate_of(const struct join *j, const struct queue *q, uint64_t a, uint64_t tsc)
{
    if (q->consumed_known && (int64_t)(q->consumed - a) >= 0)
        return FATE_consumed;
    if (j->host.lost || !j->host.count)
        return FATE_unknown;
    if (q->vq == TRACE_VQ_RX)
        return FATE_posted;
    if (!j->clock.valid || !q->consumed_known)
        return FATE_unknown;
    double end = join_host_ns(j, j->host.events[j->host.count - 1].time);
    return end - join_guest_ns(j, tsc) > STALL_NS ? FATE_stall : FATE_open;
}

/* One stretch of the ring counts once, however many records tell of it. */
static void report_stall(struct join *j, const struct event *e)
{
    if (j->stalls++ < COMPLAINT_LIMIT)
        complain("%s: STALL candidate: tx buffer with avail index %" PRIu64
                 ", published %.3f us into "
                 "the cell, was never picked up (%s)",
                 j->guest.dir, e->a, join_guest_ns(j, e->time) / 1e3, event_name(e->id));
}

static void classify_published(struct join *j, struct queue *q)
{
    static const unsigned char publish[] = { CLASS_publish_consumed, CLASS_publish_posted,
                                             CLASS_publish_stall, CLASS_publish_open,
                                             CLASS_publish_unknown };
    static const unsigned char suppressed[] = { CLASS_suppressed_consumed, CLASS_suppressed_posted,
                                                CLASS_suppressed_stall, CLASS_suppressed_open,
                                                CLASS_suppressed_unknown };
    const struct list *told = q->publishes.n ? &q->publishes : &q->suppressed;
    for (size_t i = 0; i < q->publishes.n; i++) {
        struct event *e = q->publishes.at[i];
        e->class = publish[fate_of(j, q, e->a, e->time)];
    }
    for (size_t i = 0; i < q->suppressed.n; i++) {
        struct event *e = q->suppressed.at[i];
        e->class = run_covering(q, e->a - 1) ? CLASS_suppressed_served
                                             : suppressed[fate_of(j, q, e->a, e->time)];
    }
    int stalled = 0;
    for (size_t i = 0; i < told->n; i++) {
        int now = fate_of(j, q, told->at[i]->a, told->at[i]->time) == FATE_stall;
        if (now && !stalled)
            report_stall(j, told->at[i]);
        stalled = now;
    }
}

static void classify_irqs(const struct join *j, struct queue *q)
{
    size_t c = 0;
    uint64_t before = 0;
    for (size_t i = 0; i < q->irqs.n; i++) {
        struct event *irq = q->irqs.at[i];
        size_t first = c;
        while (c < q->calls.n && (int64_t)(irq->a - q->calls.at[c]->a) >= 0)
            c++;
        int lost = trace_lost_between(&j->guest, before, irq->time) || j->host.lost;
        before = irq->time;
        if (irq->id == TRACE_EV_irq_spurious)
            irq->class = CLASS_irq_spurious;
        else if (c > first)
            irq->class = CLASS_irq_with_calls;
        else
            irq->class = lost ? CLASS_irq_unknown : CLASS_irq_without_call;
    }
}

static enum event_class plain_class(uint16_t id)
{
    switch (id) {
    case TRACE_EV_vq_start:
    case TRACE_EV_fault:
    case TRACE_EV_broken:
        return CLASS_control;
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
    default:
        return CLASS_guest_unknown;
    }
}

void join_classify_guest(struct join *j)
{
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        struct queue *q = &j->queue[vq];
        classify_published(j, q);
        classify_irqs(j, q);
        for (size_t i = 0; i < q->harvests.n; i++) {
            struct event *e = q->harvests.at[i];
            e->class =
                list_covering(&q->used, e->a - 1) ? CLASS_harvest_covered : CLASS_harvest_unknown;
        }
    }
    for (size_t i = 0; i < j->guest.count; i++) {
        struct event *e = &j->guest.events[i];
        if (e->class)
            continue;
        e->class = (uint8_t)plain_class(e->id);
        /* Only the records that the joiner would have matched are the other queues' own class. */
        if (e->class == CLASS_guest_unknown && event_name(e->id)[0] != '?' && e->vq >= JOIN_QUEUES)
            e->class = CLASS_other_queue;
    }
}

void join_count_classes(struct join *j)
{
    const struct trace *traces[] = { &j->guest, &j->host };
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < traces[side]->count; i++) {
            const struct event *e = &traces[side]->events[i];
            j->class_count[e->class][e->vq < JOIN_QUEUES ? e->vq : JOIN_QUEUES]++;
        }
}

uint64_t join_class_count(const struct join *j, enum event_class class, int vq)
{
    uint64_t n = 0;
    for (int i = 0; i <= JOIN_QUEUES; i++)
        n += vq < 0 || i == vq ? j->class_count[class][i] : 0;
    return n;
}
