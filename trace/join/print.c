/* Text for a person: one chain stage by stage, or the whole join at a glance. */
#include <inttypes.h>
#include <math.h>
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

static void key_of(const struct join *j, const struct chain *c, enum stage stage, char *text,
                   size_t size)
{
    switch (stage) {
    case STAGE_publish:
        snprintf(text, size, "avail_idx %" PRIu64 ", %" PRIu64 " buffers", c->publish->a,
                 c->publish->b);
        break;
    case STAGE_kick_before:
        snprintf(text, size, "ordinal %u, doorbell took %.3f us", c->kick->seq,
                 (join_guest_ns(j, c->kick->time) - join_guest_ns(j, c->kick->b)) / 1e3);
        break;
    case STAGE_host_kick:
        snprintf(text, size, "eventfd count %u%s", c->host_kick->seq,
                 c->host_kick->flags & TRACE_F_MERGED ? ", merged: work was queued already" : "");
        break;
    case STAGE_run_begin:
        snprintf(text, size, "avail %" PRIu64 " to %" PRIu64 " in %.3f us, by %s", c->run->begin->a,
                 c->run->end->a, (double)(c->run->end->time - c->run->begin->time) / 1e3,

                 c->run->begin->class == CLASS_run_kick  ? "a kick"
                 : c->run->begin->class == CLASS_run_net ? "the socket"
                                                         : "no new cause");
        break;
    case STAGE_used:
        snprintf(text, size, "used_idx %" PRIu64 ", %" PRIu64 " entries, %s", c->used->a,
                 c->used->b,
                 c->used->flags & TRACE_F_SIGNALLED ? class_name(c->used->class) : "no call");
        break;
    case STAGE_call_read:
        snprintf(text, size, "%" PRIu64 " calls in one read", c->call_read->a);
        break;
    case STAGE_irq:
        snprintf(text, size, "handler saw used_idx %" PRIu64, c->irq->a);
        break;
    default:
        snprintf(text, size, "%" PRIu64 " entries, %" PRIu64 " so far", c->harvest->b,
                 c->harvest->a);
        break;
    }
}

void print_chain(FILE *out, const struct join *j, const struct chain *c)
{
    /* The ends of the doorbell and of the service are told with their beginnings: they may come
     * after the stages that follow. */
    static const enum stage told[] = { STAGE_publish,   STAGE_kick_before, STAGE_host_kick,
                                       STAGE_run_begin, STAGE_used,        STAGE_call_read,
                                       STAGE_irq,       STAGE_harvest };
    fprintf(out, "%s kick %u, avail index %" PRIu64 ": %s (%s)\n", queue_name(c->vq), c->kick->seq,
            c->index, chain_class_name(c->class), meaning(c->class));
    if (j->clock.valid)
        fprintf(out,
                "us since the cell's start; clocks within %.3f us, ~ marks an order they do not "
                "settle\n",
                clock_bound_ns(&j->clock, c->kick->time) / 1e3);
    else
        fprintf(out, "us since each side's start: clocks not aligned\n");
    fprintf(out, "%-6s %-12s %14s %11s  %s\n", "side", "stage", "us", "+us", "key");
    double before = 0;
    int have = 0;
    enum trace_side side_before = TRACE_SIDE_GUEST;
    for (size_t s = 0; s < sizeof told / sizeof *told; s++) {
        enum stage stage = told[s];
        uint64_t raw;
        char key[128], delta[32] = "";
        if (!stage_raw(c, stage, &raw))
            continue;
        enum trace_side side = stage_side(stage);
        double ns = side == TRACE_SIDE_HOST ? join_host_ns(j, raw) : join_guest_ns(j, raw);
        int comparable = side == side_before || j->clock.valid;
        int unsettled = side != side_before && j->clock.valid &&
                        fabs(ns - before) < clock_bound_ns(&j->clock, c->kick->time);
        if (have && comparable)
            snprintf(delta, sizeof delta, "%s%+.3f", unsettled ? "~" : "", (ns - before) / 1e3);
        key_of(j, c, stage, key, sizeof key);
        fprintf(out, "%-6s %-12s %14.3f %11s  %s\n", trace_side_name(side),
                stage == STAGE_kick_before ? "kick" : stage_name(stage), ns / 1e3, delta, key);
        before = ns;
        side_before = side;
        have = 1;
    }
}

static void number_line(void *context, const char *name, const char *value)
{
    if (*value && !strstr(name, "max_us"))
        fprintf(context, "  %-26s %s\n", name, value);
}

void print_summary(FILE *out, const struct join *j)
{
    size_t count[CHAIN_COUNT] = { 0 };
    fprintf(out, "%s with %s\n", j->guest.dir, j->host.dir);
    export_numbers(j, number_line, out);
    if (!j->clock.valid)
        fprintf(out, "  no kick with both sides: clocks not aligned\n");
    for (size_t i = 0; i < j->chain_count; i++)
        count[j->chains[i].class]++;
    fprintf(out, "chains\n");
    for (int c = 0; c < CHAIN_COUNT; c++)
        if (count[c])
            fprintf(out, "  %-26s %-10zu %s\n", chain_class_name((enum chain_class)c), count[c],
                    meaning((enum chain_class)c));
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
