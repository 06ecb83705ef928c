/* The same payload as a record of ours, as LTTng-UST takes it; one event that the bench enables and
 * one that it does not. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ringscope
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "trace/bench/lttng_event.h"

#if !defined(TRACE_LTTNG_EVENT_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define TRACE_LTTNG_EVENT_H

#include <lttng/tracepoint.h>
#include <stdint.h>

// clang-format off
LTTNG_UST_TRACEPOINT_EVENT_CLASS(ringscope, record,
    LTTNG_UST_TP_ARGS(uint8_t, vq, uint8_t, flags, uint32_t, seq, uint64_t, a, uint64_t, b),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(uint8_t, vq, vq)
        lttng_ust_field_integer(uint8_t, flags, flags)
        lttng_ust_field_integer(uint32_t, seq, seq)
        lttng_ust_field_integer(uint64_t, a, a)
        lttng_ust_field_integer(uint64_t, b, b)))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(ringscope, record, ringscope, on,
    LTTNG_UST_TP_ARGS(uint8_t, vq, uint8_t, flags, uint32_t, seq, uint64_t, a, uint64_t, b))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(ringscope, record, ringscope, masked,
    LTTNG_UST_TP_ARGS(uint8_t, vq, uint8_t, flags, uint32_t, seq, uint64_t, a, uint64_t, b))
// clang-format on

#endif
#include <lttng/tracepoint-event.h>
