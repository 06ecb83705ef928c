#include "causal.h"

/* A record is stamped after the store it tells of, by either side, so the pair of records about one
 * index proves nothing: the other side may have been quicker than the stamp. The record before the
 * store does: the previous publication on the guest, the previous used entries on the host. */

#define WAITING_MAX 65536

/* For each index waited for: the last record with an index below it, once one at or above it has
 * come. Records behind the one before are forgotten. */
static void match_waiting(struct causal *c, struct window *records, struct window *waiting,
                          int below)
{
    while (waiting->n && records->n && event_last(records)->a >= event_at(waiting, 0)->a) {
        const struct event *w = event_at(waiting, 0);
        while (records->n > 1 && event_at(records, 1)->a < w->a)
            window_drop(records, 1);
        if (event_at(records, 0)->a < w->a) {
            const struct event *before = event_at(records, 0);
            if (below)
                c->bound(c->context, w, before, 1);
            else
                c->bound(c->context, before, w, 0);
        }
        window_drop(waiting, 1);
    }
    if (waiting->n > WAITING_MAX)
        window_drop(waiting, 1);
    if (records->n > WAITING_MAX)
        window_drop(records, 1);
}

/* Guest before host: publication k - 1 was recorded before k was stored, k before it was used. */
void causal_publish(struct causal *c, const struct event *e)
{
    event_add(&c->publishes, e);
    match_waiting(c, &c->publishes, &c->waiting_used, 0);
}

void causal_used(struct causal *c, const struct event *e)
{
    event_add(&c->waiting_used, e);
    match_waiting(c, &c->publishes, &c->waiting_used, 0);
    event_add(&c->used, e);
    match_waiting(c, &c->used, &c->seen, 1);
}

/* Host before guest: used entries k - 1 were recorded before k was stored, k before it was seen. */
void causal_seen(struct causal *c, const struct event *e)
{
    event_add(&c->seen, e);
    match_waiting(c, &c->used, &c->seen, 1);
}

void causal_free(struct causal *c)
{
    window_free(&c->publishes);
    window_free(&c->used);
    window_free(&c->waiting_used);
    window_free(&c->seen);
}
