#include "sender.h"
#include "program.h"
#include <string.h>

static uint64_t due_ns(const struct sender *s, uint64_t k)
{
    if (s->due)
        return s->start + s->due(k);
    if (!s->rate)
        return 0;
    /* In two parts, or it would overflow. */
    k = k * s->of + s->nth;
    return s->start + k / s->rate * 1000000000 + k % s->rate * 1000000000 / s->rate;
}

static bool may_fill(const struct sender *s, uint64_t now)
{
    return s->pending_count < VNET_BATCH && s->filled < s->limit && due_ns(s, s->filled) <= now &&
           (!s->room || s->room(s) > s->pending_count);
}

/* Returns false if it stopped for want of a buffer. */
static bool fill(struct sender *s, uint64_t now)
{
    while (may_fill(s, now)) {
        struct vnet_buf *b = port_buf_alloc(s->pair);
        if (!b)
            return false;
        uint64_t due = due_ns(s, s->filled);
        if (!s->fill(s, b, s->filled, due ? due : now)) {
            port_buf_free(s->pair, b);
            s->limit = s->filled;
            return true;
        }
        s->pending[s->pending_count++] = b;
        s->filled++;
    }
    return true;
}

uint64_t sender_step(struct sender *s, uint64_t now)
{
    if (!s->start)
        s->start = now;
    bool short_of_buffers = !fill(s, now);
    uint32_t sent = 0;
    if (s->pending_count) {
        sent = port_send(s->pair, s->pending, s->pending_count);
        s->pair->stats.sourced += sent;
        s->pending_count -= sent;
        memmove(s->pending, s->pending + sent, s->pending_count * sizeof(s->pending[0]));
    }
    /* What a send has reclaimed raises no interrupt any more: wait only after one that did nothing.
     */
    if (sent)
        return now;
    if (s->pending_count || short_of_buffers) {
        s->pair->stats.source_waits++;
        return PROGRAM_WAITS;
    }
    if (s->filled == s->limit || (s->room && !s->room(s)))
        return PROGRAM_WAITS;
    return due_ns(s, s->filled);
}

bool sender_done(const struct sender *s)
{
    return s->filled == s->limit && !s->pending_count;
}

void sender_end(struct sender *s)
{
    while (s->pending_count)
        port_buf_free(s->pair, s->pending[--s->pending_count]);
}
