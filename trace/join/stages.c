#include "stages.h"

#include <math.h>

enum { TIME, B };
#define time TIME
#define b    B
enum { GUEST = TRACE_SIDE_GUEST, HOST = TRACE_SIDE_HOST };

static const struct {
    const char *name;
    unsigned char link, field, side, told;
} stages[] = {
#define STAGE(name, link, field, side, told, text) { #name, LINK_##link, field, side, told },
#include "stages.def"
};
#undef time
#undef b

static const struct {
    const char *name, *text;
    unsigned char from, to, column;
} spans[] = {
#define SPAN(name, from, to, column, text) { #name, text, STAGE_##from, STAGE_##to, column },
#include "stages.def"
};

const char *stage_name(enum stage stage)
{
    return stages[stage].name;
}

enum trace_side stage_side(enum stage stage)
{
    return (enum trace_side)stages[stage].side;
}

int stage_is_told(enum stage stage)
{
    return stages[stage].told;
}

const char *span_name(enum span span)
{
    return spans[span].name;
}

const char *span_text(enum span span)
{
    return spans[span].text;
}

int span_has_column(enum span span)
{
    return spans[span].column;
}

int stage_has(const struct chain *c, enum stage stage)
{
    return c->have >> stages[stage].link & 1;
}

static int aligned_time(const struct chain *c, enum stage stage, uint64_t *time,
                        const struct event **event)
{
    *event = chain_event(c, (enum link)stages[stage].link);
    if (*event)
        *time = stages[stage].field == B ? (*event)->b : (*event)->time;
    return *event != NULL;
}

int stage_raw(const struct join *j, const struct chain *c, enum stage stage, uint64_t *time)
{
    const struct event *e;
    if (!aligned_time(c, stage, time, &e))
        return 0;
    if (stages[stage].side == TRACE_SIDE_GUEST)
        *time -= (uint64_t)reader_skew(&j->guest.reader, e->cpu);
    return 1;
}

int stage_ns(const struct join *j, const struct chain *c, enum stage stage, double *ns)
{
    const struct event *e;
    uint64_t time;
    int host = stages[stage].side == TRACE_SIDE_HOST;
    if (!aligned_time(c, stage, &time, &e) || (host && !j->clock.valid))
        return 0;
    *ns = host ? join_host_ns(j, time) : join_guest_ns(j, e, time);
    return 1;
}

int stage_delta(const struct join *j, const struct chain *c, enum stage from, enum stage to,
                double *ns)
{
    const struct event *e, *f;
    uint64_t begin, end;
    double first, second;
    if (stages[from].side == TRACE_SIDE_HOST && stages[to].side == TRACE_SIDE_HOST) {
        if (!aligned_time(c, from, &begin, &e) || !aligned_time(c, to, &end, &f))
            return 0;
        *ns = (double)(int64_t)(end - begin);
        return 1;
    }
    if (!stage_ns(j, c, from, &first) || !stage_ns(j, c, to, &second))
        return 0;
    *ns = second - first;
    return 1;
}

int stage_unsettled(const struct join *j, const struct chain *c, enum stage from, enum stage to)
{
    double ns;
    return stages[from].side != stages[to].side && j->clock.valid &&
           stage_delta(j, c, from, to, &ns) && fabs(ns) < join_bound_ns(j, &c->link[LINK_kick]);
}

int span_ns(const struct join *j, const struct chain *c, enum span span, double *ns)
{
    return stage_delta(j, c, (enum stage)spans[span].from, (enum stage)spans[span].to, ns) &&
           (spans[span].to != STAGE_run_begin || *ns >= 0);
}

int chain_complete(const struct chain *c)
{
    return c->class == CHAIN_irq || c->class == CHAIN_merged || c->class == CHAIN_polled;
}
