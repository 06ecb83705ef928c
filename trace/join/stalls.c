/* What nobody came for: the report's first lines. */
#include <inttypes.h>

#include "../ctf/complain.h"
#include "live.h"

enum fate stall_fate(const struct join *j, const struct queue *q, const struct event *e)
{
    if (q->consumed_known && (int64_t)(q->consumed - e->a) >= 0)
        return FATE_consumed;
    if (j->host.lost || !j->host.records)
        return FATE_unknown;
    if (q->vq == TRACE_VQ_RX)
        return FATE_posted;
    if (!j->clock.valid || !q->consumed_known)
        return FATE_unknown;
    double end = join_host_ns(j, j->host.last.time);
    return end - join_guest_ns(j, e, e->time) > STALL_NS ? FATE_stall : FATE_open;
}

static void keep(struct join *j, const struct event *e, int harvest)
{
    if (j->stalls_named < JOIN_STALLS)
        j->stall[j->stalls_named++] = (struct stall){ *e, (uint8_t)harvest };
}

void stall_note(struct join *j, struct queue *q, const struct event *e, enum fate fate)
{
    int now = fate == FATE_stall;
    if (now && !q->stalled) {
        keep(j, e, 0);
        if (j->stalls++ < COMPLAINTS)
            complain("%s: STALL candidate: tx buffer with avail index %" PRIu64
                     ", published %.3f us into the cell, was never picked up (%s)",
                     j->guest.reader.dir, e->a, join_guest_ns(j, e, e->time) / 1e3,
                     event_name(e->id));
    }
    q->stalled = now;
}

/* Entries that the guest left lying though it was told, or though they are frames that arrived:
 * sent frames may lie until the driver next sends. */
void stall_deaf(struct join *j, const struct queue *q)
{
    if (!q->harvest_known || !q->used_known || j->guest.lost || !j->clock.valid)
        return;
    double end = join_guest_ns(j, &j->guest.last, j->guest.last.time);
    for (size_t i = 0; i < q->used.n; i++) {
        const struct event *u = &((struct used *)window_at(&q->used, i))->event;
        if ((int64_t)(u->a - q->last_harvest) <= 0 ||
            (q->vq == TRACE_VQ_TX && !(u->flags & TRACE_F_SIGNALLED)))
            continue;
        if (end - join_host_ns(j, u->time) <= STALL_NS)
            continue;
        keep(j, u, 1);
        j->deaf++;
        complain("%s: STALL candidate: %s entries up to used index %" PRIu64
                 ", published %.3f us into the cell%s, were never harvested",
                 j->host.reader.dir, queue_name(q->vq), u->a, join_host_ns(j, u->time) / 1e3,
                 u->flags & TRACE_F_SIGNALLED ? " and signalled" : " and not signalled");
        return;
    }
}
