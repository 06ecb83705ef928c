#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "../ctf/complain.h"

static void raw_column(FILE *f, const struct chain *c, enum stage stage)
{
    uint64_t time;
    if (stage_raw(c, stage, &time))
        fprintf(f, "\t%" PRIu64, time);
    else
        fputc('\t', f);
}

static void index_column(FILE *f, const struct event *e, uint64_t value)
{
    if (e)
        fprintf(f, "\t%" PRIu64, value);
    else
        fputc('\t', f);
}

static void chain_head(FILE *f)
{
    fputs("kick\tqueue\tavail_idx\tclass\tpublish_tsc\tkick_before_tsc\tkick_after_tsc\t"
          "host_kick_ns\thost_count\tmerged\trun_begin_ns\trun_end_ns\trun_avail_begin\t"
          "run_avail_end\tused_ns\tused_idx\tsignalled\tcall_read_ns\tirq_tsc\tharvest_tsc",
          f);
    for (int s = 0; s < STAGE_COUNT; s++)
        fprintf(f, "\tt_%s_ns", stage_name((enum stage)s));
    fputc('\n', f);
}

static void chain_row(FILE *f, const struct join *j, const struct chain *c)
{
    const struct event *begin = c->run ? c->run->begin : NULL, *end = c->run ? c->run->end : NULL;
    fprintf(f, "%u\t%s\t%" PRIu64 "\t%s", c->kick->seq, queue_name(c->vq), c->kick->a,
            chain_class_name(c->class));
    raw_column(f, c, STAGE_publish);
    raw_column(f, c, STAGE_kick_before);
    raw_column(f, c, STAGE_kick_after);
    raw_column(f, c, STAGE_host_kick);
    index_column(f, c->host_kick, c->host_kick ? c->host_kick->seq : 0);
    index_column(f, c->host_kick, c->host_kick && c->host_kick->flags & TRACE_F_MERGED);
    raw_column(f, c, STAGE_run_begin);
    raw_column(f, c, STAGE_run_end);
    index_column(f, begin, begin ? begin->a : 0);
    index_column(f, end, end ? end->a : 0);
    raw_column(f, c, STAGE_used);
    index_column(f, c->used, c->used ? c->used->a : 0);
    index_column(f, c->used, c->used && c->used->flags & TRACE_F_SIGNALLED);
    raw_column(f, c, STAGE_call_read);
    raw_column(f, c, STAGE_irq);
    raw_column(f, c, STAGE_harvest);
    for (int s = 0; s < STAGE_COUNT; s++) {
        double ns;
        if (j->clock.valid && stage_ns(j, c, (enum stage)s, &ns))
            fprintf(f, "\t%lld", llround(ns));
        else
            fputc('\t', f);
    }
    fputc('\n', f);
}

static void write_chains(FILE *f, const struct join *j, size_t max)
{
    chain_head(f);
    for (size_t i = 0; i < j->chain_count && i < max; i++)
        chain_row(f, j, &j->chains[i]);
}

static void write_classes(FILE *f, const struct join *j)
{
    uint64_t sum[2] = { 0, 0 };
    fputs("side\tclass\trecords\trx\ttx\ttext\n", f);
    for (int c = CLASS_none + 1; c < CLASS_COUNT; c++) {
        enum trace_side side = class_side((enum event_class)c);
        uint64_t n = join_class_count(j, (enum event_class)c, -1);
        sum[side] += n;
        fprintf(f, "%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\n", trace_side_name(side),
                class_name((enum event_class)c), n,
                join_class_count(j, (enum event_class)c, TRACE_VQ_RX),
                join_class_count(j, (enum event_class)c, TRACE_VQ_TX),
                class_text((enum event_class)c));
    }
    const struct trace *traces[] = { &j->guest, &j->host };
    for (int side = 0; side < 2; side++) {
        const char *name = trace_side_name((enum trace_side)side);
        fprintf(f, "%s\tlost\t%" PRIu64 "\t\t\tlost before they reached the trace\n", name,
                traces[side]->lost);
        fprintf(f, "%s\ttotal\t%" PRIu64 "\t\t\tall of the above\n", name,
                sum[side] + traces[side]->lost);
    }
}

int export_adds_up(const struct join *j)
{
    const struct trace *traces[] = { &j->guest, &j->host };
    int good = 1;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < traces[side]->count; i++) {
            const struct event *e = &traces[side]->events[i];
            if (e->class != CLASS_none && class_side(e->class) == (enum trace_side)side)
                continue;
            if (good)
                complain("%s: record %zu (%s, queue %u, seq %u) fell in no class: the classes do "
                         "not add up to the records read",
                         traces[side]->dir, i, event_name(e->id), e->vq, e->seq);
            good = 0;
        }
    return good;
}

static void number_row(void *context, const char *name, const char *value)
{
    fprintf(context, "%s\t%s\n", name, value);
}

static void write_numbers(FILE *f, const struct join *j)
{
    export_numbers(j, number_row, f);
}

static void write_align(FILE *f, const struct join *j)
{
    const struct clock *c = &j->clock;
    if (!c->valid) {
        fprintf(f, "{ \"aligned\": false, \"tsc_hz\": %" PRIu64 " }\n", j->guest.hz);
        return;
    }
    fprintf(f,
            "{\n  \"aligned\": true,\n  \"tsc_hz\": %" PRIu64 ",\n  \"tsc0\": %" PRIu64 ",\n"
            "  \"host0_ns\": %" PRIu64 ",\n  \"offset_ns\": %.3f,\n  \"drift_ppm\": %.6f,\n"
            "  \"drift_limit_ppm\": %.0f,\n  \"bound_ns\": %.3f,\n  \"widened_ns\": %.3f,\n"
            "  \"left_out\": %zu,\n  \"formula\": \"host_ns = host0_ns + x * (1e9 + 1e3 * "
            "drift_ppm) + offset_ns, x = (tsc - tsc0) / tsc_hz\"\n}\n",
            j->guest.hz, c->tsc0, c->host0, c->offset, c->slope / 1e3, c->slope_max / 1e3,
            export_bound_us(j) * 1e3, c->widened, c->suspect_count);
}

static FILE *open_in(const char *dir, const char *name, char *path, size_t size)
{
    if ((size_t)snprintf(path, size, "%s/%s", dir, name) >= size) {
        complain("%s: path too long", dir);
        return NULL;
    }
    FILE *f = fopen(path, "w");
    if (!f)
        complain("%s: %s", path, strerror(errno));
    return f;
}

static int close_checked(FILE *f, const char *path)
{
    int bad = ferror(f);
    if (fclose(f) || bad)
        return complain("%s: %s", path, strerror(errno));
    return 0;
}

int export_all(const struct join *j, const char *dir, size_t chains_max)
{
    static const struct {
        const char *name;
        void (*write)(FILE *f, const struct join *j);
    } files[] = {
        { "classes.tsv", write_classes },
        { "join.tsv", write_numbers },
        { "align.json", write_align },
    };
    char path[4096];
    if (mkdir(dir, 0777) && errno != EEXIST)
        return complain("%s: %s", dir, strerror(errno));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FILE *f = open_in(dir, files[i].name, path, sizeof path);
        if (!f)
            return -1;
        files[i].write(f, j);
        if (close_checked(f, path))
            return -1;
    }
    FILE *f = open_in(dir, "chains.tsv", path, sizeof path);
    if (!f)
        return -1;
    write_chains(f, j, chains_max);
    return close_checked(f, path);
}

static void lane(FILE *f, const struct join *j, const struct chain *c, const char *name,
                 enum stage from, enum stage to, const char *label)
{
    double begin, end;
    if (!stage_ns(j, c, from, &begin))
        return;
    if (!stage_ns(j, c, to, &end) || end < begin)
        end = begin;
    fprintf(f, "%s\t%.3f\t%.3f\t%s\n", name, begin / 1e3, end / 1e3, label);
}

int export_timeline(const struct join *j, const struct chain *c, const char *path)
{
    char text[64];
    if (!c || !j->clock.valid) {
        complain("%s: no timeline: %s", path,
                 c ? "the clocks are not aligned" : "no such chain, or none is complete");
        return 0;
    }
    FILE *f = fopen(path, "w");
    if (!f)
        return complain("%s: %s", path, strerror(errno));
    fprintf(f, "# queue %s\n# ordinal %u\n# clock_bound_us %.3f\n", queue_name(c->vq), c->kick->seq,
            export_bound_us(j));
    fputs("lane\tstart_us\tend_us\tlabel\n", f);
    snprintf(text, sizeof text, "avail idx %" PRIu64, c->kick->a);
    lane(f, j, c, "publish", STAGE_publish, STAGE_kick_before, text);
    lane(f, j, c, "kick", STAGE_kick_before, STAGE_kick_after, "doorbell write");
    snprintf(text, sizeof text, "%" PRIu64 " buffers",
             c->run ? c->run->end->a - c->run->begin->a : 0);
    lane(f, j, c, "vhost service", STAGE_run_begin, STAGE_run_end, text);
    if (c->used && c->used->flags & TRACE_F_SIGNALLED)
        lane(f, j, c, "call", STAGE_used, STAGE_call_read, "eventfd");
    snprintf(text, sizeof text, "used idx %" PRIu64, c->irq ? c->irq->a : 0);
    lane(f, j, c, "irq", STAGE_irq, STAGE_irq, text);
    snprintf(text, sizeof text, "%" PRIu64 " frames", c->harvest ? c->harvest->b : 0);
    lane(f, j, c, "harvest", STAGE_harvest, STAGE_harvest, text);
    return close_checked(f, path);
}
