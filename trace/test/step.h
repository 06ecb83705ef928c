/* Runs a function one instruction at a time and calls another between two of them: an interrupt at
 * a place of the test's choice. x86 only. */
#ifndef TRACE_TEST_STEP_H
#define TRACE_TEST_STEP_H

#include <stdbool.h>

/* Calls outer(); before its instruction number `at` (from 1) inner(). inner may use step_run itself
 * for a function that interrupts it in turn. Returns false if outer has fewer instructions. */
bool step_run(void (*outer)(void), unsigned at, void (*inner)(void));

/* Of the interrupted function: the address at which the last inner() was called. */
extern unsigned long step_address;

#endif
