#include "align.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hull.h"

/* Rates further than this from nominal are considered only when nothing nearer fits: a guest
 * measures its TSC to a few hundred ppm, under emulation on a busy machine much worse. In ppb. */
static const double slope_limits[] = { 0, 1e6, 1e7, 1e8 };
#define SLOPE_LIMITS (sizeof slope_limits / sizeof *slope_limits)

void bound_add(struct bound_points *p, uint64_t tsc, uint64_t host, int below, uint32_t who)
{
    if (p->n == p->room) {
        p->room = p->room ? 2 * p->room : 256;
        p->at = realloc(p->at, p->room * sizeof *p->at);
        if (!p->at)
            abort();
    }
    p->at[p->n++] = (struct bound_point){ tsc, host, who, !!below, 0 };
}

/* Points relative to a centre and with the nominal rate taken out: what is left fits a double to
 * far below a nanosecond. */
struct scaled {
    struct hull_point *above, *below;
    size_t above_count, below_count;
};

static double nominal_ns(uint64_t tsc, uint64_t tsc0, double hz)
{
    return (double)((long double)(int64_t)(tsc - tsc0) * 1e9L / (long double)hz);
}

static int scale(struct scaled *s, const struct bound_points *p, uint64_t tsc0, uint64_t host0,
                 double hz)
{
    s->above = malloc((p->n + 1) * sizeof *s->above);
    s->below = malloc((p->n + 1) * sizeof *s->below);
    s->above_count = s->below_count = 0;
    if (!s->above || !s->below)
        abort();
    for (size_t i = 0; i < p->n; i++) {
        const struct bound_point *b = &p->at[i];
        double ns = nominal_ns(b->tsc, tsc0, hz);
        struct hull_point h = { ns / 1e9, (double)(int64_t)(b->host - host0) - ns, b->who };
        if (b->dropped)
            continue;
        if (b->below)
            s->below[s->below_count++] = h;
        else
            s->above[s->above_count++] = h;
    }
    return s->above_count && s->below_count;
}

/* Returns 0 if the points do not bound the line from both sides. */
static int fit(struct polygon *polygon, const struct bound_points *p, uint64_t tsc0, uint64_t host0,
               double hz, double slope_max)
{
    struct scaled s;
    int bounded = scale(&s, p, tsc0, host0, hz);
    if (bounded)
        polygon_between(polygon, s.above, s.above_count, s.below, s.below_count, slope_max);
    free(s.above);
    free(s.below);
    return bounded;
}

void bounds_thin(struct bound_points *thin, const struct bound_points *p, double hz)
{
    struct scaled s;
    struct bound_points named = { 0 };
    for (size_t i = 0; i < p->n; i++)
        bound_add(&named, p->at[i].tsc, p->at[i].host, p->at[i].below, (uint32_t)i);
    if (p->n) {
        scale(&s, &named, p->at[0].tsc, p->at[0].host, hz);
        s.above_count = hull_keep(s.above, s.above_count, 1);
        s.below_count = hull_keep(s.below, s.below_count, -1);
        for (size_t i = 0; i < s.above_count + s.below_count; i++) {
            uint32_t who = i < s.above_count ? s.above[i].who : s.below[i - s.above_count].who;
            const struct bound_point *b = &p->at[who];
            bound_add(thin, b->tsc, b->host, b->below, b->who);
        }
        free(s.above);
        free(s.below);
    }
    free(named.at);
}

double clock_misfit(const struct bound_points *p, double hz)
{
    struct polygon polygon;
    if (!p->n || !fit(&polygon, p, p->at[0].tsc, p->at[0].host, hz, slope_limits[SLOPE_LIMITS - 1]))
        return 0;
    free(polygon.corners);
    return polygon.gap < 0 ? -polygon.gap / 2 : 0;
}

static void drop(struct bound_points *p, uint32_t who, int dropped)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->at[i].who == who)
            p->at[i].dropped = (uint8_t)dropped;
}

/* Which of the events that hold the gap shut lets it open widest when left out. Returns 0 if the
 * points would no longer bound the line. */
static int worst_suspect(const struct clock *c, struct bound_points *p, double slope_max,
                         const struct polygon *shut, uint32_t *suspect)
{
    double best = shut->gap;
    int found = 0;
    for (size_t i = 0; i < shut->tight_count; i++) {
        struct polygon without;
        drop(p, shut->tight[i], 1);
        if (fit(&without, p, c->tsc0, c->host0, c->hz, slope_max)) {
            free(without.corners);
            if (without.gap > best) {
                best = without.gap;
                *suspect = shut->tight[i];
                found = 1;
            }
        }
        drop(p, shut->tight[i], 0);
    }
    return found;
}

/* A record that contradicts the rest is a damaged record or a wrong match: leave out the fewest.
 * If that does not help, it is the clocks that are not straight, and all points give way. */
static void drop_suspects(struct clock *c, struct bound_points *p, size_t kicks,
                          struct polygon *polygon)
{
    size_t limit = kicks / 8 < ALIGN_MAX_SUSPECTS ? kicks / 8 : ALIGN_MAX_SUSPECTS;
    uint32_t suspect;
    while (polygon->gap < 0 && c->suspect_count < limit &&
           worst_suspect(c, p, c->slope_max, polygon, &suspect)) {
        drop(p, suspect, 1);
        c->suspects[c->suspect_count++] = suspect;
        fit(polygon, p, c->tsc0, c->host0, c->hz, c->slope_max);
    }
    if (polygon->gap >= 0)
        return;
    for (size_t i = 0; i < c->suspect_count; i++)
        drop(p, c->suspects[i], 0);
    c->suspect_count = 0;
    fit(polygon, p, c->tsc0, c->host0, c->hz, c->slope_max);
    c->widened = -polygon->gap / 2;
}

void clock_fit(struct clock *c, struct bound_points *p, double hz, size_t kicks)
{
    struct polygon polygon;
    if (!p->n)
        return;
    c->hz = hz;
    c->tsc0 = p->at[p->n / 2].tsc;
    c->host0 = p->at[p->n / 2].host;
    size_t first = kicks < 2 ? 0 : 1, i = first;
    for (;; i++) {
        c->slope_max = slope_limits[i];
        if (!fit(&polygon, p, c->tsc0, c->host0, hz, c->slope_max))
            return;
        if (polygon.gap >= 0)
            break;
        if (i + 1 == SLOPE_LIMITS) {
            drop_suspects(c, p, kicks, &polygon);
            break;
        }
    }
    c->valid = 1;
    c->slope = polygon.slope;
    c->offset = polygon.offset;
    c->corners = polygon.corners;
    c->corner_count = polygon.corner_count;
}

void clock_free(struct clock *c)
{
    free(c->corners);
    c->corners = NULL;
    c->corner_count = 0;
}

double clock_host_ns(const struct clock *c, uint64_t tsc)
{
    double ns = nominal_ns(tsc, c->tsc0, c->hz);
    return ns + c->slope * (ns / 1e9) + c->offset;
}

double clock_bound_ns(const struct clock *c, uint64_t tsc)
{
    double x = nominal_ns(tsc, c->tsc0, c->hz) / 1e9, bound = 0;
    for (size_t i = 0; i < c->corner_count; i++) {
        double away = fabs((c->corners[2 * i] - c->slope) * x + c->corners[2 * i + 1] - c->offset);
        bound = away > bound ? away : bound;
    }
    return bound + c->widened;
}
