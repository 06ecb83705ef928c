/* The parts of join_live: each takes the records of its kind, and settles those whose time has
 * come.
 *
 * A record is settled by its ring index: when the other side has been read beyond it, or to its
 * end. So nothing depends on how far apart the sides are read.
 */
#ifndef TRACE_LIVE_H
#define TRACE_LIVE_H

#include "join.h"

/* Gives a record its class and counts it. */
void live_class(struct join *join, const struct event *event, enum event_class class);

/* live_kicks.c */
void live_kick(struct join *join, struct queue *queue, const struct event *kick);
void live_host_kick(struct join *join, struct queue *queue, const struct event *kick);
void live_pair(struct join *join, struct queue *queue);

/* live_avail.c: from publication to the service run */
void live_publish(struct join *join, struct queue *queue, const struct event *publish);
void live_suppressed(struct join *join, struct queue *queue, const struct event *suppressed);
void live_run(struct join *join, struct queue *queue, const struct event *begin_or_end);
void live_run_over(struct join *join, struct queue *queue);
void live_settle_suppressed(struct join *join, struct queue *queue);
/* Whether a run beyond the index has been read, and the run that covers it, NULL if none. */
int live_run_reached(const struct queue *queue, uint64_t index);
const struct run *live_run_covering(const struct queue *queue, uint64_t index);

/* live_used.c: from used entries to interrupt and harvest */
void live_used(struct join *join, struct queue *queue, const struct event *used);
void live_irq(struct queue *queue, const struct event *irq);
void live_harvest(struct queue *queue, const struct event *harvest);
void live_settle_calls(struct join *join, struct queue *queue);
void live_settle_irqs(struct join *join, struct queue *queue);
void live_settle_harvests(struct join *join, struct queue *queue);
int live_used_reached(const struct queue *queue, uint64_t index);
struct used *live_used_covering(const struct queue *queue, uint64_t index);

/* live_reads.c */
void live_read(struct join *join, struct queue *queue, const struct event *read);
void live_settle_reads(struct join *join, struct queue *queue);

/* live_chains.c */
void live_settle_chains(struct join *join, struct queue *queue);
void live_hand_on(struct join *join);

/* stalls.c: what nobody came for */
enum fate { FATE_consumed, FATE_posted, FATE_stall, FATE_open, FATE_unknown };
enum fate stall_fate(const struct join *join, const struct queue *queue, const struct event *event);
/* Names a stretch of the ring once, however many records tell of it. */
void stall_note(struct join *join, struct queue *queue, const struct event *event, enum fate fate);
void stall_deaf(struct join *join, const struct queue *queue);

#endif
