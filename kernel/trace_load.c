/* workload=trace: records, as fast as they can be written, for tests of the buffer that interrupt
 * it or take its memory away. Record n has n in a, and b is computed from it. */
#define TRACE 1 /* whether or not the driver has it */
#include "../trace/trace.h"
#include "../trace/buffer.h"
#include "cmdline.h"
#include "main.h"
#include "panic.h"
#include "thread.h"
#include "trace_port.h"

static void run(void *arg)
{
    (void)arg;
    trace_guest_state(TRACE_GUEST_RUNNING);
    for (uint64_t n = 1; !cmdline.count || n <= cmdline.count; n++)
        TRACE_AT(selftest, (uint32_t)n, 0, TRACE_VQ_NONE, n, n * TRACE_SELFTEST_FACTOR);
    trace_guest_state(TRACE_GUEST_DONE);
}

void trace_load_start(void)
{
    trace_port_init_alone();
    if (!thread_create("trace", run, NULL))
        panic("no memory for a thread");
}
