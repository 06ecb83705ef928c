/* Seam 5 of 5: FAULT(point) is true when the plan says that this passage fails. With FAULT=0 (or
 * undefined) it is a constant false and leaves nothing in the object code.
 *
 * It stands alone in an `if` whose body is the line below it. */
#ifndef FAULTINJ_FAULT_H
#define FAULTINJ_FAULT_H

#include <stdbool.h>

enum fault_point {
#define POINT(name, where, text) FAULT_POINT_##name,
#include "points.def"
    FAULT_POINTS
};

#if FAULT
#define FAULT_ENABLED 1
#else
#define FAULT_ENABLED 0
#endif
#undef FAULT

#if FAULT_ENABLED
bool fault_passes(enum fault_point point);
#define FAULT(point) fault_passes(FAULT_POINT_##point)
#else
#define FAULT(point) false
#endif

#endif
