/* A sliding window over a growing sequence: appended at the end, forgotten from the front. What is
 * in it lies in one piece, so that it can be searched by halving; numbers count from the start of
 * the sequence and stay valid while the element is there, addresses only until the next append. */
#ifndef TRACE_WINDOW_H
#define TRACE_WINDOW_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

struct window {
    char *memory; /* owned; zeroed to begin, window_free to end */
    size_t size;  /* of an element: set before the first append */
    size_t head, n, room;
    uint64_t first; /* number of the element at the front */
};

static inline void *window_at(const struct window *w, size_t i)
{
    return w->memory + (w->head + i) * w->size;
}

static inline uint64_t window_end(const struct window *w)
{
    return w->first + w->n;
}

/* The element of that number, or NULL if it has been forgotten or is not there yet. */
static inline void *window_number(const struct window *w, uint64_t number)
{
    return number - w->first < w->n ? window_at(w, number - w->first) : NULL;
}

void window_make_room(struct window *w);

/* Room for one more element, not cleared. */
static inline void *window_add(struct window *w)
{
    if (w->head + w->n == w->room)
        window_make_room(w);
    return window_at(w, w->n++);
}

static inline void window_drop(struct window *w, size_t count)
{
    w->head += count;
    w->n -= count;
    w->first += count;
}

static inline void window_free(struct window *w)
{
    free(w->memory);
    *w = (struct window){ .size = w->size };
}

/* Windows of events. */
static inline struct event *event_at(const struct window *w, size_t i)
{
    return (struct event *)w->memory + w->head + i;
}

static inline void event_add(struct window *w, const struct event *e)
{
    w->size = sizeof *e;
    *(struct event *)window_add(w) = *e;
}

static inline struct event *event_last(const struct window *w)
{
    return w->n ? event_at(w, w->n - 1) : NULL;
}

/* Look-ups by ring index in windows sorted by it.
 * beyond: position of the first with a > index, w->n if none; covering: that with
 * a - b <= index < a, or NULL. */
size_t event_beyond(const struct window *w, uint64_t index);
struct event *event_covering(const struct window *w, uint64_t index);

#endif
