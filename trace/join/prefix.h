/* The first records of each queue's life, held to find out which guest kick is which host kick. */
#ifndef TRACE_PREFIX_H
#define TRACE_PREFIX_H

#include "join.h"

#define PREFIX_RECORDS 65536 /* of a queue, on each side */

struct prefix_queue {
    struct window kicks, host_kicks;     /* events; guest kicks in the order of ordinals */
    struct window publishes, used, seen; /* events */
    struct window runs;                  /* struct run */
    struct event open;                   /* run_begin without its end so far */
    size_t guest_records, host_records;
};

struct prefix {
    struct prefix_queue queue[JOIN_QUEUES];
};

void prefix_read(struct prefix *prefix, struct join *join);
/* Finds how far the TSCs of the CPUs are apart, once the kicks are matched, and tells the reader.
 * Returns whether they are: then the guest's records have another order. */
int join_skew(struct join *join, const struct prefix *prefix);
void prefix_free(struct prefix *prefix);

#endif
