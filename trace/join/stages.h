/* The stages of a chain and the times between them, as stages.def lists them. */
#ifndef TRACE_STAGES_H
#define TRACE_STAGES_H

#include "join.h"

enum stage {
#define STAGE(name, link, field, side, told, text) STAGE_##name,
#include "stages.def"
    STAGE_COUNT
};

const char *stage_name(enum stage stage);
enum trace_side stage_side(enum stage stage);
int stage_is_told(enum stage stage);

enum span {
#define SPAN(name, from, to, column, text) SPAN_##name,
#include "stages.def"
    SPAN_COUNT
};

const char *span_name(enum span span);
const char *span_text(enum span span);
int span_has_column(enum span span);

int stage_has(const struct chain *chain, enum stage stage);

/* Raw time of a stage: TSC (as its CPU counts it) or ns of the host. Returns 0 if the chain does
 * not have the stage. */
int stage_raw(const struct join *join, const struct chain *chain, enum stage stage, uint64_t *time);

/* Time of a stage in ns after the cell's start on the common axis. Returns 0 if the chain does not
 * have the stage or the clocks are not aligned. */
int stage_ns(const struct join *join, const struct chain *chain, enum stage stage, double *ns);

/* ns from one stage to another: exact if both are on one side, else within the clocks' bound.
 * Returns 0 if one is missing or not aligned. */
int stage_delta(const struct join *join, const struct chain *chain, enum stage from, enum stage to,
                double *ns);

/* Whether the clocks leave open which of two stages came first. */
int stage_unsettled(const struct join *join, const struct chain *chain, enum stage from,
                    enum stage to);

/* ns of a span; returns 0 if it is not there. For the wait of a kick for its service, runs that had
 * begun before are no wait and are left out. */
int span_ns(const struct join *join, const struct chain *chain, enum span span, double *ns);

int chain_complete(const struct chain *chain);

#endif
