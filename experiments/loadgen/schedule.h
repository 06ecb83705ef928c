/* When each frame is to be sent, decided before the first one leaves. */
#ifndef RINGSCOPE_LOADGEN_SCHEDULE_H
#define RINGSCOPE_LOADGEN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum arrival { ARRIVAL_CONSTANT, ARRIVAL_POISSON };

struct schedule {
    enum arrival arrival;
    uint64_t rate_pps;
    uint64_t count;
    uint64_t next;      /* index of the frame schedule_next returns next */
    double poisson_ns;  /* time of the latest Poisson arrival */
    uint64_t random[4]; /* generator state */
};

/* `count` frames at `rate_pps` (1 to 1e9). The same arguments give the same schedule; `seed` only
 * matters to Poisson arrivals. */
void schedule_init(struct schedule *s, enum arrival arrival, uint64_t rate_pps, uint64_t count,
                   uint64_t seed);

/* Stores the next frame's offset from the start of the run in ns, never less than the one before;
 * false when the schedule is used up. */
bool schedule_next(struct schedule *s, uint64_t *offset_ns);

#endif
