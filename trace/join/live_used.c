/* The used side: entries that the host published, its calls, and what the guest made of them. */
#include "live.h"

static struct used *used_at(const struct queue *q, size_t i)
{
    return window_at(&q->used, i);
}

static size_t used_beyond(const struct queue *q, uint64_t index)
{
    size_t low = 0, high = q->used.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (used_at(q, middle)->event.a > index)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int live_used_reached(const struct queue *q, uint64_t index)
{
    return q->used.n && used_at(q, q->used.n - 1)->event.a > index;
}

struct used *live_used_covering(const struct queue *q, uint64_t index)
{
    size_t i = used_beyond(q, index);
    struct used *u = i < q->used.n ? used_at(q, i) : NULL;
    return u && u->event.a - u->event.b <= index ? u : NULL;
}

void live_used(struct join *j, struct queue *q, const struct event *e)
{
    int signalled = e->flags & TRACE_F_SIGNALLED;
    q->used.size = sizeof(struct used);
    struct used *u = window_add(&q->used);
    *u = (struct used){ .event = *e, .before = q->used_time };
    if (signalled) {
        q->calls_made++;
        u->read_settled = !q->calls_are_read;
        if (q->calls_are_read) {
            q->calls.size = sizeof(struct call);
            *(struct call *)window_add(&q->calls) =
                (struct call){ e->time, q->used_time, window_end(&q->used) - 1 };
        }
    } else {
        u->event.class = CLASS_used_suppressed;
        live_class(j, e, CLASS_used_suppressed);
    }
    q->used_time = e->time;
}

/* TSC of a moment before the call's entries were stored: the call is stamped when it returns, so
 * only the used record before it bounds the store. */
static uint64_t stored_after(const struct join *j, const struct used *u)
{
    if (!u->before)
        return 0;
    double bound = clock_bound_most_ns(&j->clock, j->guest.first.time, j->guest.last.time);
    return clock_tsc(&j->clock, (double)(int64_t)(u->before - j->clock.host0) - bound - 1000);
}

/* Whether a guest record that answers a call may be missing: one before `answer`, or any after the
 * call if there is no answer. */
static int answer_lost(const struct join *j, const struct used *u, const struct event *answer)
{
    if (!j->guest.lost)
        return 0;
    if (!j->clock.valid)
        return 1;
    return reader_lost_between(&j->guest.reader, stored_after(j, u),
                               answer ? answer->time : UINT64_MAX);
}

/* At the same TSC an interrupt that found nothing came after the harvest. */
static int harvested_first(const struct event *harvest, const struct event *irq)
{
    return harvest->time < irq->time ||
           (harvest->time == irq->time && irq->id == TRACE_EV_irq_spurious);
}

static void settle_call(struct join *j, struct queue *q, struct used *u, size_t irq_at,
                        const struct event *harvest)
{
    const struct event *irq = irq_at < q->irqs.n ? event_at(&q->irqs, irq_at) : NULL;
    const struct event *answer = harvest && (!irq || harvested_first(harvest, irq)) ? harvest : irq;
    enum event_class class = CLASS_used_absorbed;
    if (answer_lost(j, u, answer)) {
        class = CLASS_used_unknown;
    } else if (!answer) {
        class = CLASS_used_open;
    } else if (answer == irq) {
        uint64_t number = q->irqs.first + irq_at;
        class = q->irq_taken_any && number == q->irq_taken ? CLASS_used_merged : CLASS_used_irq;
        u->irq = *irq;
        q->irq_taken = number;
        q->irq_taken_any = 1;
    }
    u->event.class = (uint8_t) class;
    live_class(j, &u->event, class);
}

/* The first interrupt whose handler saw a call's used index, or the first harvest that reaches it,
 * answers the call: so it is settled when either has come. */
void live_settle_calls(struct join *j, struct queue *q)
{
    if (q->used_settled < q->used.first)
        q->used_settled = q->used.first;
    for (; q->used_settled < window_end(&q->used); q->used_settled++) {
        struct used *u = window_number(&q->used, q->used_settled);
        if (u->event.flags & TRACE_F_SIGNALLED) {
            size_t irq = event_beyond(&q->irqs, u->event.a - 1);
            size_t harvest = event_beyond(&q->harvests, u->event.a - 1);
            if (irq == q->irqs.n && harvest == q->harvests.n && !j->guest_over &&
                window_end(&q->used) - q->used_settled <= LIVE_WINDOW / 2)
                return;
            settle_call(j, q, u, irq,
                        harvest < q->harvests.n ? event_at(&q->harvests, harvest) : NULL);
        }
        q->settled_index = u->event.a;
    }
}

void live_irq(struct queue *q, const struct event *e)
{
    event_add(&q->irqs, e);
    event_add(&q->open_irqs, e);
    q->irq_count++;
}

/* Whether a call was made with a used index above what earlier interrupts accounted for. */
static int new_call(const struct queue *q, uint64_t seen)
{
    for (size_t i = used_beyond(q, q->claimed); i < q->used.n; i++) {
        const struct event *u = &used_at(q, i)->event;
        if ((int64_t)(u->a - seen) > 0)
            return 0;
        if (u->flags & TRACE_F_SIGNALLED)
            return 1;
    }
    return 0;
}

/* The handler saw entries that the host had stored, though its record of them may come later. */
void live_settle_irqs(struct join *j, struct queue *q)
{
    while (q->open_irqs.n) {
        const struct event *e = event_at(&q->open_irqs, 0);
        if (!live_used_reached(q, e->a - 1) && !j->host_over && q->open_irqs.n <= LIVE_WINDOW)
            return;
        enum event_class class = CLASS_irq_spurious;
        if (e->id != TRACE_EV_irq_spurious) {
            int lost =
                reader_lost_between(&j->guest.reader, q->irq_before, e->time) || j->host.lost;
            class = new_call(q, e->a) ? CLASS_irq_with_calls
                    : lost            ? CLASS_irq_unknown
                                      : CLASS_irq_without_call;
        }
        live_class(j, e, class);
        if (!q->irq_any || (int64_t)(e->a - q->claimed) > 0)
            q->claimed = e->a;
        q->irq_any = 1;
        q->irq_before = e->time;
        window_drop(&q->open_irqs, 1);
    }
}

void live_harvest(struct queue *q, const struct event *e)
{
    event_add(&q->harvests, e);
    event_add(&q->open_harvests, e);
}

void live_settle_harvests(struct join *j, struct queue *q)
{
    while (q->open_harvests.n) {
        const struct event *e = event_at(&q->open_harvests, 0);
        if (!live_used_reached(q, e->a - 1) && !j->host_over && q->open_harvests.n <= LIVE_WINDOW)
            return;
        live_class(j, e,
                   live_used_covering(q, e->a - 1) ? CLASS_harvest_covered : CLASS_harvest_unknown);
        window_drop(&q->open_harvests, 1);
    }
}
