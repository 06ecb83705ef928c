/* Triggers: what makes the buffer stop, so that a snapshot of it shows how that came about. */
#ifndef TRACE_TRIGGER_H
#define TRACE_TRIGGER_H

#define TRACE_TRIGGER_US_MAX 3600000000u

/* What may stand in `text`, for messages. */
#define TRACE_TRIGGER_SYNTAX "stall,fault,broken,latency:US,doorbell:US"

/* Arms the triggers in `text`, a comma separated list of names from triggers.def, those with a unit
 * followed by ":" and the threshold in microseconds; "" arms none. The first that fires writes a
 * trigger record, stops each CPU after `post` percent (0 to 100) of its buffer, and marks the
 * region. After trace_buffer_init, before the first record.
 * Returns 0, or -1 if `text` is not such a list; nothing is armed then. */
int trace_trigger_set(const char *text, unsigned post);

#endif
