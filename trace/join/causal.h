/* Bounds on the clocks that follow from the ring alone, so they hold before any kick is matched:
 * an index is published before it is used, and used before it is harvested. */
#ifndef TRACE_CAUSAL_H
#define TRACE_CAUSAL_H

#include "clock.h"

/* Zero it to begin; takes the records of one queue, each side's in its order. */
struct causal {
    struct window publishes, waiting_used; /* events: of both sides, for the one bound */
    struct window used, seen;              /* and for the other */
    void (*bound)(void *context, const struct event *guest, const struct event *host, int below);
    void *context;
};

void causal_publish(struct causal *c, const struct event *publish);
void causal_used(struct causal *c, const struct event *used);
void causal_seen(struct causal *c, const struct event *harvest_or_irq);
void causal_free(struct causal *c);

#endif
