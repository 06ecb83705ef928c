/* Finds which guest kick is which host kick, by ordinal.
 *
 * vhost never reads a kick eventfd, so its count is the guest's kick ordinal plus one constant per
 * queue and boot. The constant is found among candidates that the first kicks, the last kicks and
 * the ring indices propose: the right one contradicts no ring index, leaves the fewest kicks alone,
 * and lets a straight clock pass through every doorbell's window. It is sought among the first
 * kicks of a queue's life; that it holds for the later ones shows when they are paired and clocked.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../ctf/complain.h"
#include "causal.h"
#include "misfit.h"
#include "prefix.h"

#define MAX_CANDIDATES 64
#define INDEX_SAMPLES  256 /* host kicks whose ring index proposes candidates */
#define CLOCK_SAMPLES  4000
#define FEW_KICKS      8 /* a pairing of fewer must agree with the clocks that are known */

/* How well one constant fits the kicks of a queue. */
struct fit {
    int64_t base;
    size_t matched, alone; /* kicks with and without the other side's record */
    size_t impossible;     /* pairs where the host had consumed more than was published */
    size_t exact;          /* pairs where the next service took exactly this kick's buffers */
    double misfit;         /* ns, see clock_misfit */
};

/* Service end that follows a host kick, for the index it had consumed by then; NULL if none. The
 * cursor, 0 to begin, goes on from one host kick to the next. */
static const struct event *next_run_end(const struct prefix_queue *q, uint64_t time, size_t *cursor)
{
    const struct run *run = NULL;
    for (; *cursor < q->runs.n; ++*cursor) {
        run = window_at(&q->runs, *cursor);
        if (run->whole && run->end.time > time)
            return &run->end;
    }
    return NULL;
}

/* Walks the pairs that a constant makes, in order. Zero it to begin. */
struct pairing {
    size_t g, h;
};

static int next_pair(const struct prefix_queue *q, int64_t base, struct pairing *at,
                     struct event **guest, struct event **host)
{
    while (at->g < q->kicks.n && at->h < q->host_kicks.n) {
        struct event *g = event_at(&q->kicks, at->g), *h = event_at(&q->host_kicks, at->h);
        int64_t ahead = (int64_t)g->seq + base - (int64_t)h->seq;
        if (ahead <= 0)
            at->g++;
        if (ahead >= 0)
            at->h++;
        /* A wake-up that repeats a count brings no kick: its first record is the kick. */
        while (ahead >= 0 && at->h < q->host_kicks.n &&
               event_at(&q->host_kicks, at->h)->seq == h->seq)
            at->h++;
        if (ahead == 0) {
            *guest = g;
            *host = h;
            return 1;
        }
    }
    return 0;
}

static size_t distinct_host_kicks(const struct prefix_queue *q)
{
    size_t n = 0;
    for (size_t i = 0; i < q->host_kicks.n; i++)
        n += !i || event_at(&q->host_kicks, i)->seq != event_at(&q->host_kicks, i - 1)->seq;
    return n;
}

static void judge(const struct prefix_queue *q, const struct bounds *known, struct fit *fit)
{
    struct bounds points = bounds_thin(known);
    struct pairing at = { 0 };
    struct event *g, *h;
    size_t stride = q->kicks.n / CLOCK_SAMPLES + 1, run = 0;
    fit->matched = fit->exact = fit->impossible = 0;
    while (next_pair(q, fit->base, &at, &g, &h)) {
        const struct event *end = next_run_end(q, h->time, &run);
        int64_t ahead = (int64_t)(g->a - h->a);
        fit->impossible += (uint16_t)ahead > 32768;
        fit->exact += ahead > 0 && end && g->a <= end->a;
        if (fit->matched++ % stride)
            continue;
        bounds_add(&points, g->b, h->time, 0);
        bounds_add(&points, g->time, h->time, 1);
    }
    fit->alone = q->kicks.n + distinct_host_kicks(q) - 2 * fit->matched;
    fit->misfit = bounds_misfit(&points);
    bounds_free(&points);
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
static void propose_by_index(const struct prefix_queue *q, const struct event *h, size_t *run,
                             struct candidates *c)
{
    const struct event *end = next_run_end(q, h->time, run);
    size_t i = event_beyond(&q->kicks, h->a);
    for (int tries = 0; end && i < q->kicks.n && tries < 4; tries++) {
        const struct event *g = event_at(&q->kicks, i);
        propose(c, (int64_t)h->seq - (int64_t)g->seq);
        i = event_beyond(&q->kicks, g->a);
        if (i == q->kicks.n || event_at(&q->kicks, i)->a > end->a)
            return;
    }
}

static void propose_all(const struct prefix_queue *q, struct candidates *c)
{
    const struct window *g = &q->kicks, *h = &q->host_kicks;
    int64_t first = (int64_t)event_at(h, 0)->seq - (int64_t)event_at(g, 0)->seq;
    int64_t last = (int64_t)event_last(h)->seq - (int64_t)event_last(g)->seq;
    propose(c, first);
    propose(c, last);
    for (int64_t near = -3; near <= 3; near++) {
        propose(c, first + near);
        propose(c, last + near);
    }
    size_t stride = h->n / INDEX_SAMPLES + 1, run = 0;
    for (size_t i = 0; i < h->n; i += stride)
        propose_by_index(q, event_at(h, i), &run, c);
}

/* What bounds the clocks whatever is matched: over all CPUs, and on each by itself, in case their
 * TSCs differ. */
#define KNOWN_CPUS TRACE_MAX_CPUS
struct known {
    struct bounds all, cpu[KNOWN_CPUS];
};

static void known_add(struct known *known, const struct event *guest, uint64_t tsc, uint64_t host,
                      int below)
{
    bounds_add(&known->all, tsc, host, below);
    if (guest->cpu < KNOWN_CPUS)
        bounds_add(&known->cpu[guest->cpu], tsc, host, below);
}

static void doubt(struct join *j, const struct fit *a, const struct fit *b, uint8_t vq)
{
    complain("%s queue: kicks fit the host's with offset %" PRId64 " and %" PRId64
             " alike, so none is matched: trace from the start of the boot, or lose less",
             queue_name(vq), a->base, b->base);
    j->doubts++;
}

/* Finds the constant of one queue. known: bounds on the clocks that hold whatever it is. quiet: a
 * refusal is not said, for there is another try. */
static void match_queue(struct join *j, struct queue *queue, const struct prefix_queue *q,
                        struct bounds *known, int quiet)
{
    struct candidates c = { 0 };
    struct fit best = { 0 }, second = { 0 };
    if (!q->kicks.n || !q->host_kicks.n)
        return;
    propose_all(q, &c);
    struct bounds thin = bounds_thin(known);
    for (size_t i = 0; i < c.n; i++) {
        struct fit fit = { .base = c.base[i] };
        judge(q, &thin, &fit);
        if (!i || compare(&fit, &best) < 0) {
            second = best;
            best = fit;
        } else if (i == 1 || compare(&fit, &second) < 0) {
            second = fit;
        }
    }
    bounds_free(&thin);
    double misfit = bounds_misfit(known);
    if (!best.matched || (quiet && misfit > 0))
        return;
    /* Many kicks may disagree because the clocks bend; after a loss, also because they are others.
     */
    int few = best.matched < FEW_KICKS || quiet || j->guest.lost + j->host.lost;
    if (best.misfit > 2 * misfit + 1 && few) {
        if (quiet)
            return;
        complain("%s queue: no pairing of its %zu guest and %zu host kicks agrees with the clocks",
                 queue_name(queue->vq), q->kicks.n, q->host_kicks.n);
        j->doubts++;
        return;
    }
    /* With losses the fewest left over proves nothing: the right pairing may leave more. */
    if (j->guest.lost + j->host.lost)
        second.alone = best.alone;
    if (c.n > 1 && second.matched && !compare(&best, &second)) {
        if (quiet)
            return;
        doubt(j, &best, &second, queue->vq);
        return;
    }
    queue->matched = 1;
    queue->kick_base = best.base;
}

static void add_known(void *context, const struct event *guest, const struct event *host, int below)
{
    known_add(context, guest, guest->time, host->time, below);
}

static void ring_bounds(const struct prefix_queue *q, struct known *known)
{
    struct causal c = { .bound = add_known, .context = known };
    for (size_t i = 0; i < q->publishes.n; i++)
        causal_publish(&c, event_at(&q->publishes, i));
    for (size_t i = 0; i < q->used.n; i++)
        causal_used(&c, event_at(&q->used, i));
    for (size_t i = 0; i < q->seen.n; i++)
        causal_seen(&c, event_at(&q->seen, i));
    causal_free(&c);
}

static void kick_bounds(const struct queue *queue, const struct prefix_queue *q,
                        struct known *known)
{
    struct pairing at = { 0 };
    struct event *g, *h;
    while (queue->matched && next_pair(q, queue->kick_base, &at, &g, &h)) {
        known_add(known, g, g->b, h->time, 0);
        known_add(known, g, g->time, h->time, 1);
    }
}

void join_match(struct join *j)
{
    struct prefix p;
    struct known known = { 0 };
    const struct prefix_queue *rx = &p.queue[TRACE_VQ_RX], *tx = &p.queue[TRACE_VQ_TX];
    int cpus = j->guest.reader.stream_count > 1;
    prefix_read(&p, j);
    known.all.tick = 1e9 / (double)j->guest.reader.hz;
    for (int cpu = 0; cpu < KNOWN_CPUS; cpu++)
        known.cpu[cpu].tick = known.all.tick;
    for (int vq = 0; vq < JOIN_QUEUES; vq++)
        ring_bounds(&p.queue[vq], &known);
    int busy = rx->kicks.n > tx->kicks.n ? TRACE_VQ_RX : TRACE_VQ_TX;
    for (int turn = 0; turn < JOIN_QUEUES; turn++) {
        int vq = turn ? !busy : busy;
        const struct prefix_queue *q = &p.queue[vq];
        unsigned cpu = q->kicks.n ? event_at(&q->kicks, 0)->cpu : 0;
        match_queue(j, &j->queue[vq], q, &known.all, cpus);
        if (cpus && !j->queue[vq].matched && cpu < KNOWN_CPUS)
            match_queue(j, &j->queue[vq], q, &known.cpu[cpu], 0);
        kick_bounds(&j->queue[vq], q, &known);
    }
    bounds_free(&known.all);
    for (int cpu = 0; cpu < KNOWN_CPUS; cpu++)
        bounds_free(&known.cpu[cpu]);
    int skewed = join_skew(j, &p);
    prefix_free(&p);
    if (skewed)
        join_facts(j);
}
