/* A pair's thread, as the main thread sees it. */
#ifndef HOSTED_PAIR_H
#define HOSTED_PAIR_H

#include "port.h"

enum pair_order { /* from the main thread */
                  PAIR_GO,
                  PAIR_PARK,  /* stop where you are */
                  PAIR_DRAIN, /* no more traffic: wait for what was sent, and end */
                  PAIR_QUIT,  /* end */
};

enum pair_state { /* to the main thread */
                  PAIR_RUNS,
                  PAIR_PARKED,
                  PAIR_IS_BROKEN, /* parked by itself: a ring has latched broken */
                  PAIR_ENDED,
};

/* All that a thread needs, for each pair before any thread is created: they wake one another.
 * `news` is the eventfd on which it says that its state has changed. 0, or -1 after one line on
 * stderr. */
int pair_prepare(struct port_pair *p, const struct options *o, int news);
/* Creates the thread. `alone`: the traffic is over when this pair is done. */
int pair_begin(struct port_pair *p, bool alone);
/* After PAIR_GO the state has to be waited for before PAIR_PARK: a thread that has not seen the one
 * would still look parked. */
void pair_order(struct port_pair *p, enum pair_order order);
/* What was written before the state changed can be read after this. */
enum pair_state pair_state(const struct port_pair *p);
/* Whether the program has no more to do on this pair, be it running or not. */
bool pair_was_done(const struct port_pair *p);

struct pair_times {
    uint64_t start_ns, end_ns, cpu_ns; /* of the traffic */
};
/* Waits for the thread to end. */
struct pair_times pair_join(struct port_pair *p);

#endif
