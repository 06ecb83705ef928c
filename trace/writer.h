/* What the parts of the buffer share: write.c, buffer.c, trigger.c. */
#ifndef TRACE_WRITER_H
#define TRACE_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include "record.h"

/* One CPU's writer: what it needs at each record, beside `reserved` in the region. */
struct trace_writer {
    struct trace_cpu_area *area;
    uint64_t limit; /* below it a record finds its packet ready; see trace_set_limit */
    uint64_t watch; /* 1 << event id: trigger.c wants to see these */
    /* The packets that are ready, by the low bit of their number. */
    struct trace_packet *packet[2];
} __attribute__((aligned(64)));

extern struct trace_writer trace_writers[TRACE_MAX_CPUS];

/* Makes packet `number` of the writer's CPU ready to take records, if it can be: see write.c. */
void trace_prepare(struct trace_writer *w, uint64_t number);

/* limit = as far as packets are ready, but not beyond stop_at. */
void trace_set_limit(struct trace_writer *w);

/* A watched event was committed as record `number` of this CPU. */
void trace_look(struct trace_writer *w, uint16_t id, uint8_t vq, uint64_t number, uint64_t now,
                uint64_t b);

/* As if no interrupt had been seen and nothing fired: for a new region. */
void trace_trigger_reset(void);

#endif
