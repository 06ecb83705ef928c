/* The trace seam: what a traced file includes. With TRACE=0 (or undefined) every macro is nothing,
 * so the object code is that of a source without them; `make test` compares the two.
 *
 * A macro stands on lines of its own, ends in `);` and has no side effect in its arguments.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "record.h"

#if TRACE
#define TRACE_ENABLED 1
#else
#define TRACE_ENABLED 0
#endif
#undef TRACE

enum trace_class_of {
#define GUEST_EVENT(id, name, class, seq, a, b, text) TRACE_CLASS_OF_##name = TRACE_CLASS_##class,
#define HOST_EVENT(id, name, class, seq, a, b, text)  TRACE_CLASS_OF_##name = TRACE_CLASS_##class,
#include "events.def"
};

/* Points at trace_region.mask once a buffer exists, at an all-off word before: the host may change
 * the mask while the guest runs, so every site reads it anew. */
extern volatile uint32_t *trace_mask;

/* Writes one record on this CPU. seq 0 means: the buffer's own ordinal of (vq, event).
 * Callable from any context, NMI included, and inside itself; never blocks. A record that finds no
 * room is counted as lost. */
void trace_emit(uint16_t id, uint8_t vq, uint8_t flags, uint32_t seq, uint64_t a, uint64_t b);

#if TRACE_ENABLED

#include "machine.h"

#define TRACE_AT(event, seq, flags, vq, a, b)                                                      \
    do {                                                                                           \
        if (*trace_mask & (1u << TRACE_CLASS_OF_##event))                                          \
            trace_emit(TRACE_EV_##event, (vq), (flags), (seq), (a), (b));                          \
    } while (0)
#define TRACE(event, q, a, b)              TRACE_AT(event, 0, 0, (q)->index, a, b)
#define TRACE_FLAGS(event, flags, q, a, b) TRACE_AT(event, 0, flags, (q)->index, a, b)
/* Kicks carry the queue's own count: it goes on while the class is masked, so that it stays equal
 * to the count of the kick eventfd and the two sides still match by ordinal afterwards. */
#define TRACE_COUNTED(event, seq, q, a, b) TRACE_AT(event, seq, 0, (q)->index, a, b)
#define TRACE_STAMP(name)                  uint64_t name = trace_now()

#else

#define TRACE_AT(event, seq, flags, vq, a, b) ((void)0)
#define TRACE(event, q, a, b)                 ((void)0)
#define TRACE_FLAGS(event, flags, q, a, b)    ((void)0)
#define TRACE_COUNTED(event, seq, q, a, b)    ((void)0)
#define TRACE_STAMP(name)                     ((void)0)

#endif
#endif
