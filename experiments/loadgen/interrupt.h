/* SIGINT and SIGTERM as a readable descriptor: a signal is then one more thing to poll for, seen
 * even while frames keep the loop busy. */
#ifndef RINGSCOPE_LOADGEN_INTERRUPT_H
#define RINGSCOPE_LOADGEN_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct interrupts {
    int fd;    /* readable when a signal waits */
    int count; /* signals taken */
    int first; /* number of the first, 0 if none */
    sigset_t old_mask;
};

/* Blocks both signals in this thread. False, with nothing changed, if no descriptor is left. */
bool interrupts_open(struct interrupts *in);

/* Takes the signals that wait. */
void interrupts_take(struct interrupts *in);

/* A signal not taken yet is delivered now. */
void interrupts_close(struct interrupts *in);

#endif
