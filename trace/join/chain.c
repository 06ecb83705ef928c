/* Follows each guest kick through the ring to the harvest of its last buffer. */
#include <stdlib.h>

#include "join.h"

const char *chain_class_name(enum chain_class class)
{
    static const char *const names[] = { "irq",   "merged",  "polled",    "unharvested", "unserved",
                                         "stall", "outside", "unmatched", "unknown" };
    return names[class];
}

double join_guest_ns(const struct join *j, uint64_t tsc)
{
    uint64_t start = j->guest.count ? j->guest.events[0].time : 0;
    if (j->clock.valid)
        return clock_host_ns(&j->clock, tsc) - clock_host_ns(&j->clock, start);
    return (double)(int64_t)(tsc - start) * 1e9 / (double)j->guest.hz;
}

double join_host_ns(const struct join *j, uint64_t ns)
{
    if (!j->clock.valid)
        return (double)(int64_t)(ns - (j->host.count ? j->host.events[0].time : 0));
    double start = j->guest.count ? clock_host_ns(&j->clock, j->guest.events[0].time) : 0;
    return (double)(int64_t)(ns - j->clock.host0) - start;
}

static enum chain_class class_of(const struct chain *c, int consumed)
{
    if (c->kick->class == CLASS_kick_outside)
        return CHAIN_outside;
    if (!c->host_kick)
        return CHAIN_unmatched;
    if (!c->run)
        return consumed ? CHAIN_unknown : CHAIN_unserved;
    if (!c->used)
        return CHAIN_unknown;
    if (c->used->class == CLASS_used_unknown)
        return CHAIN_unknown;
    if (!c->harvest)
        return CHAIN_unharvested;
    if (c->used->class == CLASS_used_irq)
        return CHAIN_irq;
    return c->used->class == CLASS_used_merged ? CHAIN_merged : CHAIN_polled;
}

static struct chain follow(const struct join *j, const struct queue *q, size_t i)
{
    const struct event *kick = q->kicks.at[i];
    struct chain c = { .vq = q->vq, .index = kick->a - 1, .kick = kick };
    c.publish = list_covering(&q->publishes, c.index);
    c.host_kick = q->host_kick_of[i];
    c.run = run_covering(q, c.index);
    c.used = list_covering(&q->used, c.index);
    c.harvest = list_covering(&q->harvests, c.index);
    if (c.used && c.used->flags & TRACE_F_SIGNALLED) {
        size_t call = list_position(&q->calls, c.used);
        c.call_read = q->read_of[call];
        c.irq = q->irq_of[call];
    }
    int consumed = q->consumed_known && (int64_t)(q->consumed - kick->a) >= 0;
    c.class = class_of(&c, consumed || j->host.lost);
    return c;
}

static int by_kick_time(const void *left, const void *right)
{
    const struct chain *a = left, *b = right;
    return a->kick < b->kick ? -1 : a->kick > b->kick;
}

/* A transmit kick whose buffer lies in a stretch that nobody came for is what a stall looks like.
 */
static void mark_stall(struct chain *c)
{
    if (c->class == CHAIN_unserved && c->publish && c->publish->class == CLASS_publish_stall)
        c->class = CHAIN_stall;
}

void join_build_chains(struct join *j)
{
    size_t n = 0;
    for (int vq = 0; vq < JOIN_QUEUES; vq++)
        n += j->queue[vq].kicks.n;
    j->chains = calloc(n + 1, sizeof *j->chains);
    if (!j->chains)
        abort();
    for (int vq = 0; vq < JOIN_QUEUES; vq++)
        for (size_t i = 0; i < j->queue[vq].kicks.n; i++)
            j->chains[j->chain_count++] = follow(j, &j->queue[vq], i);
    for (size_t i = 0; i < j->chain_count; i++)
        mark_stall(&j->chains[i]);
    qsort(j->chains, j->chain_count, sizeof *j->chains, by_kick_time);
}

void join_run(struct join *j)
{
    join_sort_out(j);
    join_match_kicks(j);
    join_classify_host(j);
    join_classify_guest(j);
    join_build_chains(j);
    join_count_classes(j);
}

void join_free(struct join *j)
{
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        struct queue *q = &j->queue[vq];
        struct list *lists[] = { &q->publishes, &q->kicks,      &q->suppressed, &q->irqs,
                                 &q->harvests,  &q->host_kicks, &q->run_events, &q->used,
                                 &q->calls,     &q->call_reads };
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            free(lists[i]->at);
        free(q->runs);
        free(q->host_kick_of);
        free(q->irq_of);
        free(q->read_of);
    }
    clock_free(&j->clock);
    free(j->chains);
    trace_free(&j->guest);
    trace_free(&j->host);
}
