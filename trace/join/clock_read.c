/* The reading for the clocks: both traces at once, each kick and each bound of the ring given to
 * the clocks as it comes. Until they are known, the last pair of kicks tells which side is behind.
 */
#include <inttypes.h>
#include <stdio.h>

#include "../ctf/complain.h"
#include "causal.h"
#include "join.h"

#define WAITING_MAX 65536

struct clocking {
    struct join *join;
    struct clock_builder *builders; /* owned; one, or one a CPU */
    struct causal causal[JOIN_QUEUES];
    struct window kicks[JOIN_QUEUES], host_kicks[JOIN_QUEUES]; /* events that wait for the other */
    uint64_t tsc, host;                                        /* of the same moment, roughly */
    double tick;
};

/* NULL for a CPU that has too few kicks to tell its TSC from the base's: its records bound no
 * clock. */
static struct clock_builder *builder_of(struct clocking *c, unsigned cpu)
{
    const struct join *j = c->join;
    return !join_cpu_is_own(j, cpu) ? NULL : &c->builders[j->cpus ? cpu : 0];
}

static void add_bound(void *context, const struct event *guest, const struct event *host, int below)
{
    struct clock_builder *b = builder_of(context, guest->cpu);
    if (b)
        clock_add(b, guest->time, host->time, below, CLOCK_WHO_RING(guest->vq));
}

static void add_pair(struct clocking *c, const struct event *g, const struct event *h)
{
    struct clock_builder *b = builder_of(c, g->cpu);
    if (b)
        clock_add_kick(b, g->b, g->time, h->time, CLOCK_WHO(g->vq, g->seq));
    c->tsc = g->time;
    c->host = h->time;
}

/* As in join_live, a kick whose other side is not there is passed over. */
static void pair_kicks(struct clocking *c, int vq)
{
    const struct queue *q = &c->join->queue[vq];
    struct window *g = &c->kicks[vq], *h = &c->host_kicks[vq];
    while (g->n && h->n) {
        const struct event *guest = event_at(g, 0), *host = event_at(h, 0);
        int64_t ahead = (int64_t)guest->seq + q->kick_base - (int64_t)host->seq;
        if (ahead == 0)
            add_pair(c, guest, host);
        if (ahead <= 0)
            window_drop(g, 1);
        if (ahead >= 0) {
            uint32_t seq = host->seq;
            window_drop(h, 1);
            while (h->n && event_at(h, 0)->seq == seq)
                window_drop(h, 1);
        }
    }
    if (g->n > WAITING_MAX)
        window_drop(g, 1);
    if (h->n > WAITING_MAX)
        window_drop(h, 1);
}

static void guest_record(struct clocking *c, const struct event *e)
{
    struct causal *causal = &c->causal[e->vq];
    switch (e->id) {
    case TRACE_EV_publish:
        causal_publish(causal, e);
        break;
    case TRACE_EV_harvest:
    case TRACE_EV_irq:
    case TRACE_EV_irq_spurious:
        causal_seen(causal, e);
        break;
    case TRACE_EV_kick:
        if (!c->join->queue[e->vq].matched)
            break;
        event_add(&c->kicks[e->vq], e);
        pair_kicks(c, e->vq);
        break;
    }
}

static void host_record(struct clocking *c, struct event *e)
{
    const struct queue *q = &c->join->queue[e->vq];
    event_shift(q, e);
    if (e->id == TRACE_EV_used)
        causal_used(&c->causal[e->vq], e);
    if (e->id != TRACE_EV_host_kick || !q->matched)
        return;
    event_add(&c->host_kicks[e->vq], e);
    pair_kicks(c, e->vq);
}

static int guest_is_behind(const struct clocking *c, const struct reader *g, const struct reader *h)
{
    if (!g->current || !h->current)
        return g->current != NULL;
    double guest = (double)(int64_t)(reader_when(g) - c->tsc) * c->tick;
    return guest <= (double)(int64_t)(reader_when(h) - c->host);
}

static void read_both(struct clocking *c)
{
    struct join *j = c->join;
    struct reader *g = &j->guest.reader, *h = &j->host.reader;
    struct event e;
    reader_rewind(g, 0);
    reader_rewind(h, 0);
    c->tsc = j->guest.first.time;
    c->host = j->host.first.time;
    while (g->current || h->current) {
        int guest = guest_is_behind(c, g, h);
        struct reader *r = guest ? g : h;
        reader_next(r, &e);
        if (e.vq >= JOIN_QUEUES || !event_is_listed(e.id) ||
            !event_in_life(&j->queue[e.vq], r->records - 1, !guest))
            continue;
        if (guest)
            guest_record(c, &e);
        else
            host_record(c, &e);
    }
    reader_rewind(g, 0);
    reader_rewind(h, 0);
}

static void name_event(const struct bound_point *p, char *text, size_t size)
{
    unsigned vq = p->who >> 31;
    if (p->who & 0x40000000u)
        snprintf(text, size, "a ring record of the %s queue", queue_name(vq));
    else
        snprintf(text, size, "%s kick %u", queue_name(vq), p->who & 0x3fffffffu);
}

static void tell(const struct join *j, const struct clock *c)
{
    char name[64];
    for (size_t i = 0; i < c->suspect_count && i < CLOCK_MAX_SUSPECTS; i++) {
        name_event(&c->suspects[i], name, sizeof name);
        complain("%s: %s at TSC %" PRIu64 " contradicts every straight clock and was left out of "
                 "it: a damaged record, or a wrong match",
                 j->guest.reader.dir, name, c->suspects[i].tsc);
    }
    if (c->suspect_count > CLOCK_MAX_SUSPECTS)
        complain("%s: and %zu more records that no straight clock passes", j->guest.reader.dir,
                 c->suspect_count - CLOCK_MAX_SUSPECTS);
    for (size_t i = 1; i < c->piece_count && i <= COMPLAINTS; i++) {
        struct bound_point p = { .who = c->pieces[i].cut_by };
        name_event(&p, name, sizeof name);
        complain("%s: no straight line relates the clocks: cut at TSC %" PRIu64
                 ", where %s passes no line of the piece before",
                 j->guest.reader.dir, c->pieces[i].from, name);
    }
}

void join_clock(struct join *j)
{
    size_t count = j->cpus ? j->cpu_count : 1;
    struct clocking c = { .join = j, .tick = 1e9 / (double)j->guest.reader.hz };
    int bent = 0;
    c.builders = calloc(count, sizeof *c.builders);
    if (!c.builders)
        abort();
    for (unsigned i = 0; i < count; i++)
        if (join_cpu_is_own(j, i))
            clock_begin(&c.builders[i], j->cpus && i != j->base_cpu ? &j->cpus[i] : &j->clock,
                        (double)j->guest.reader.hz);
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        c.causal[vq].bound = add_bound;
        c.causal[vq].context = &c;
    }
    read_both(&c);
    for (unsigned i = 0; i < count; i++) {
        if (!join_cpu_is_own(j, i))
            continue;
        clock_end(&c.builders[i]);
        tell(j, c.builders[i].clock);
        bent |= c.builders[i].clock->bent;
    }
    /* A machine's clocks bend together, though the kicks of one CPU may be too few to show it. */
    for (unsigned i = 0; i < count; i++)
        if (join_cpu_is_own(j, i))
            c.builders[i].clock->bent = bent;
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        causal_free(&c.causal[vq]);
        window_free(&c.kicks[vq]);
        window_free(&c.host_kicks[vq]);
    }
    free(c.builders);
}
