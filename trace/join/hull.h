/* All lines that pass between two sets of points: the polygon of their slopes and offsets. */
#ifndef TRACE_HULL_H
#define TRACE_HULL_H

#include <stddef.h>
#include <stdint.h>

struct hull_point {
    double x, y;
    uint32_t who;
};

/* Keeps, at the front and left to right, the points of the lower hull (sign 1) or the upper hull
 * (sign -1). Returns how many. */
size_t hull_keep(struct hull_point *points, size_t count, int sign);

struct polygon {
    double gap;           /* the widest vertical gap between the sets; negative: no line fits */
    double slope, offset; /* line in the middle: of the polygon, or of the (negative) widest gap */
    double *corners;      /* owned: slope, offset pairs; NULL if no line fits */
    size_t corner_count;
    uint32_t tight[4]; /* who holds the widest gap: at most two from each set */
    size_t tight_count;
};

/* Lines y = slope * x + offset with |slope| <= slope_max, at or below all `above` and at or above
 * all `below`. Both sets must be non-empty; they get sorted. O(n log n). The caller frees
 * polygon->corners. */
void polygon_between(struct polygon *polygon, struct hull_point *above, size_t above_count,
                     struct hull_point *below, size_t below_count, double slope_max);

#endif
