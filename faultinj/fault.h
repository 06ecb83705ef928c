/* Seam 5 of 5: FAULT(point, q) is true when the plan says that this passage, on this queue, fails.
 * With FAULT=0 (or undefined) it is a constant false and leaves nothing in the object code.
 *
 * It stands alone in an `if` whose body is the line below it. */
#ifndef FAULTINJ_FAULT_H
#define FAULTINJ_FAULT_H

#include <stdbool.h>
#include <stdint.h>

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
bool fault_passes(enum fault_point point, uint8_t vq);
#define FAULT(point, q) fault_passes(FAULT_POINT_##point, (uint8_t)(q)->index)
#else
#define FAULT(point, q) false
#endif

#endif
