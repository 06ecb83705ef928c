/* The TSCs of several virtual CPUs. That they are one clock is not assumed: each CPU that kicks
 * enough is aligned by itself. Where the clocks of two differ by more than their bounds, the
 * streams are merged by corrected times; smaller differences do not disturb the order.
 */
#include <math.h>

#include "prefix.h"

#define OWN_KICKS 8 /* so many tell a CPU's clock well enough */

struct cpu_line {
    struct line line;
    uint64_t kicks;
};

static void add_kick(struct cpu_line *l, const struct clock *c, const struct event *g,
                     const struct event *h)
{
    const uint64_t tsc[] = { g->b, g->time };
    for (int below = 0; below < 2; below++) {
        double ns = (double)(int64_t)(tsc[below] - c->tsc0) * c->tick;
        line_add(&l->line, ns / 1e9, (double)(int64_t)(h->time - c->host0) - ns, below);
    }
    l->kicks++;
}

static void add_queue(struct cpu_line *lines, size_t cpus, struct clock *c, const struct queue *q,
                      const struct prefix_queue *p)
{
    size_t k = 0;
    for (size_t i = 0; q->matched && i < p->kicks.n; i++) {
        const struct event *g = event_at(&p->kicks, i);
        int64_t count = (int64_t)g->seq + q->kick_base;
        while (k < p->host_kicks.n && (int64_t)event_at(&p->host_kicks, k)->seq < count)
            k++;
        if (k == p->host_kicks.n || g->cpu >= cpus)
            continue;
        const struct event *h = event_at(&p->host_kicks, k);
        if (!c->host0 && !c->tsc0) {
            c->tsc0 = g->time;
            c->host0 = h->time;
        }
        if ((int64_t)h->seq == count)
            add_kick(&lines[g->cpu], c, g, h);
    }
}

static void set_skew(struct reader *r, unsigned cpu, int64_t skew)
{
    for (size_t i = 0; i < r->stream_count; i++)
        if (r->streams[i].left && r->streams[i].cpu == cpu)
            r->streams[i].skew = skew;
}

static double value(const struct cpu_line *l, double *bound)
{
    int bounded;
    struct corner m = line_middle(&l->line, &bounded);
    *bound = bounded ? line_spread(&l->line, m, 0) : INFINITY;
    return m.offset;
}

int join_skew(struct join *j, const struct prefix *p)
{
    size_t cpus = 0, base, i;
    struct reader *r = &j->guest.reader;
    struct clock c = { .tick = 1e9 / (double)r->hz };
    int found = 0;
    for (i = 0; i < r->stream_count; i++)
        cpus = r->streams[i].cpu >= cpus ? r->streams[i].cpu + 1u : cpus;
    struct cpu_line *lines = calloc(cpus + 1, sizeof *lines);
    if (!lines)
        abort();
    for (i = 0; i < cpus; i++)
        line_any(&lines[i].line, 1e6);
    for (int vq = 0; vq < JOIN_QUEUES && cpus > 1; vq++)
        add_queue(lines, cpus, &c, &j->queue[vq], &p->queue[vq]);
    for (base = 0, i = 1; i < cpus; i++)
        base = lines[i].kicks > lines[base].kicks ? i : base;
    if (cpus > 1) {
        j->cpus = calloc(cpus, sizeof *j->cpus);
        if (!j->cpus)
            abort();
        j->cpu_count = cpus;
        j->base_cpu = base;
    }
    for (i = 0; i < cpus; i++) {
        double base_bound, bound, base_value = value(&lines[base], &base_bound);
        double by = value(&lines[i], &bound) - base_value;
        if (i != base && lines[i].kicks >= OWN_KICKS)
            j->cpus[i].hz = (double)r->hz;
        if (i == base || !lines[i].kicks || !(fabs(by) > base_bound + bound + 2))
            continue;
        set_skew(r, (unsigned)i, llround(by / c.tick));
        found = 1;
    }
    for (i = 0; i < cpus; i++)
        line_free(&lines[i].line);
    free(lines);
    return found;
}
