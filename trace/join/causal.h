/* Bounds on the clocks that follow from the ring alone, so they hold before any kick is matched:
 * an index is published before it is used, and used before it is harvested. */
#ifndef TRACE_CAUSAL_H
#define TRACE_CAUSAL_H

#include "join.h"

/* Adds the queue's bounds to `points`; each is named by the guest event's number. */
void causal_bounds(const struct join *join, const struct queue *queue, struct bound_points *points);

#endif
