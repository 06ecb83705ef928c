/* One record as the joiner handles it, and the losses around it. */
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
    uint16_t cpu;
    uint8_t class; /* enum event_class: given once, by the joiner */
};

/* Records lost on one CPU somewhere between two times. */
struct loss {
    uint64_t from, to, count;
};

const char *event_name(uint16_t id); /* "?" for an id that events.def does not have */

#endif
