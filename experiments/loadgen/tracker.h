/* What became of each sequence number: arrived, arrived again, arrived out of order. */
#ifndef RINGSCOPE_LOADGEN_TRACKER_H
#define RINGSCOPE_LOADGEN_TRACKER_H

#include <stdbool.h>
#include <stdint.h>

enum tracker_verdict { TRACKER_FIRST, TRACKER_DUPLICATE, TRACKER_OUT_OF_RANGE };

struct tracker {
    uint64_t *seen; /* one bit per sequence number */
    uint64_t capacity;
    uint64_t delivered; /* sequence numbers that arrived at least once */
    uint64_t duplicates;
    uint64_t reordered;   /* first arrivals below the highest number seen before */
    uint64_t reorder_max; /* largest distance of such an arrival below that number */
    uint64_t highest_end; /* one above the highest number seen; 0 if none */
};

/* Tracks 0 .. capacity-1. The bitmap is reserved, not touched, so a large capacity costs only what
 * arrives. False if the address space cannot be reserved. */
bool tracker_init(struct tracker *t, uint64_t capacity);
void tracker_free(struct tracker *t);

/* Counts one arrival; a number outside the capacity changes nothing. */
enum tracker_verdict tracker_arrive(struct tracker *t, uint64_t seq);

#endif
