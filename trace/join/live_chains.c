/* Chains: each guest kick followed to the harvest of the last buffer it announced. */
#include "live.h"

#define HAND_ON_MAX 16384 /* chains that wait for one of the other queue that is open */

static void add_link(struct chain *c, enum link link, const struct event *e)
{
    if (!e || !e->id)
        return;
    c->link[link] = *e;
    c->have |= (uint16_t)(1 << link);
}

static enum chain_class class_of(const struct chain *c, int consumed)
{
    const struct event *used = chain_event(c, LINK_used);
    if (c->link[LINK_kick].class == CLASS_kick_outside)
        return CHAIN_outside;
    if (!chain_event(c, LINK_host_kick))
        return CHAIN_unmatched;
    if (!chain_event(c, LINK_run_begin)) {
        const struct event *publish = chain_event(c, LINK_publish);
        if (consumed)
            return CHAIN_unknown;
        return publish && publish->class == CLASS_publish_stall ? CHAIN_stall : CHAIN_unserved;
    }
    if (!used || used->class == CLASS_used_unknown)
        return CHAIN_unknown;
    if (!chain_event(c, LINK_harvest))
        return CHAIN_unharvested;
    if (used->class == CLASS_used_irq)
        return CHAIN_irq;
    return used->class == CLASS_used_merged ? CHAIN_merged : CHAIN_polled;
}

/* Whether all that can still happen to a chain's buffer has been read. */
static int ended(const struct join *j, const struct queue *q, const struct chain *c)
{
    if (q->chains.n > LIVE_WINDOW)
        return 1;
    if (!live_run_reached(q, c->index) && !j->host_over)
        return 0;
    if (!live_used_reached(q, c->index) && !j->host_over)
        return 0;
    if (event_beyond(&q->harvests, c->index) == q->harvests.n && !j->guest_over)
        return 0;
    const struct used *u = live_used_covering(q, c->index);
    if (!u || !(u->event.flags & TRACE_F_SIGNALLED))
        return 1;
    return u->event.class != CLASS_none && u->read_settled;
}

static void end_chain(struct join *j, struct queue *q, struct chain *c)
{
    const struct run *run = live_run_covering(q, c->index);
    const struct used *used = live_used_covering(q, c->index);
    if (run) {
        add_link(c, LINK_run_begin, &run->begin);
        add_link(c, LINK_run_end, &run->end);
    }
    if (used) {
        add_link(c, LINK_used, &used->event);
        add_link(c, LINK_call_read, &used->read);
        add_link(c, LINK_irq, &used->irq);
    }
    add_link(c, LINK_harvest, event_covering(&q->harvests, c->index));
    int consumed = q->consumed_known && (int64_t)(q->consumed - c->link[LINK_kick].a) >= 0;
    c->class = class_of(c, consumed || j->host.lost);
    j->chain_classes[c->class]++;
}

void live_settle_chains(struct join *j, struct queue *q)
{
    while (q->chains_paired) {
        struct chain *c = window_at(&q->chains, 0);
        if (!ended(j, q, c))
            return;
        end_chain(j, q, c);
        q->done.size = sizeof *c;
        memcpy(window_add(&q->done), c, sizeof *c);
        window_drop(&q->chains, 1);
        q->chains_paired--;
    }
}

void live_hand_on(struct join *j)
{
    for (;;) {
        struct queue *from = NULL;
        size_t waiting = 0;
        for (int vq = 0; vq < JOIN_QUEUES; vq++) {
            struct queue *q = &j->queue[vq];
            waiting += q->done.n;
            if (q->done.n && (!from || ((struct chain *)window_at(&q->done, 0))->number <
                                           ((struct chain *)window_at(&from->done, 0))->number))
                from = q;
        }
        struct chain *c = from ? window_at(&from->done, 0) : NULL;
        if (!c || (c->number > j->next_chain && waiting <= HAND_ON_MAX))
            return;
        if (c->number >= j->next_chain)
            j->next_chain = c->number + 1;
        if (j->take)
            j->take(j->context, j, c);
        window_drop(&from->done, 1);
    }
}
