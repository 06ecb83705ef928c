/* The stages of a chain and the times between them. */
#ifndef TRACE_STAGES_H
#define TRACE_STAGES_H

#include "join.h"

enum stage {
    STAGE_publish,
    STAGE_kick_before,
    STAGE_kick_after,
    STAGE_host_kick,
    STAGE_run_begin,
    STAGE_run_end,
    STAGE_used,
    STAGE_call_read,
    STAGE_irq,
    STAGE_harvest,
    STAGE_COUNT
};

const char *stage_name(enum stage stage);
enum trace_side stage_side(enum stage stage);

/* Raw time of a stage: TSC or ns of the host. Returns 0 if the chain does not have the stage. */
int stage_raw(const struct chain *chain, enum stage stage, uint64_t *time);

/* Time of a stage in ns after the cell's start on the common axis. Returns 0 if the chain does not
 * have the stage or the clocks are not aligned. */
int stage_ns(const struct join *join, const struct chain *chain, enum stage stage, double *ns);

/* ns from one stage to another: exact if both are on one side, else within the clocks' bound.
 * Returns 0 if one is missing or not aligned. */
int stage_delta(const struct join *join, const struct chain *chain, enum stage from, enum stage to,
                double *ns);

int chain_complete(const struct chain *chain);

/* The complete chain whose time from kick to harvest is nearest the median, one that ended in its
 * own interrupt if there is any; or the slowest complete chain. NULL if none is complete. */
const struct chain *chain_typical(const struct join *join);
const struct chain *chain_slowest(const struct join *join);

/* The chain of a kick by its ordinal, on the transmit queue first; NULL if there is none. */
const struct chain *chain_of_kick(const struct join *join, uint32_t ordinal);

/* Nearest-rank percentiles of the time between two stages over all chains that have both.
 * Returns how many have. For the wait of a kick for its service, runs that had begun before are
 * no wait and are left out. */
struct spread {
    double p50, p99, max; /* ns */
};
size_t stage_spread(const struct join *join, enum stage from, enum stage to, struct spread *spread);

#endif
