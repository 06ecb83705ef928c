#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "../ctf/complain.h"

static void write_classes(FILE *f, const struct join *j, const struct digest *d)
{
    (void)d;
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
    const struct side *sides[] = { &j->guest, &j->host };
    for (int side = 0; side < 2; side++) {
        const char *name = trace_side_name((enum trace_side)side);
        fprintf(f, "%s\tlost\t%" PRIu64 "\t\t\tlost before they reached the trace\n", name,
                sides[side]->lost);
        fprintf(f, "%s\ttotal\t%" PRIu64 "\t\t\tall of the above\n", name,
                sum[side] + sides[side]->lost);
    }
}

int export_adds_up(const struct join *j)
{
    const struct side *sides[] = { &j->guest, &j->host };
    int good = 1;
    for (int side = 0; side < 2; side++) {
        uint64_t sum = 0;
        for (int c = CLASS_none + 1; c < CLASS_COUNT; c++)
            if (class_side((enum event_class)c) == (enum trace_side)side)
                sum += join_class_count(j, (enum event_class)c, -1);
        if (sum == sides[side]->records)
            continue;
        complain("%s: the classes hold %" PRIu64 " records and %" PRIu64 " were read: they do not "
                 "add up",
                 sides[side]->reader.dir, sum, sides[side]->records);
        good = 0;
    }
    return good;
}

static void number_row(void *context, const char *name, const char *value)
{
    fprintf(context, "%s\t%s\n", name, value);
}

static void write_numbers(FILE *f, const struct join *j, const struct digest *d)
{
    export_numbers(j, d, number_row, f);
}

static void write_pieces(FILE *f, const struct clock *c)
{
    for (size_t i = 0; i < c->piece_count; i++) {
        const struct clock_piece *p = &c->pieces[i];
        fprintf(f,
                "%s\n    { \"from_tsc\": %" PRIu64 ", \"to_tsc\": %" PRIu64 ", \"kicks\": %zu, "
                "\"offset_ns\": %.3f, \"drift_ppm\": %.6f, \"bound_ns\": %.3f }",
                i ? "," : "", p->from, p->to, p->kicks, p->middle.offset, p->middle.slope / 1e3,
                clock_bound_most_ns(c, p->from, p->to));
    }
}

static void write_cpus(FILE *f, const struct join *j)
{
    for (size_t cpu = 0; cpu < (j->cpus ? j->cpu_count : 0); cpu++)
        fprintf(f, "%s{ \"cpu\": %zu, \"tsc_behind\": %" PRId64 " }", cpu ? ", " : "", cpu,
                reader_skew(&j->guest.reader, (unsigned)cpu));
}

static void write_align(FILE *f, const struct join *j, const struct digest *d)
{
    const struct clock *c = &j->clock;
    (void)d;
    if (!c->valid) {
        fprintf(f, "{ \"aligned\": false, \"tsc_hz\": %" PRIu64 " }\n", j->guest.reader.hz);
        return;
    }
    const struct clock_piece *p = &c->pieces[0];
    fprintf(f,
            "{\n  \"aligned\": true,\n  \"tsc_hz\": %" PRIu64 ",\n  \"tsc0\": %" PRIu64 ",\n"
            "  \"host0_ns\": %" PRIu64 ",\n  \"offset_ns\": %.3f,\n  \"drift_ppm\": %.6f,\n"
            "  \"drift_limit_ppm\": %.0f,\n  \"bound_ns\": %.3f,\n  \"widened_ns\": 0,\n"
            "  \"left_out\": %zu,\n  \"formula\": \"host_ns = host0_ns + x * (1e9 + 1e3 * "
            "drift_ppm) + offset_ns, x = (tsc - tsc0) / tsc_hz\",\n  \"pieces\": [",
            j->guest.reader.hz, c->tsc0, c->host0, p->middle.offset, p->middle.slope / 1e3,
            p->slope_max / 1e3, export_bound_us(j) * 1e3, c->suspect_count);
    write_pieces(f, c);
    fputs(" ],\n  \"cpus\": [", f);
    write_cpus(f, j);
    fputs("]\n}\n", f);
}

FILE *export_open(const char *dir, const char *name, char *path, size_t size)
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

int export_close(FILE *f, const char *path)
{
    int bad = ferror(f);
    if (fclose(f) || bad)
        return complain("%s: %s", path, strerror(errno));
    return 0;
}

/* One file a span; times below zero, which only the clocks' bound makes, count as zero. */
static int write_histograms(const struct digest *d, const char *dir)
{
    char stages[4096], path[4096], name[64];
    if ((size_t)snprintf(stages, sizeof stages, "%s/stages", dir) >= sizeof stages)
        return complain("%s: path too long", dir);
    if (mkdir(stages, 0777) && errno != EEXIST)
        return complain("%s: %s", stages, strerror(errno));
    struct hgrm *all = malloc(sizeof *all);
    if (!all)
        abort();
    int bad = 0;
    for (int span = 0; span < SPAN_COUNT && !bad; span++) {
        *all = d->spans[span].forward;
        all->count[0] += d->spans[span].backward.total;
        all->total += d->spans[span].backward.total;
        snprintf(name, sizeof name, "%s.hgrm", span_name((enum span)span));
        FILE *f = export_open(stages, name, path, sizeof path);
        bad = !f;
        if (f) {
            hgrm_write(all, f);
            bad = export_close(f, path);
        }
    }
    free(all);
    return bad ? -1 : 0;
}

int export_all(const struct join *j, const struct digest *d, const char *dir)
{
    static const struct {
        const char *name;
        void (*write)(FILE *f, const struct join *j, const struct digest *d);
    } files[] = {
        { "classes.tsv", write_classes },
        { "join.tsv", write_numbers },
        { "align.json", write_align },
    };
    char path[4096];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FILE *f = export_open(dir, files[i].name, path, sizeof path);
        if (!f)
            return -1;
        files[i].write(f, j, d);
        if (export_close(f, path))
            return -1;
    }
    return write_histograms(d, dir);
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
    const struct event *run = chain_event(c, LINK_run_begin), *used = chain_event(c, LINK_used),
                       *irq = chain_event(c, LINK_irq), *harvest = chain_event(c, LINK_harvest);
    FILE *f = fopen(path, "w");
    if (!f)
        return complain("%s: %s", path, strerror(errno));
    fprintf(f, "# queue %s\n# ordinal %u\n# clock_bound_us %.3f\n", queue_name(c->vq),
            c->link[LINK_kick].seq, export_bound_us(j));
    fputs("lane\tstart_us\tend_us\tlabel\n", f);
    snprintf(text, sizeof text, "avail idx %" PRIu64, c->link[LINK_kick].a);
    lane(f, j, c, "publish", STAGE_publish, STAGE_kick_before, text);
    lane(f, j, c, "kick", STAGE_kick_before, STAGE_kick_after, "doorbell write");
    snprintf(text, sizeof text, "%" PRIu64 " buffers", run ? c->link[LINK_run_end].a - run->a : 0);
    lane(f, j, c, "vhost service", STAGE_run_begin, STAGE_run_end, text);
    if (used && used->flags & TRACE_F_SIGNALLED)
        lane(f, j, c, "call", STAGE_used, STAGE_call_read, "eventfd");
    snprintf(text, sizeof text, "used idx %" PRIu64, irq ? irq->a : 0);
    lane(f, j, c, "irq", STAGE_irq, STAGE_irq, text);
    snprintf(text, sizeof text, "%" PRIu64 " frames", harvest ? harvest->b : 0);
    lane(f, j, c, "harvest", STAGE_harvest, STAGE_harvest, text);
    return export_close(f, path);
}
