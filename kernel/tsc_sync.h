/* Whether two CPUs' time stamp counters show the same time: traces of several CPUs are merged by
 * it.
 */
#ifndef KERNEL_TSC_SYNC_H
#define KERNEL_TSC_SYNC_H

#include <stdint.h>

/* Cycles by which the other CPU's counter is ahead: not less than low, not more than high. */
struct tsc_bounds {
    int64_t low, high;
};

/* The two sides, at the same time: the asker on the booting CPU, the other on the CPU just started.
 * Both spin. */
struct tsc_bounds tsc_sync_ask(void);
void tsc_sync_answer(void);

#endif
