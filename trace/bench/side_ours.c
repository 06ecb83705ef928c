/* One source, compiled with TRACE=1 and with TRACE=0. */
#include "../trace.h"
#include "sides.h"

#if TRACE_ENABLED
void ours_on(uint64_t n)
#else
void ours_off(uint64_t n)
#endif
{
    for (uint64_t i = 0; i < n; i++) {
        __asm__ volatile("" : "+r"(i)); /* or nothing would be left of the loop without a trace */
        TRACE_AT(poll, 0, 0, 1, i, i);
    }
}
