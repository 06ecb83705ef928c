#include "stages.h"

#include <math.h>
#include <stdlib.h>

const char *stage_name(enum stage stage)
{
    static const char *const names[] = { "publish",   "kick_before", "kick_after", "host_kick",
                                         "run_begin", "run_end",     "used",       "call_read",
                                         "irq",       "harvest" };
    return names[stage];
}

enum trace_side stage_side(enum stage stage)
{
    return stage >= STAGE_host_kick && stage <= STAGE_call_read ? TRACE_SIDE_HOST
                                                                : TRACE_SIDE_GUEST;
}

static const struct event *stage_event(const struct chain *c, enum stage stage)
{
    switch (stage) {
    case STAGE_publish:
        return c->publish;
    case STAGE_kick_before:
    case STAGE_kick_after:
        return c->kick;
    case STAGE_host_kick:
        return c->host_kick;
    case STAGE_run_begin:
        return c->run ? c->run->begin : NULL;
    case STAGE_run_end:
        return c->run ? c->run->end : NULL;
    case STAGE_used:
        return c->used;
    case STAGE_call_read:
        return c->call_read;
    case STAGE_irq:
        return c->irq;
    default:
        return c->harvest;
    }
}

int stage_raw(const struct chain *c, enum stage stage, uint64_t *time)
{
    const struct event *e = stage_event(c, stage);
    if (e)
        *time = stage == STAGE_kick_before ? e->b : e->time;
    return e != NULL;
}

int stage_ns(const struct join *j, const struct chain *c, enum stage stage, double *ns)
{
    uint64_t time;
    int host = stage_side(stage) == TRACE_SIDE_HOST;
    if (!stage_raw(c, stage, &time) || (host && !j->clock.valid))
        return 0;
    *ns = host ? join_host_ns(j, time) : join_guest_ns(j, time);
    return 1;
}

int stage_delta(const struct join *j, const struct chain *c, enum stage from, enum stage to,
                double *ns)
{
    uint64_t begin, end;
    double first, second;
    if (stage_side(from) == TRACE_SIDE_HOST && stage_side(to) == TRACE_SIDE_HOST) {
        if (!stage_raw(c, from, &begin) || !stage_raw(c, to, &end))
            return 0;
        *ns = (double)(int64_t)(end - begin);
        return 1;
    }
    if (!stage_ns(j, c, from, &first) || !stage_ns(j, c, to, &second))
        return 0;
    *ns = second - first;
    return 1;
}

int chain_complete(const struct chain *c)
{
    return c->class == CHAIN_irq || c->class == CHAIN_merged || c->class == CHAIN_polled;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double rank(const double *sorted, size_t n, double quantile)
{
    size_t at = (size_t)ceil(quantile * (double)n);
    return sorted[at ? at - 1 : 0];
}

size_t stage_spread(const struct join *j, enum stage from, enum stage to, struct spread *spread)
{
    size_t n = 0;
    double *ns = malloc((j->chain_count + 1) * sizeof *ns);
    if (!ns)
        abort();
    for (size_t i = 0; i < j->chain_count; i++) {
        int there = stage_delta(j, &j->chains[i], from, to, &ns[n]);
        n += there && (to != STAGE_run_begin || ns[n] >= 0);
    }
    qsort(ns, n, sizeof *ns, by_value);
    if (n)
        *spread = (struct spread){ rank(ns, n, .5), rank(ns, n, .99), ns[n - 1] };
    free(ns);
    return n;
}

const struct chain *chain_slowest(const struct join *j)
{
    const struct chain *slowest = NULL;
    double most = 0, ns;
    for (size_t i = 0; i < j->chain_count; i++) {
        const struct chain *c = &j->chains[i];
        if (!chain_complete(c) || !stage_delta(j, c, STAGE_kick_before, STAGE_harvest, &ns))
            continue;
        if (!slowest || ns > most) {
            slowest = c;
            most = ns;
        }
    }
    return slowest;
}

const struct chain *chain_typical(const struct join *j)
{
    const struct chain *typical = NULL;
    double *ns = malloc((j->chain_count + 1) * sizeof *ns), nearest = 0, median;
    size_t n = 0, with_irq = 0;
    if (!ns)
        abort();
    for (size_t i = 0; i < j->chain_count; i++)
        with_irq += j->chains[i].class == CHAIN_irq;
    for (size_t i = 0; i < j->chain_count; i++)
        n += chain_complete(&j->chains[i]) &&
             stage_delta(j, &j->chains[i], STAGE_kick_before, STAGE_harvest, &ns[n]);
    qsort(ns, n, sizeof *ns, by_value);
    median = n ? rank(ns, n, .5) : 0;
    free(ns);
    for (size_t i = 0; i < j->chain_count; i++) {
        const struct chain *c = &j->chains[i];
        if (with_irq ? c->class != CHAIN_irq : !chain_complete(c))
            continue;
        double one;
        if (!stage_delta(j, c, STAGE_kick_before, STAGE_harvest, &one))
            continue;
        if (!typical || fabs(one - median) < nearest) {
            typical = c;
            nearest = fabs(one - median);
        }
    }
    return typical;
}

const struct chain *chain_of_kick(const struct join *j, uint32_t ordinal)
{
    const struct chain *found = NULL;
    for (size_t i = 0; i < j->chain_count; i++)
        if (j->chains[i].kick->seq == ordinal && (!found || j->chains[i].vq == TRACE_VQ_TX))
            found = &j->chains[i];
    return found;
}
