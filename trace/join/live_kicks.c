/* Guest kicks and host kicks: one constant apart in their ordinals. */
#include <inttypes.h>

#include "../ctf/complain.h"
#include "live.h"

/* Whether a time lies inside a slice, or may do so for all that the clocks tell. Marks count: they
 * are where a host's slice begins and ends. */
static int inside(const struct join *j, const struct side *side, double ns, double bound)
{
    if (!j->clock.valid)
        return 1;
    int host = side == &j->host;
    double begin =
        host ? join_host_ns(j, side->first.time) : join_guest_ns(j, &side->first, side->first.time);
    double end =
        host ? join_host_ns(j, side->last.time) : join_guest_ns(j, &side->last, side->last.time);
    return ns > begin - bound && ns < end + bound;
}

/* A host slice that marks enclose lies wholly inside the guest's: see README.md. */
static int marked(const struct side *host)
{
    return host->records && host->first.id == TRACE_EV_mark && host->last.id == TRACE_EV_mark;
}

static void report_alone(struct join *j, const struct queue *q, const struct event *e, int guest)
{
    const struct side *other = guest ? &j->host : &j->guest;
    if (j->unmatched++ >= COMPLAINTS)
        return;
    double us = (guest ? join_guest_ns(j, e, e->time) : join_host_ns(j, e->time)) / 1e3;
    complain("%s: no %s for %s kick %u of the %s (avail index %" PRIu64 ", %.3f us into the cell%s)"
             ": %s",
             other->reader.dir, guest ? "host kick" : "guest kick", queue_name(q->vq), e->seq,
             guest ? "guest" : "host", e->a, us,
             guest || j->clock.valid ? "" : " in the host's clock",
             other->lost ? "that side lost records" : "that side reports no loss");
}

static void guest_alone(struct join *j, struct queue *q, struct chain *c)
{
    struct event *e = &c->link[LINK_kick];
    e->class = CLASS_kick_outside;
    if (j->host.records && inside(j, &j->host, join_guest_ns(j, e, e->time), join_bound_ns(j, e))) {
        e->class = CLASS_kick_unmatched;
        report_alone(j, q, e, 1);
    }
    live_class(j, e, e->class);
}

static void host_alone(struct join *j, struct queue *q, const struct event *h)
{
    double bound = join_bound_ns(j, &j->guest.first);
    if (marked(&j->host) ||
        (j->guest.records && inside(j, &j->guest, join_host_ns(j, h->time), bound))) {
        live_class(j, h, CLASS_host_kick_unmatched);
        report_alone(j, q, h, 0);
    } else {
        live_class(j, h, CLASS_host_kick_outside);
    }
}

void live_kick(struct join *j, struct queue *q, const struct event *e)
{
    q->chains.size = sizeof(struct chain);
    struct chain *c = window_add(&q->chains);
    c->number = j->chain_count++;
    c->index = e->a - 1;
    c->class = CHAIN_unknown;
    c->vq = q->vq;
    c->have = 1 << LINK_kick;
    c->link[LINK_kick] = *e;
    const struct event *publish = event_covering(&q->publishes, c->index);
    if (publish) {
        c->link[LINK_publish] = *publish;
        c->have |= 1 << LINK_publish;
    }
    while (q->publishes.n && (int64_t)(event_at(&q->publishes, 0)->a - e->a) < 0)
        window_drop(&q->publishes, 1);
    q->avail_seen = e->a;
    q->kicks++;
}

/* A wake-up that repeats a count brings no kick: its first record is the kick. */
void live_host_kick(struct join *j, struct queue *q, const struct event *e)
{
    if (q->host_seq_known && e->seq == q->host_seq)
        live_class(j, e, CLASS_host_kick_again);
    else
        event_add(&q->host_kicks, e);
    q->host_seq = e->seq;
    q->host_seq_known = 1;
}

static void pair(struct join *j, struct chain *c, const struct event *h)
{
    c->link[LINK_kick].class = CLASS_kick_matched;
    c->link[LINK_host_kick] = *h;
    c->have |= 1 << LINK_host_kick;
    live_class(j, &c->link[LINK_kick], CLASS_kick_matched);
    live_class(j, h, CLASS_host_kick_matched);
}

/* Which of the two next kicks is settled: < 0 the guest's, > 0 the host's, 0 both, as a pair. */
static int64_t next_is(const struct join *j, const struct queue *q, size_t guests, int *settled)
{
    const struct window *hosts = &q->host_kicks;
    *settled = 1;
    if (guests && hosts->n && q->matched) {
        const struct chain *c = window_at(&q->chains, q->chains_paired);
        return (int64_t)c->link[LINK_kick].seq + q->kick_base - (int64_t)event_at(hosts, 0)->seq;
    }
    if (guests && (!q->matched || j->host_over || guests > LIVE_WINDOW))
        return -1;
    if (hosts->n && (!q->matched || j->guest_over || hosts->n > LIVE_WINDOW))
        return 1;
    *settled = 0;
    return 0;
}

void live_pair(struct join *j, struct queue *q)
{
    for (;;) {
        int settled;
        int64_t next = next_is(j, q, q->chains.n - q->chains_paired, &settled);
        if (!settled)
            return;
        struct chain *c = next <= 0 ? window_at(&q->chains, q->chains_paired) : NULL;
        if (next == 0)
            pair(j, c, event_at(&q->host_kicks, 0));
        else if (next < 0)
            guest_alone(j, q, c);
        else
            host_alone(j, q, event_at(&q->host_kicks, 0));
        q->chains_paired += next <= 0;
        if (next >= 0)
            window_drop(&q->host_kicks, 1);
    }
}
