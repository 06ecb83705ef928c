#include "causal.h"

/* A record is stamped after the store it tells of, by either side, so the pair of records about one
 * index proves nothing: the other side may have been quicker than the stamp. The record before the
 * store does: the previous publication on the guest, the previous used entries on the host. */

/* Guest before host: publication k - 1 was recorded before k was stored, k before it was used. */
static void published_before_used(const struct join *j, const struct queue *q,
                                  struct bound_points *points)
{
    size_t p = 0;
    for (size_t i = 0; i < q->used.n; i++) {
        const struct event *used = q->used.at[i];
        while (p < q->publishes.n && q->publishes.at[p]->a < used->a)
            p++;
        if (!p || p == q->publishes.n)
            continue;
        const struct event *before = q->publishes.at[p - 1];
        bound_add(points, before->time, used->time, 0, (uint32_t)(before - j->guest.events));
    }
}

/* Host before guest: used entries k - 1 were recorded before k was stored, k before it was seen. */
static void used_before_seen(const struct join *j, const struct queue *q, const struct list *seen,
                             struct bound_points *points)
{
    size_t u = 0;
    for (size_t i = 0; i < seen->n; i++) {
        const struct event *guest = seen->at[i];
        while (u < q->used.n && q->used.at[u]->a < guest->a)
            u++;
        if (!u || u == q->used.n)
            continue;
        const struct event *before = q->used.at[u - 1];
        bound_add(points, guest->time, before->time, 1, (uint32_t)(guest - j->guest.events));
    }
}

void causal_bounds(const struct join *j, const struct queue *q, struct bound_points *points)
{
    published_before_used(j, q, points);
    used_before_seen(j, q, &q->harvests, points);
    used_before_seen(j, q, &q->irqs, points);
}
