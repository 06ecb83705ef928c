#include "misfit.h"

#include <stdlib.h>
#include <string.h>

#define SLOPE_MAX 1e8 /* ppb: a matching that needs more is none */

void bounds_add(struct bounds *b, uint64_t tsc, uint64_t host, int below)
{
    struct hull_point **at = below ? &b->below : &b->above;
    size_t *n = below ? &b->below_count : &b->above_count;
    size_t *room = below ? &b->below_room : &b->above_room;
    if (!b->tsc0 && !b->host0) {
        b->tsc0 = tsc;
        b->host0 = host;
    }
    if (*n == *room) {
        *room = *room ? 2 * *room : 256;
        *at = realloc(*at, *room * sizeof **at);
        if (!*at)
            abort();
    }
    double ns = (double)(int64_t)(tsc - b->tsc0) * b->tick;
    (*at)[(*n)++] = (struct hull_point){ ns / 1e9, (double)(int64_t)(host - b->host0) - ns, 0 };
}

static struct hull_point *copy(const struct hull_point *at, size_t n)
{
    struct hull_point *to = malloc((n + 1) * sizeof *to);
    if (!to)
        abort();
    if (n)
        memcpy(to, at, n * sizeof *to);
    return to;
}

struct bounds bounds_thin(const struct bounds *b)
{
    struct bounds t = *b;
    t.above = copy(b->above, b->above_count);
    t.below = copy(b->below, b->below_count);
    t.above_room = b->above_count + 1;
    t.below_room = b->below_count + 1;
    t.above_count = hull_keep(t.above, t.above_count, 1);
    t.below_count = hull_keep(t.below, t.below_count, -1);
    return t;
}

double bounds_misfit(struct bounds *b)
{
    struct polygon polygon;
    if (!b->above_count || !b->below_count)
        return 0;
    struct bounds t = bounds_thin(b);
    polygon_between(&polygon, t.above, t.above_count, t.below, t.below_count, SLOPE_MAX);
    free(polygon.corners);
    bounds_free(&t);
    return polygon.gap < 0 ? -polygon.gap / 2 : 0;
}

void bounds_free(struct bounds *b)
{
    free(b->above);
    free(b->below);
    *b = (struct bounds){ .tick = b->tick };
}
