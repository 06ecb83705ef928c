#include "hull.h"

#include <stdlib.h>
#include <string.h>

static int by_x(const void *left, const void *right)
{
    const struct hull_point *a = left, *b = right;
    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return a->y < b->y ? -1 : a->y > b->y;
}

static double cross(const struct hull_point *o, const struct hull_point *a,
                    const struct hull_point *b)
{
    return (a->x - o->x) * (b->y - o->y) - (a->y - o->y) * (b->x - o->x);
}

size_t hull_keep(struct hull_point *p, size_t n, int sign)
{
    size_t h = 0;
    size_t sorted = 1;
    while (sorted < n && by_x(&p[sorted - 1], &p[sorted]) <= 0)
        sorted++;
    if (sorted < n) /* most often they come in order of time */
        qsort(p, n, sizeof *p, by_x);
    for (size_t i = 0; i < n; i++) {
        if (h && p[h - 1].x == p[i].x) {
            if (sign * (p[i].y - p[h - 1].y) >= 0)
                continue;
            h--;
        }
        while (h > 1 && sign * cross(&p[h - 2], &p[h - 1], &p[i]) <= 0)
            h--;
        p[h++] = p[i];
    }
    return h;
}

static double slope_of(const struct hull_point *left)
{
    return (left[1].y - left[0].y) / (left[1].x - left[0].x);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* The slopes at which the point that limits the offset changes, within the limits. */
static size_t slopes_of(const struct hull_point *p, size_t n, double slope_max, double *slopes)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        double s = slope_of(&p[i]);
        if (s > -slope_max && s < slope_max)
            slopes[count++] = s;
    }
    return count;
}

/* The limits of the offset at growing slopes. The touching point moves right on the lower hull and
 * left on the upper one as the slope grows, so a whole sweep takes linear time. */
struct sweep {
    const struct hull_point *above, *below;
    size_t above_count, a, b;
    double slope, top, bottom;
};

static void sweep_to(struct sweep *s, double slope)
{
    while (s->a + 1 < s->above_count && slope_of(&s->above[s->a]) < slope)
        s->a++;
    while (s->b && slope_of(&s->below[s->b - 1]) < slope)
        s->b--;
    s->slope = slope;
    s->top = s->above[s->a].y - slope * s->above[s->a].x;
    s->bottom = s->below[s->b].y - slope * s->below[s->b].x;
}

static void add_corner(struct polygon *p, double slope, double offset)
{
    p->corners[2 * p->corner_count] = slope;
    p->corners[2 * p->corner_count++ + 1] = offset;
}

/* Between two slopes both limits are straight, so where the gap closes is found exactly. */
static void add_crossing(struct polygon *p, const struct sweep *left, const struct sweep *right)
{
    double before = left->top - left->bottom, after = right->top - right->bottom;
    double t = before / (before - after);
    add_corner(p, left->slope + t * (right->slope - left->slope),
               left->top + t * (right->top - left->top));
}

static void note_tight(struct polygon *p, const struct sweep *s)
{
    p->tight_count = 0;
    p->tight[p->tight_count++] = s->above[s->a].who;
    p->tight[p->tight_count++] = s->below[s->b].who;
    if (s->a + 1 < s->above_count)
        p->tight[p->tight_count++] = s->above[s->a + 1].who;
    if (s->b)
        p->tight[p->tight_count++] = s->below[s->b - 1].who;
}

static void middle(struct polygon *p, struct sweep from)
{
    double low = p->corners[0], high = p->corners[0];
    for (size_t i = 1; i < p->corner_count; i++) {
        double s = p->corners[2 * i];
        low = s < low ? s : low;
        high = s > high ? s : high;
    }
    sweep_to(&from, (low + high) / 2);
    p->slope = from.slope;
    p->offset = (from.top + from.bottom) / 2;
}

void polygon_between(struct polygon *p, struct hull_point *above, size_t above_count,
                     struct hull_point *below, size_t below_count, double slope_max)
{
    memset(p, 0, sizeof *p);
    above_count = hull_keep(above, above_count, 1);
    below_count = hull_keep(below, below_count, -1);
    size_t room = above_count + below_count + 2, n = 2;
    double *slopes = malloc(room * sizeof *slopes);
    p->corners = malloc(4 * room * sizeof *p->corners);
    if (!slopes || !p->corners)
        abort();
    slopes[0] = -slope_max;
    slopes[1] = slope_max;
    n += slopes_of(above, above_count, slope_max, slopes + n);
    n += slopes_of(below, below_count, slope_max, slopes + n);
    qsort(slopes, n, sizeof *slopes, by_value);
    struct sweep s = { above, below, above_count, 0, below_count - 1, 0, 0, 0 }, start = s, last;
    for (size_t i = 0; i < n; i++) {
        sweep_to(&s, slopes[i]);
        double gap = s.top - s.bottom;
        if (i && (gap < 0) != (last.top - last.bottom < 0))
            add_crossing(p, &last, &s);
        if (gap >= 0) {
            add_corner(p, s.slope, s.top);
            add_corner(p, s.slope, s.bottom);
        }
        if (!i || gap > p->gap) {
            p->gap = gap;
            p->slope = s.slope;
            p->offset = (s.top + s.bottom) / 2;
            note_tight(p, &s);
        }
        last = s;
    }
    free(slopes);
    if (p->corner_count) {
        middle(p, start);
    } else {
        free(p->corners);
        p->corners = NULL;
    }
}
