/* A schedule is a list of steps: who goes on, and with which of the things it can do. */
#ifndef VNET_SCHEDULE_STEPS_H
#define VNET_SCHEDULE_STEPS_H

#include <stdio.h>
#include "world.h"

enum step_kind {
    STEP_DRIVER,       /* its CPU goes on, in the interrupt if one is being handled */
    STEP_DEVICE,       /* the worker goes on */
    STEP_IRQ,          /* the CPU takes the interrupt */
    STEP_DRIVER_STORE, /* the oldest store of the CPU reaches memory */
    STEP_DEVICE_STORE,
};

#define STEPS_MAX 12u /* from one state */

/* The kind, and in the low bits the option. */
#define STEP(kind, option) ((uint8_t)((kind) << 4 | (option)))

/* Those that may come next. Returns how many; 0: all is at rest. */
unsigned steps_possible(uint8_t *steps);

/* Makes one of them, and checks what it left behind (world.verdict). */
void step_make(uint8_t step);

/* What it is about to do, in words. */
void step_describe(FILE *to, uint8_t step);

/* Steps as text: t (driver), d (device), i (interrupt), T and D (stores that reach memory), with
 * the option's number behind where it is not 0. Returns false: not a step. */
void step_write(FILE *to, uint8_t step);
bool step_read(const char **text, uint8_t *step);

#endif
