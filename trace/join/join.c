/* The joiner's life: open, the readings in their order, free. */
#include "join.h"

#include "../ctf/complain.h"

double join_guest_ns(const struct join *j, const struct event *e, uint64_t tsc)
{
    const struct event *start = &j->guest.first;
    const struct clock *c = join_cpu_clock(j, e->cpu);
    if (j->clock.valid)
        return clock_host_ns(c, tsc) + (double)(int64_t)(c->host0 - j->clock.host0) - j->start;
    return (double)(int64_t)(tsc - start->time) * 1e9 / (double)j->guest.reader.hz;
}

double join_host_ns(const struct join *j, uint64_t ns)
{
    if (!j->clock.valid)
        return (double)(int64_t)(ns - j->host.first.time);
    return (double)(int64_t)(ns - j->clock.host0) - j->start;
}

double join_bound_ns(const struct join *j, const struct event *e)
{
    return j->clock.valid ? clock_bound_ns(join_cpu_clock(j, e->cpu), e->time) : 0;
}

int join_open(struct join *j, const char *guest, const char *host)
{
    *j = (struct join){ 0 };
    return reader_open(&j->guest.reader, guest, TRACE_SIDE_GUEST) ||
                   reader_open(&j->host.reader, host, TRACE_SIDE_HOST)
               ? -1
               : 0;
}

/* Where the axis of the report begins: at the guest's first record. */
static void find_start(struct join *j)
{
    if (!j->clock.valid)
        return;
    const struct clock *c = join_cpu_clock(j, j->guest.first.cpu);
    j->start = clock_host_ns(c, j->guest.first.time) + (double)(int64_t)(c->host0 - j->clock.host0);
}

static void tell_restarts(const struct join *j)
{
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        const struct queue *q = &j->queue[vq];
        if (q->guest_from)
            complain("%s: %s queue was started anew %.3f us into the cell: what came before is not "
                     "joined, cut the slice there to see it",
                     j->guest.reader.dir, queue_name(q->vq),
                     join_guest_ns(j, &j->guest.first, q->restarted) / 1e3);
    }
}

static void tell_disorder(const struct side *side)
{
    if (side->disordered)
        complain("%s: %llu records come later than the window of a packet restores: their order is "
                 "as in the trace",
                 side->reader.dir, (unsigned long long)side->disordered);
}

void join_run(struct join *j,
              void (*take)(void *context, const struct join *join, const struct chain *chain),
              void *context)
{
    j->take = take;
    j->context = context;
    join_facts(j);
    join_match(j);
    join_clock(j);
    find_start(j);
    tell_restarts(j);
    tell_disorder(&j->guest);
    tell_disorder(&j->host);
    join_live(j);
}

void join_free(struct join *j)
{
    for (int vq = 0; vq < JOIN_QUEUES; vq++) {
        struct queue *q = &j->queue[vq];
        struct window *all[] = { &q->publishes,  &q->suppressed, &q->irqs,      &q->harvests,
                                 &q->host_kicks, &q->reads,      &q->open_irqs, &q->open_harvests,
                                 &q->runs,       &q->used,       &q->chains,    &q->calls,
                                 &q->done };
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            window_free(all[i]);
    }
    for (size_t i = 0; j->cpus && i < j->cpu_count; i++)
        clock_free(&j->cpus[i]);
    free(j->cpus);
    clock_free(&j->clock);
    reader_close(&j->guest.reader);
    reader_close(&j->host.reader);
}
