/* The far end for tests: returns frames as a guest would, and misbehaves on a plan. */
#ifndef RINGSCOPE_LOADGEN_ECHO_H
#define RINGSCOPE_LOADGEN_ECHO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* Each acts on frames whose number, counted from 1, is a multiple of it; 0 turns it off. */
struct echo_plan {
    uint64_t drop_every;
    uint64_t double_every; /* send back twice, unless dropped */
    uint64_t hold_every;   /* send back after the three that follow */
    uint64_t
        foreign_at; /* with this one frame also one of another run, a short one, one not sent yet */
    uint64_t future_seq; /* the number of the last of these */
    uint64_t stall_at;   /* before this one frame, sleep for stall_ms */
    uint64_t stall_ms;
};

struct echo {
    int fd;
    struct echo_plan plan;
    atomic_bool stop;
    uint64_t received; /* valid after echo_stop */
    pthread_t thread;
};

/* Serves `fd` from a thread of its own; the descriptor becomes the echo's. */
void echo_start(struct echo *e, int fd, const struct echo_plan *plan);
void echo_stop(struct echo *e);

#endif
