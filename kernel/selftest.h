/* Checks that run inside the guest and go on after a failure, so that one run shows all. */
#ifndef KERNEL_SELFTEST_H
#define KERNEL_SELFTEST_H

#include "console.h"

extern int selftest_checks, selftest_failures;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        selftest_checks++;                                                                         \
        if (!(cond)) {                                                                             \
            selftest_failures++;                                                                   \
            kprintf("selftest: FAIL %s:%d: %s\n", __FILE__, __LINE__, #cond);                      \
        }                                                                                          \
    } while (0)

void selftest_smp(void);     /* all CPUs; needs to run in a thread */
void selftest_memory(void);  /* pages, slabs, page tables */
void selftest_text(void);    /* strings, printf, command line */
void selftest_threads(void); /* threads, sleep, time, interrupts; needs to run in a thread */

#endif
