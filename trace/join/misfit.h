/* How far points are from letting a straight clock pass: a judge of candidate matchings. */
#ifndef TRACE_MISFIT_H
#define TRACE_MISFIT_H

#include <stdint.h>

#include "hull.h"

/* Growing sets of points, relative to the first; zero it to begin, bounds_free to end. */
struct bounds {
    double tick; /* ns of a nominal cycle: set to begin */
    uint64_t tsc0, host0;
    struct hull_point *above, *below; /* owned */
    size_t above_count, below_count, above_room, below_room;
};
void bounds_add(struct bounds *bounds, uint64_t tsc, uint64_t host, int below);
/* A copy of those that alone hold the line where it is: the rest lies behind them. */
struct bounds bounds_thin(const struct bounds *bounds);
/* ns by which the points would have to give way for a line to fit: 0 if one fits as they are. */
double bounds_misfit(struct bounds *bounds);
void bounds_free(struct bounds *bounds);

#endif
