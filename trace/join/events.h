/* Reads a CTF trace directory of ours back into memory, all CPUs merged by time. */
#ifndef TRACE_EVENTS_H
#define TRACE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "../ctf/tsdl.h"
#include "../record.h"

struct event {
    uint64_t time; /* guest: TSC; host: ns */
    uint64_t a, b;
    uint32_t seq;
    uint16_t id;
    uint8_t vq;
    uint8_t flags;
    uint8_t class; /* enum event_class: given once, by the joiner */
};

/* Records lost on one CPU somewhere between two times. */
struct loss {
    uint64_t from, to, count;
};

struct trace {
    const char *dir;
    enum trace_side side;
    uint64_t hz;          /* of the trace's clock */
    struct event *events; /* owned; sorted by time, equal times as the streams have them */
    size_t count;
    struct loss *losses; /* owned */
    size_t loss_count;
    uint64_t lost; /* sum of the losses' counts */
};

/* Reads `dir` (kept by reference). Returns 0, or -1 after complaining with file and offset; call
 * trace_free either way. An empty trace is not an error. */
int trace_read(struct trace *trace, const char *dir, enum trace_side side);
void trace_free(struct trace *trace);

/* Whether records may be missing between two times of this trace. */
int trace_lost_between(const struct trace *trace, uint64_t from, uint64_t to);

const char *event_name(uint16_t id); /* "?" for an id that events.def does not have */

#endif
