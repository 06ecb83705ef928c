/* Text for a person: one chain stage by stage, or the whole join at a glance. */
#include <inttypes.h>
#include <string.h>

#include "export.h"

static const char *meaning(enum chain_class class)
{
    switch (class) {
    case CHAIN_irq:
        return "complete, its call became an interrupt";
    case CHAIN_merged:
        return "complete, its call merged into another's interrupt";
    case CHAIN_polled:
        return "complete, harvested without an interrupt of its own";
    case CHAIN_unharvested:
        return "used, not harvested by the end";
    case CHAIN_unserved:
        return "not consumed by the end";
    case CHAIN_stall:
        return "STALL candidate: no service ever came";
    case CHAIN_outside:
        return "kick outside the host's slice";
    case CHAIN_unmatched:
        return "no host kick";
    default:
        return "a stage is missing: lost, or outside the slice";
    }
}

static const char *cause(const struct event *begin)
{
    return begin->class == CLASS_run_kick  ? "a kick"
           : begin->class == CLASS_run_net ? "the socket"
                                           : "no new cause";
}

static void key_of(const struct join *j, const struct chain *c, enum stage stage, char *text,
                   size_t size)
{
    const struct event *link = c->link, *e;
    switch (stage) {
    case STAGE_publish:
        e = &link[LINK_publish];
        snprintf(text, size, "avail_idx %" PRIu64 ", %" PRIu64 " buffers", e->a, e->b);
        break;
    case STAGE_kick_before:
        e = &link[LINK_kick];
        snprintf(text, size, "ordinal %u, doorbell took %.3f us", e->seq,
                 (join_guest_ns(j, e, e->time) - join_guest_ns(j, e, e->b)) / 1e3);
        break;
    case STAGE_host_kick:
        e = &link[LINK_host_kick];
        snprintf(text, size, "eventfd count %u%s", e->seq,
                 e->flags & TRACE_F_MERGED ? ", merged: work was queued already" : "");
        break;
    case STAGE_run_begin:
        e = &link[LINK_run_begin];
        snprintf(text, size, "avail %" PRIu64 " to %" PRIu64 " in %.3f us, by %s", e->a,
                 link[LINK_run_end].a, (double)(link[LINK_run_end].time - e->time) / 1e3, cause(e));
        break;
    case STAGE_used:
        e = &link[LINK_used];
        snprintf(text, size, "used_idx %" PRIu64 ", %" PRIu64 " entries, %s", e->a, e->b,
                 e->flags & TRACE_F_SIGNALLED ? class_name(e->class) : "no call");
        break;
    case STAGE_call_read:
        snprintf(text, size, "%" PRIu64 " calls in one read", link[LINK_call_read].a);
        break;
    case STAGE_irq:
        snprintf(text, size, "handler saw used_idx %" PRIu64, link[LINK_irq].a);
        break;
    default:
        e = &link[LINK_harvest];
        snprintf(text, size, "%" PRIu64 " entries, %" PRIu64 " so far", e->b, e->a);
        break;
    }
}

/* A time for a line of the report, aligned or not. */
static double line_ns(const struct join *j, const struct chain *c, enum stage stage)
{
    double ns = 0;
    uint64_t raw = 0;
    if (!stage_ns(j, c, stage, &ns) && stage_raw(j, c, stage, &raw))
        ns = join_host_ns(j, raw);
    return ns;
}

void print_chain(FILE *out, const struct join *j, const struct chain *c)
{
    const struct event *kick = &c->link[LINK_kick];
    int before = -1;
    fprintf(out, "%s kick %u, avail index %" PRIu64 ": %s (%s)\n", queue_name(c->vq), kick->seq,
            c->index, chain_class_name(c->class), meaning(c->class));
    if (j->clock.valid)
        fprintf(out,
                "us since the cell's start; clocks within %.3f us, ~ marks an order they do not "
                "settle\n",
                join_bound_ns(j, kick) / 1e3);
    else
        fprintf(out, "us since each side's start: clocks not aligned\n");
    fprintf(out, "%-6s %-12s %14s %11s  %s\n", "side", "stage", "us", "+us", "key");
    for (int s = 0; s < STAGE_COUNT; s++) {
        enum stage stage = (enum stage)s;
        char key[128], delta[32] = "";
        double ns;
        if (!stage_is_told(stage) || !stage_has(c, stage))
            continue;
        if (before >= 0 && stage_delta(j, c, (enum stage)before, stage, &ns))
            snprintf(delta, sizeof delta, "%s%+.3f",
                     stage_unsettled(j, c, (enum stage)before, stage) ? "~" : "", ns / 1e3);
        key_of(j, c, stage, key, sizeof key);
        fprintf(out, "%-6s %-12s %14.3f %11s  %s\n", trace_side_name(stage_side(stage)),
                stage == STAGE_kick_before ? "kick" : stage_name(stage), line_ns(j, c, stage) / 1e3,
                delta, key);
        before = s;
    }
}

static void number_line(void *context, const char *name, const char *value)
{
    if (*value && !strstr(name, "max_us"))
        fprintf(context, "  %-26s %s\n", name, value);
}

static void print_stalls(FILE *out, const struct join *j)
{
    for (size_t i = 0; i < j->stalls_named; i++) {
        const struct event *e = &j->stall[i].event;
        int harvest = j->stall[i].harvest;
        double ns = harvest ? join_host_ns(j, e->time) : join_guest_ns(j, e, e->time);
        fprintf(out, "STALL candidate: %s %s index %" PRIu64 ", %.3f us into the cell, %s\n",
                queue_name(e->vq), harvest ? "used" : "avail", e->a, ns / 1e3,
                !harvest                       ? "published and never served"
                : e->flags & TRACE_F_SIGNALLED ? "served and signalled, never harvested"
                                               : "served, neither signalled nor harvested");
    }
    if (j->stalls + j->deaf > j->stalls_named)
        fprintf(out, "and %" PRIu64 " more STALL candidates\n",
                j->stalls + j->deaf - j->stalls_named);
}

static void print_clock(FILE *out, const struct join *j)
{
    const struct clock *c = &j->clock;
    if (!c->valid) {
        fprintf(out, "  no kick with both sides: clocks not aligned\n");
        return;
    }
    fprintf(out, "clocks within %.3f us, guaranteed\n", export_bound_us(j));
    for (size_t i = 0; i < c->piece_count; i++) {
        const struct clock_piece *p = &c->pieces[i];
        fprintf(out, "  offset %+.3f us, drift %+.4f ppm, within %.3f us, by %zu kicks%s\n",
                (clock_host_ns(c, p->from) - (double)(int64_t)(p->from - c->tsc0) * c->tick) / 1e3,
                p->middle.slope / 1e3, clock_bound_most_ns(c, p->from, p->to) / 1e3, p->kicks,
                i ? ", after a cut" : "");
    }
    for (unsigned cpu = 0; j->cpus && cpu < j->cpu_count; cpu++)
        fprintf(out, "  CPU %u: TSC %+" PRId64 " cycles from CPU %zu's, %s\n", cpu,
                -reader_skew(&j->guest.reader, cpu), j->base_cpu,
                join_cpu_is_own(j, cpu) ? "aligned by its own kicks" : "too few kicks to tell");
}

void print_summary(FILE *out, const struct join *j, const struct digest *d)
{
    print_stalls(out, j);
    fprintf(out, "%s with %s\n", j->guest.reader.dir, j->host.reader.dir);
    export_numbers(j, d, number_line, out);
    print_clock(out, j);
    fprintf(out, "chains\n");
    for (int c = 0; c < CHAIN_COUNT; c++)
        if (j->chain_classes[c])
            fprintf(out, "  %-26s %-10" PRIu64 " %s\n", chain_class_name((enum chain_class)c),
                    j->chain_classes[c], meaning((enum chain_class)c));
    for (int side = 0; side < 2; side++) {
        fprintf(out, "%s records\n", trace_side_name((enum trace_side)side));
        for (int c = CLASS_none + 1; c < CLASS_COUNT; c++) {
            uint64_t n = join_class_count(j, (enum event_class)c, -1);
            if (n && class_side((enum event_class)c) == (enum trace_side)side)
                fprintf(out, "  %-26s %-10" PRIu64 " %s\n", class_name((enum event_class)c), n,
                        class_text((enum event_class)c));
        }
    }
}
