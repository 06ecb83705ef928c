/* Stacks to switch between. They lie at fixed addresses, so that what is live on one of them can be
 * copied away and put back: a search goes back to an earlier state by that. x86-64 only. */
#ifndef VNET_SCHEDULE_COROUTINE_H
#define VNET_SCHEDULE_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COROUTINE_STACK 32768u

struct coroutine {
    uint8_t *top;       /* of its stack */
    uint8_t *sp;        /* while it does not run; top: it has not begun, nothing is live */
    void (*main)(void); /* never returns */
};

/* Gives it a stack that begins at `top`, COROUTINE_STACK bytes deep and 16-byte aligned. */
void coroutine_init(struct coroutine *c, uint8_t *top, void (*main)(void));

/* From the scheduler: begins the coroutine, or goes on where it stopped, until it stops. */
void coroutine_run(struct coroutine *c);

/* Whether one runs. */
bool coroutine_runs(void);

/* From the coroutine that runs: stops it. */
void coroutine_stop(struct coroutine *c);

/* From the coroutine that runs: ends it. The next run begins anew, on an empty stack. */
_Noreturn void coroutine_end(struct coroutine *c);

static inline size_t coroutine_live(const struct coroutine *c)
{
    return (size_t)(c->top - c->sp);
}

/* What is not live is zero, so that the same step from the same state leaves the same bytes. */
void coroutine_clean(struct coroutine *c);

#endif
