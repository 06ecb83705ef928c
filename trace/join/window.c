#include "window.h"

void window_make_room(struct window *w)
{
    if (w->head > w->n) { /* at least half of it is behind us: each element moves once at most */
        memmove(w->memory, w->memory + w->head * w->size, w->n * w->size);
    } else {
        size_t room = w->room ? 2 * w->room : 64;
        char *memory = malloc(room * w->size);
        if (!memory)
            abort();
        if (w->n)
            memcpy(memory, w->memory + w->head * w->size, w->n * w->size);
        free(w->memory);
        w->memory = memory;
        w->room = room;
    }
    w->head = 0;
}

size_t event_beyond(const struct window *w, uint64_t index)
{
    size_t low = 0, high = w->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (event_at(w, middle)->a > index)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct event *event_covering(const struct window *w, uint64_t index)
{
    size_t i = event_beyond(w, index);
    struct event *e = i < w->n ? event_at(w, i) : NULL;
    return e && e->a - e->b <= index ? e : NULL;
}
