/* The peer: LTTng-UST, in a session that trace.sh has set up. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "lttng_event.h"
#include "sides.h"

void lttng_on(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        lttng_ust_tracepoint(ringscope, on, 1, 0, (uint32_t)i, i, i);
}

void lttng_masked(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        lttng_ust_tracepoint(ringscope, masked, 1, 0, (uint32_t)i, i, i);
}

bool lttng_is_on(void)
{
    return lttng_ust_tracepoint_enabled(ringscope, on) &&
           !lttng_ust_tracepoint_enabled(ringscope, masked);
}
