/* What is kept of all chains while they go by: histograms of the times between their stages, and
 * the few chains that are shown in full. Its size does not depend on how many there are. */
#ifndef TRACE_DIGEST_H
#define TRACE_DIGEST_H

#include "../../experiments/loadgen/hgrm.h"
#include "stages.h"

/* Times of one span. Between the two clocks a time may come out below zero: by less than the bound
 * if the chain is right. */
struct spread {
    struct hgrm forward;  /* ns >= 0 */
    struct hgrm backward; /* ns < 0, their size */
    double most;          /* exact */
};

/* Nearest-rank percentile in ns, rounded up to a thousandth; 0 if empty. */
double spread_percentile(const struct spread *spread, double percent);
uint64_t spread_count(const struct spread *spread);

#define DIGEST_SIZES 1024 /* classes of about equal ratio, 3 % wide */

struct digest {
    struct spread spans[SPAN_COUNT];
    struct chain *slowest; /* owned; a heap, the fastest of them first */
    double *slowest_ns;    /* owned; kick to harvest */
    size_t slowest_count, slowest_max;
    struct chain *typical[2]; /* owned; [1]: that ended in their own interrupt; by class of size */
    uint8_t typical_there[2][DIGEST_SIZES];
    uint32_t wanted; /* ordinal of a kick whose chain is asked for */
    int wanted_set;
    struct chain found; /* that chain, on the transmit queue first */
    int found_there;
    uint64_t complete, unsettled; /* chains; those with an order that the clocks leave open */
};

struct digest *digest_new(size_t slowest_max); /* the caller ends with digest_free */
void digest_free(struct digest *digest);
void digest_take(struct digest *digest, const struct join *join, const struct chain *chain);

/* Puts the slowest chains in order, the slowest first. After the last digest_take. */
void digest_sort(struct digest *digest);

/* A complete chain whose time from kick to harvest is as near the median as 3 %, one that ended in
 * its own interrupt if there is any. NULL if none is complete. */
const struct chain *digest_typical(const struct digest *digest);

#endif
