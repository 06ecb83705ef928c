#include "clock.h"

#include <math.h>

void clock_free(struct clock *c)
{
    for (size_t i = 0; i < c->piece_count; i++)
        line_free(&c->pieces[i].line);
    free(c->pieces);
    *c = (struct clock){ 0 };
}

static double nominal_ns(const struct clock *c, uint64_t tsc)
{
    return (double)(int64_t)(tsc - c->tsc0) * c->tick;
}

struct clock_piece *clock_piece_at(const struct clock *c, uint64_t tsc)
{
    size_t i = 0;
    /* Between two pieces, the earlier one holds up to the first kick of the later. */
    while (i + 1 < c->piece_count && tsc >= c->pieces[i + 1].from)
        i++;
    return &c->pieces[i];
}

double clock_host_ns(const struct clock *c, uint64_t tsc)
{
    const struct corner *m = &clock_piece_at(c, tsc)->middle;
    double ns = nominal_ns(c, tsc);
    return ns + m->slope * (ns / 1e9) + m->offset;
}

static uint64_t piece_tsc(const struct clock *c, const struct clock_piece *p, double ns)
{
    double ticks = (ns - p->middle.offset) / (1 + p->middle.slope / 1e9) / c->tick;
    if (!(fabs(ticks) < 9e18))
        return ticks < 0 ? 0 : UINT64_MAX;
    return c->tsc0 + (uint64_t)(int64_t)ticks;
}

uint64_t clock_tsc(const struct clock *c, double ns)
{
    size_t i = 0;
    while (i + 1 < c->piece_count && ns >= clock_host_ns(c, c->pieces[i + 1].from))
        i++;
    return piece_tsc(c, &c->pieces[i], ns);
}

double clock_bound_ns(const struct clock *c, uint64_t tsc)
{
    const struct clock_piece *p = clock_piece_at(c, tsc);
    double bound = line_spread(&p->line, p->middle, nominal_ns(c, tsc) / 1e9);
    if (!c->bent)
        return bound;
    /* Somewhere near a cut the clock bent: the bracket of each kick holds all the same, and away
     * from the piece's kicks it can have run off at the limit of its rate. */
    uint64_t away = tsc < p->from ? p->from - tsc : tsc > p->to ? tsc - p->to : 0;
    return fmax(bound, p->sway) + 2 * CLOCK_BEND_MAX * (double)away * c->tick / 1e9;
}

double clock_bound_most_ns(const struct clock *c, uint64_t from, uint64_t to)
{
    /* Within a piece the bound is convex in time, so it is largest at an end. */
    double most = fmax(clock_bound_ns(c, from), clock_bound_ns(c, to));
    for (size_t i = 1; i < c->piece_count; i++) {
        uint64_t at = c->pieces[i].from;
        if (at > from && at <= to)
            most = fmax(most, fmax(clock_bound_ns(c, at), clock_bound_ns(c, at - 1)));
    }
    return most;
}
