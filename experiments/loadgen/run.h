/* One run of the generator: sends by the schedule, receives, and measures. */
#ifndef RINGSCOPE_LOADGEN_RUN_H
#define RINGSCOPE_LOADGEN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "hgrm.h"
#include "options.h"
#include "port.h"
#include "tracker.h"

/* Always: frames of the schedule = sent + send_failed + unsent. */
struct run_result {
    uint64_t sent;
    uint64_t send_failed; /* refused by the port, not retried */
    uint64_t unsent;      /* not yet due when a signal ended the run */
    uint64_t foreign;     /* arrivals that are not frames of this run */
    uint64_t socket_drops;
    uint64_t first_ns; /* CLOCK_MONOTONIC of the first and the last frame: sent by a sender, */
    uint64_t last_ns;  /* received by a sink; 0 if there was none */
    uint32_t run;      /* in the frames; a sink learns it from the first it sees */
    int signal;        /* that ended the run, 0 if none did */
    struct tracker tracker;
    struct hgrm latency; /* intended send to kernel's receive stamp, first arrivals (pingpong) */
    struct hgrm pacing;  /* intended to actual send (pingpong, source) */
    struct hgrm gaps;    /* between consecutive arrivals, duplicates included (sink) */
};

/* Runs to the end of the schedule and the drain, or until SIGINT or SIGTERM; a second signal cuts
 * the drain. `result` must be all zero. False if memory or the port failed, with one line on
 * stderr; the result then holds what was measured so far. Release with run_result_free. */
bool run_load(const struct options *o, struct port *port, struct run_result *result);
void run_result_free(struct run_result *result);

#endif
