#include "line.h"

#include <math.h>
#include <stdlib.h>

/* A polygon needs an area: where the nominal rate is taken as true it is this thin, in ns per s. */
#define SLOPE_HAIR 1e-9

static void add_corner(struct line *l, double slope, double offset)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 16;
        l->corners = realloc(l->corners, l->room * sizeof *l->corners);
        if (!l->corners)
            abort();
    }
    l->corners[l->n++] = (struct corner){ slope, offset };
}

void line_any(struct line *l, double slope_max)
{
    double s = slope_max > SLOPE_HAIR ? slope_max : SLOPE_HAIR;
    l->n = 0;
    add_corner(l, -s, -LINE_OFFSET_MAX);
    add_corner(l, s, -LINE_OFFSET_MAX);
    add_corner(l, s, LINE_OFFSET_MAX);
    add_corner(l, -s, LINE_OFFSET_MAX);
}

void line_free(struct line *l)
{
    free(l->corners);
    *l = (struct line){ NULL, 0, 0 };
}

/* By how much a corner's line fails the demand; <= 0 if it meets it. */
static double failing(const struct corner *c, double x, double y, int below)
{
    double over = c->offset + c->slope * x - y;
    return below ? -over : over;
}

int line_behind(const struct line *l, double x, double y, int below)
{
    for (size_t i = 0; i < l->n; i++)
        if (failing(&l->corners[i], x, y, below) > 0)
            return 0;
    return 1;
}

struct line line_copy(const struct line *l)
{
    struct line copy = { NULL, 0, 0 };
    for (size_t i = 0; i < l->n; i++)
        add_corner(&copy, l->corners[i].slope, l->corners[i].offset);
    return copy;
}

int line_passes(const struct line *l, double x, double y, int below)
{
    for (size_t i = 0; i < l->n; i++)
        if (failing(&l->corners[i], x, y, below) <= 0)
            return 1;
    return 0;
}

/* Sutherland and Hodgman's clipping of a polygon by one edge. */
static void clip(struct line *l, double x, double y, int below)
{
    struct line out = { NULL, 0, 0 };
    for (size_t i = 0; i < l->n; i++) {
        const struct corner *a = &l->corners[i], *b = &l->corners[(i + 1) % l->n];
        double fa = failing(a, x, y, below), fb = failing(b, x, y, below);
        if (fa <= 0)
            add_corner(&out, a->slope, a->offset);
        if ((fa < 0 && fb > 0) || (fa > 0 && fb < 0)) {
            double t = fa / (fa - fb);
            add_corner(&out, a->slope + t * (b->slope - a->slope),
                       a->offset + t * (b->offset - a->offset));
        }
    }
    free(l->corners);
    *l = out;
}

enum line_verdict line_add(struct line *l, double x, double y, int below)
{
    size_t failed = 0;
    for (size_t i = 0; i < l->n; i++)
        failed += failing(&l->corners[i], x, y, below) > 0;
    if (!failed)
        return LINE_behind;
    if (failed == l->n)
        return LINE_empty;
    clip(l, x, y, below);
    return LINE_cut;
}

struct corner line_middle(const struct line *l, int *bounded)
{
    double low = l->corners[0].slope, high = low, top = -INFINITY, bottom = INFINITY;
    for (size_t i = 1; i < l->n; i++) {
        low = fmin(low, l->corners[i].slope);
        high = fmax(high, l->corners[i].slope);
    }
    double slope = (low + high) / 2;
    *bounded = 1;
    for (size_t i = 0; i < l->n; i++) {
        const struct corner *a = &l->corners[i], *b = &l->corners[(i + 1) % l->n];
        double width = b->slope - a->slope;
        *bounded = *bounded && fabs(a->offset) < LINE_OFFSET_MAX / 2;
        if ((a->slope - slope) * (b->slope - slope) > 0)
            continue;
        double t = width != 0 ? (slope - a->slope) / width : 0;
        double at = a->offset + t * (b->offset - a->offset);
        top = fmax(top, width != 0 ? at : fmax(a->offset, b->offset));
        bottom = fmin(bottom, width != 0 ? at : fmin(a->offset, b->offset));
    }
    return (struct corner){ slope, (top + bottom) / 2 };
}

double line_spread(const struct line *l, struct corner from, double x)
{
    double most = 0;
    for (size_t i = 0; i < l->n; i++)
        most = fmax(most, fabs((l->corners[i].slope - from.slope) * x + l->corners[i].offset -
                               from.offset));
    return most;
}
