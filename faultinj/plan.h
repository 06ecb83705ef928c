/* The fault plan: which points fail, how often. One line of text:
 *
 *   plan  = entry { ";" entry }
 *   entry = point [ ":" key "=" number { "," key "=" number } ]
 *   key   = interval  every n-th passage fails (default 1)
 *         | times     at most so often (default 0: no limit)
 *         | after     the first n passages never fail (default 0)
 *
 * e.g. irq_drop:interval=50,times=3;rx_alloc:interval=10
 */
#ifndef FAULTINJ_PLAN_H
#define FAULTINJ_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include "fault.h"

struct fault_counters { /* live; the host reads them by name */
    uint64_t passed[FAULT_POINTS];
    uint64_t fired[FAULT_POINTS];
};
extern struct fault_counters fault_counters;

/* Replaces the plan. Returns 0, or -1 with one line in err that names the mistake and what would be
 * right; the old plan then stays. Not while the points are being passed. */
int fault_plan_set(const char *text, char *err, size_t err_bytes);

const char *fault_point_name(enum fault_point point);

#endif
