/* Matches guest kicks with host kicks by ordinal and fits the clocks.
 *
 * vhost never reads a kick eventfd, so its count is the guest's kick ordinal plus one constant per
 * queue and boot. The constant is found among candidates that the first kicks, the last kicks and
 * the ring indices propose: the right one contradicts no ring index, leaves the fewest kicks alone,
 * and lets a straight clock pass through every doorbell's window.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../ctf/complain.h"
#include "causal.h"
#include "join.h"

#define MAX_CANDIDATES  64
#define INDEX_SAMPLES   256 /* host kicks whose ring index proposes candidates */
#define CLOCK_SAMPLES   4000
#define COMPLAINT_LIMIT 20
#define FEW_KICKS       8 /* a pairing of fewer must agree with the clocks that are known */

/* How well one constant fits the kicks of a queue. */
struct fit {
    int64_t base;
    size_t matched, alone; /* kicks with and without the other side's record */
    size_t impossible;     /* pairs where the host had consumed more than was published */
    size_t exact;          /* pairs where the next service took exactly this kick's buffers */
    double misfit;         /* ns, see clock_misfit */
};

/* Service end that follows a host kick, for the index it had consumed by then; NULL if none. */
static const struct event *next_run_end(const struct queue *q, uint64_t time)
{
    size_t low = 0, high = q->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (q->runs[middle].end->time > time)
            high = middle;
        else
            low = middle + 1;
    }
    while (low < q->run_count && !q->runs[low].whole)
        low++;
    return low < q->run_count ? q->runs[low].end : NULL;
}

/* Walks the pairs that a constant makes, in order. Zero it to begin. */
struct pairing {
    size_t g, h;
};

static int next_pair(const struct queue *q, int64_t base, struct pairing *at, struct event **guest,
                     struct event **host)
{
    while (at->g < q->kicks.n && at->h < q->host_kicks.n) {
        struct event *g = q->kicks.at[at->g], *h = q->host_kicks.at[at->h];
        int64_t ahead = (int64_t)g->seq + base - (int64_t)h->seq;
        if (ahead <= 0)
            at->g++;
        if (ahead >= 0)
            at->h++;
        /* A wake-up that repeats a count brings no kick: its first record is the kick. */
        while (ahead >= 0 && at->h < q->host_kicks.n && q->host_kicks.at[at->h]->seq == h->seq)
            at->h++;
        if (ahead == 0) {
            *guest = g;
            *host = h;
            return 1;
        }
    }
    return 0;
}

static size_t distinct_host_kicks(const struct queue *q)
{
    size_t n = 0;
    for (size_t i = 0; i < q->host_kicks.n; i++)
        n += !i || q->host_kicks.at[i]->seq != q->host_kicks.at[i - 1]->seq;
    return n;
}

static void judge(const struct join *j, const struct queue *q, const struct bound_points *known,
                  struct fit *fit)
{
    struct bound_points points = { 0 };
    struct pairing at = { 0 };
    struct event *g, *h;
    size_t stride = q->kicks.n / CLOCK_SAMPLES + 1;
    for (size_t i = 0; i < known->n; i++)
        bound_add(&points, known->at[i].tsc, known->at[i].host, known->at[i].below, 0);
    fit->matched = fit->exact = fit->impossible = 0;
    while (next_pair(q, fit->base, &at, &g, &h)) {
        const struct event *end = next_run_end(q, h->time);
        int64_t ahead = (int64_t)(g->a - h->a);
        fit->impossible += (uint16_t)ahead > 32768;
        fit->exact += ahead > 0 && end && g->a <= end->a;
        if (fit->matched++ % stride)
            continue;
        bound_add(&points, g->b, h->time, 0, 0);
        bound_add(&points, g->time, h->time, 1, 0);
    }
    fit->alone = q->kicks.n + distinct_host_kicks(q) - 2 * fit->matched;
    fit->misfit = clock_misfit(&points, (double)j->guest.hz);
    free(points.at);
}

/* Better first: no contradiction, then clocks that fit, then indices that agree, then fewest left
 * over. Returns < 0 if a is better, 0 if nothing tells them apart. */
static int compare(const struct fit *a, const struct fit *b)
{
    if (a->impossible != b->impossible)
        return a->impossible < b->impossible ? -1 : 1;
    if (!a->misfit != !b->misfit)
        return !a->misfit ? -1 : 1;
    if (a->exact != b->exact)
        return a->exact > b->exact ? -1 : 1;
    if (a->alone != b->alone)
        return a->alone < b->alone ? -1 : 1;
    if (a->misfit != b->misfit)
        return a->misfit < b->misfit ? -1 : 1;
    return 0;
}

struct candidates {
    int64_t base[MAX_CANDIDATES];
    size_t n;
};

static void propose(struct candidates *c, int64_t base)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->base[i] == base)
            return;
    if (c->n < MAX_CANDIDATES)
        c->base[c->n++] = base;
}

/* Guest kicks that the service after this host kick may have taken the buffers of. */
static void propose_by_index(const struct queue *q, const struct event *h, struct candidates *c)
{
    const struct event *end = next_run_end(q, h->time);
    const struct event *g = list_first_beyond(&q->kicks, h->a);
    if (!end || !g)
        return;
    for (size_t i = 0; i < q->kicks.n && i < 4; i++) {
        propose(c, (int64_t)h->seq - (int64_t)g->seq);
        g = list_first_beyond(&q->kicks, g->a);
        if (!g || g->a > end->a)
            return;
    }
}

static void propose_all(const struct queue *q, struct candidates *c)
{
    const struct list *g = &q->kicks, *h = &q->host_kicks;
    int64_t first = (int64_t)h->at[0]->seq - (int64_t)g->at[0]->seq;
    int64_t last = (int64_t)h->at[h->n - 1]->seq - (int64_t)g->at[g->n - 1]->seq;
    propose(c, first);
    propose(c, last);
    for (int64_t near = -3; near <= 3; near++) {
        propose(c, first + near);
        propose(c, last + near);
    }
    size_t stride = h->n / INDEX_SAMPLES + 1;
    for (size_t i = 0; i < h->n; i += stride)
        propose_by_index(q, h->at[i], c);
}

/* Finds the constant of one queue. known: bounds on the clocks that hold whatever it is. */
static void match_queue(struct join *j, struct queue *q, const struct bound_points *known)
{
    struct candidates c = { 0 };
    struct fit best = { 0 }, second = { 0 };
    struct bound_points thin = { 0 };
    if (!q->kicks.n || !q->host_kicks.n)
        return;
    propose_all(q, &c);
    bounds_thin(&thin, known, (double)j->guest.hz);
    for (size_t i = 0; i < c.n; i++) {
        struct fit fit = { .base = c.base[i] };
        judge(j, q, &thin, &fit);
        if (!i || compare(&fit, &best) < 0) {
            second = best;
            best = fit;
        } else if (i == 1 || compare(&fit, &second) < 0) {
            second = fit;
        }
    }
    free(thin.at);
    if (!best.matched)
        return;
    if (best.misfit > clock_misfit(known, (double)j->guest.hz) + 1 && best.matched < FEW_KICKS) {
        complain("%s queue: no pairing of its %zu guest and %zu host kicks agrees with the clocks",
                 queue_name(q->vq), q->kicks.n, q->host_kicks.n);
        j->doubts++;
        return;
    }
    /* With losses the fewest left over proves nothing: the right pairing may leave more. */
    if (j->guest.lost + j->host.lost)
        second.alone = best.alone;
    if (c.n > 1 && second.matched && !compare(&best, &second)) {
        complain("%s queue: kicks fit the host's with offset %" PRId64 " and %" PRId64
                 " alike, so none is matched: trace from the start of the boot, or lose less",
                 queue_name(q->vq), best.base, second.base);
        j->doubts++;
        return;
    }
    q->matched = 1;
    q->kick_base = best.base;
}

static void bind_pairs(struct join *j, struct queue *q, struct bound_points *points)
{
    struct pairing at = { 0 };
    struct event *g, *h;
    q->host_kick_of = calloc(q->kicks.n + 1, sizeof *q->host_kick_of);
    if (!q->host_kick_of)
        abort();
    while (q->matched && next_pair(q, q->kick_base, &at, &g, &h)) {
        q->host_kick_of[at.g - 1] = h;
        g->class = CLASS_kick_matched;
        h->class = CLASS_host_kick_matched;
        bound_add(points, g->b, h->time, 0, (uint32_t)(g - j->guest.events));
        bound_add(points, g->time, h->time, 1, (uint32_t)(g - j->guest.events));
    }
}

static void name_suspects(const struct join *j)
{
    for (size_t i = 0; i < j->clock.suspect_count; i++) {
        const struct event *e = &j->guest.events[j->clock.suspects[i]];
        complain("%s: %s %u of queue %u at TSC %" PRIu64 " contradicts every straight clock and "
                 "was left out of it: a damaged record, or a wrong match",
                 j->guest.dir, event_name(e->id), e->seq, e->vq, e->time);
    }
    if (j->clock.widened > 0)
        complain("%s: no straight line relates the clocks: every bound was widened by %.3f us",
                 j->guest.dir, j->clock.widened / 1e3);
}

/* Whether a time lies inside a slice, or may do so for all that the clocks tell. Marks count: they
 * are where a host's slice begins and ends. */
static int inside(const struct join *j, const struct trace *t, double ns, double bound)
{
    const struct event *first = &t->events[0], *last = &t->events[t->count - 1];
    if (!j->clock.valid)
        return 1;
    int host = t->side == TRACE_SIDE_HOST;
    double begin = host ? join_host_ns(j, first->time) : join_guest_ns(j, first->time);
    double end = host ? join_host_ns(j, last->time) : join_guest_ns(j, last->time);
    return ns > begin - bound && ns < end + bound;
}

/* A host slice that marks enclose lies wholly inside the guest's: see README.md. */
static int marked(const struct trace *host)
{
    return host->count && host->events[0].id == TRACE_EV_mark &&
           host->events[host->count - 1].id == TRACE_EV_mark;
}

static void report_alone(struct join *j, struct queue *q, const struct event *e, int guest)
{
    const struct trace *other = guest ? &j->host : &j->guest;
    if (j->unmatched++ >= COMPLAINT_LIMIT)
        return;
    double us = (guest ? join_guest_ns(j, e->time) : join_host_ns(j, e->time)) / 1e3;
    complain("%s: no %s for %s kick %u of the %s (avail index %" PRIu64 ", %.3f us into the cell%s)"
             ": %s",
             other->dir, guest ? "host kick" : "guest kick", queue_name(q->vq), e->seq,
             guest ? "guest" : "host", e->a, us,
             guest || j->clock.valid ? "" : " in the host's clock",
             other->lost ? "that side lost records" : "that side reports no loss");
}

static void classify_kicks(struct join *j, struct queue *q)
{
    for (size_t i = 0; i < q->kicks.n; i++) {
        struct event *g = q->kicks.at[i];
        double bound = j->clock.valid ? clock_bound_ns(&j->clock, g->time) : 0;
        if (g->class)
            continue;
        if (j->host.count && inside(j, &j->host, join_guest_ns(j, g->time), bound)) {
            g->class = CLASS_kick_unmatched;
            report_alone(j, q, g, 1);
        } else {
            g->class = CLASS_kick_outside;
        }
    }
    for (size_t i = 0; i < q->host_kicks.n; i++) {
        struct event *h = q->host_kicks.at[i];
        double bound = j->clock.valid ? clock_bound_ns(&j->clock, j->clock.tsc0) : 0;
        if (h->class)
            continue;
        if (i && h->seq == q->host_kicks.at[i - 1]->seq) {
            h->class = CLASS_host_kick_again;
        } else if (marked(&j->host) ||
                   (j->guest.count && inside(j, &j->guest, join_host_ns(j, h->time), bound))) {
            h->class = CLASS_host_kick_unmatched;
            report_alone(j, q, h, 0);
        } else {
            h->class = CLASS_host_kick_outside;
        }
    }
}

void join_match_kicks(struct join *j)
{
    struct bound_points known = { 0 };
    for (int vq = 0; vq < JOIN_QUEUES; vq++)
        causal_bounds(j, &j->queue[vq], &known);
    struct queue *busy = &j->queue[TRACE_VQ_TX], *other = &j->queue[TRACE_VQ_RX];
    if (other->kicks.n > busy->kicks.n) {
        busy = &j->queue[TRACE_VQ_RX];
        other = &j->queue[TRACE_VQ_TX];
    }
    size_t before = known.n;
    match_queue(j, busy, &known);
    bind_pairs(j, busy, &known);
    match_queue(j, other, &known);
    bind_pairs(j, other, &known);
    clock_fit(&j->clock, &known, (double)j->guest.hz, (known.n - before) / 2);
    free(known.at);
    name_suspects(j);
    for (int vq = 0; vq < JOIN_QUEUES; vq++)
        classify_kicks(j, &j->queue[vq]);
    if (j->unmatched > COMPLAINT_LIMIT)
        complain("and %" PRIu64 " more kicks without the other side",
                 j->unmatched - COMPLAINT_LIMIT);
}
