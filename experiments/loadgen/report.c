#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

struct source {
    const struct options *o;
    const struct run_result *result;
};

static bool sends(const struct options *o)
{
    return o->role != ROLE_SINK;
}

static bool receives(const struct options *o)
{
    return o->role != ROLE_SOURCE;
}

/* A sink that was not told --count takes the highest number it saw for the last one sent. */
static uint64_t lost(const struct source *s)
{
    const struct tracker *t = &s->result->tracker;

    if (sends(s->o))
        return s->result->sent - t->delivered;
    return (s->o->count != 0 ? s->o->count : t->highest_end) - t->delivered;
}

static double seconds(const struct run_result *result)
{
    return (double)(result->last_ns - result->first_ns) / (double)NS_PER_S;
}

/* Frames per second between the first frame and the last; one fewer gaps than frames. */
static double achieved_pps(const struct source *s)
{
    uint64_t frames = s->result->sent;

    if (!sends(s->o))
        frames = s->result->tracker.delivered + s->result->tracker.duplicates;
    if (frames < 2 || s->result->last_ns == s->result->first_ns)
        return 0;
    return (double)(frames - 1) / seconds(s->result);
}

static void count_line(FILE *f, const char *name, bool measured, uint64_t value)
{
    if (measured)
        fprintf(f, "%s\t%" PRIu64 "\n", name, value);
    else
        fprintf(f, "%s\t\n", name);
}

static void real_line(FILE *f, const char *name, bool measured, int digits, double value)
{
    if (measured)
        fprintf(f, "%s\t%.*f\n", name, digits, value);
    else
        fprintf(f, "%s\t\n", name);
}

static void micros_line(FILE *f, const char *name, const struct hgrm *h, double ns)
{
    real_line(f, name, h->total != 0, 3, ns / (double)NS_PER_US);
}

static void percentile_line(FILE *f, const char *name, const struct hgrm *h, double percent)
{
    micros_line(f, name, h, (double)hgrm_percentile(h, percent));
}

static void write_counts(FILE *f, const struct source *s)
{
    const struct run_result *result = s->result;
    const struct tracker *t = &result->tracker;
    bool in = receives(s->o);
    bool out = sends(s->o);

    count_line(f, "offered", s->o->count != 0, s->o->count);
    count_line(f, "sent", out, result->sent);
    count_line(f, "send_failed", out, result->send_failed);
    count_line(f, "unsent", out, result->unsent);
    count_line(f, "delivered", in, t->delivered);
    count_line(f, "lost", in, lost(s));
    count_line(f, "duplicates", in, t->duplicates);
    count_line(f, "reordered", in, t->reordered);
    count_line(f, "reorder_max", in, t->reorder_max);
    count_line(f, "foreign", in, result->foreign);
    count_line(f, "socket_drops", in, result->socket_drops);
    count_line(f, "offered_pps", out, s->o->rate_pps);
    real_line(f, "achieved_pps", achieved_pps(s) != 0, 3, achieved_pps(s));
    real_line(f, "seconds", result->first_ns != 0, 6, seconds(result));
}

static void write_times(FILE *f, const struct source *s)
{
    const struct hgrm *pacing = &s->result->pacing;
    const struct hgrm *latency = &s->result->latency;
    const struct hgrm *gaps = &s->result->gaps;

    micros_line(f, "pacing_mean_us", pacing, hgrm_mean(pacing));
    percentile_line(f, "pacing_p50_us", pacing, 50);
    percentile_line(f, "pacing_p99_us", pacing, 99);
    micros_line(f, "pacing_max_us", pacing, (double)pacing->max_ns);
    micros_line(f, "lat_mean_us", latency, hgrm_mean(latency));
    percentile_line(f, "p50_us", latency, 50);
    percentile_line(f, "p90_us", latency, 90);
    percentile_line(f, "p99_us", latency, 99);
    percentile_line(f, "p999_us", latency, 99.9);
    micros_line(f, "max_us", latency, (double)latency->max_ns);
    micros_line(f, "gap_mean_us", gaps, hgrm_mean(gaps));
    percentile_line(f, "gap_p50_us", gaps, 50);
    percentile_line(f, "gap_p99_us", gaps, 99);
    micros_line(f, "gap_max_us", gaps, (double)gaps->max_ns);
    count_line(f, "clamped", true, pacing->clamped + latency->clamped + gaps->clamped);
}

static void write_parameters(FILE *f, const struct source *s)
{
    const struct options *o = s->o;

    count_line(f, "frame_bytes", sends(o), o->frame_bytes);
    fprintf(f, "arrival\t%s\n", sends(o) ? arrival_name(o->arrival) : "");
    count_line(f, "seed", sends(o) && o->arrival == ARRIVAL_POISSON, o->seed);
    fprintf(f, "role\t%s\n", role_name(o->role));
    fprintf(f, "port\t%s\n", o->port);
    count_line(f, "run", sends(o) || s->result->first_ns != 0, s->result->run);
    count_line(f, "spin_us", sends(o), o->spin_ns / NS_PER_US);
    count_line(f, "drain_ms", receives(o), o->drain_ns / NS_PER_MS);
    count_line(f, "signal", true, (uint64_t)s->result->signal);
}

static void write_tsv(FILE *f, const void *what)
{
    write_counts(f, what);
    write_times(f, what);
    write_parameters(f, what);
}

static void write_hgrm(FILE *f, const void *what)
{
    hgrm_write(what, f);
}

static bool fail(FILE *err, const char *path, int error)
{
    fprintf(err, "loadgen: %s: %s; %s\n", path, strerror(error),
            error == ENOSPC || error == EFBIG ? "free space there or choose another --out"
                                              : "choose another --out");
    return false;
}

/* fsync because some file systems find out only then that they are full. */
static int finish(FILE *f)
{
    int error = 0;

    errno = 0;
    if (fflush(f) != 0 || ferror(f) || fsync(fileno(f)) != 0)
        error = errno != 0 ? errno : EIO;
    if (fclose(f) != 0 && error == 0)
        error = errno;
    return error;
}

static bool write_file(const char *directory, const char *name,
                       void (*write)(FILE *f, const void *what), const void *what, FILE *err)
{
    char path[PATH_MAX], aside[PATH_MAX];
    FILE *f;
    int error;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path) ||
        snprintf(aside, sizeof(aside), "%s/.%s.part", directory, name) >= (int)sizeof(aside))
        return fail(err, directory, ENAMETOOLONG);
    f = fopen(aside, "w");
    if (f == NULL)
        return fail(err, path, errno);
    write(f, what);
    error = finish(f);
    if (error == 0 && rename(aside, path) != 0)
        error = errno;
    if (error == 0)
        return true;
    unlink(aside);
    return fail(err, path, error);
}

bool report_write(const char *directory, const struct options *o, const struct run_result *result,
                  FILE *err)
{
    struct source s = { .o = o, .result = result };

    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return fail(err, directory, errno);
    if (o->role == ROLE_PINGPONG &&
        !write_file(directory, "latency.hgrm", write_hgrm, &result->latency, err))
        return false;
    if (sends(o) && !write_file(directory, "pacing.hgrm", write_hgrm, &result->pacing, err))
        return false;
    if (!sends(o) && !write_file(directory, "gaps.hgrm", write_hgrm, &result->gaps, err))
        return false;
    return write_file(directory, "loadgen.tsv", write_tsv, &s, err);
}

static double micros(const struct hgrm *h, double percent)
{
    return (double)hgrm_percentile(h, percent) / (double)NS_PER_US;
}

void report_summary(FILE *out, const struct options *o, const struct run_result *result)
{
    struct source s = { .o = o, .result = result };
    const struct tracker *t = &result->tracker;

    fprintf(out, "%s:", role_name(o->role));
    if (sends(o))
        fprintf(out,
                " %" PRIu64 " of %" PRIu64 " sent (%" PRIu64 " failed), %.1f of %" PRIu64
                " pps, pacing p99 %.1f us",
                result->sent, o->count, result->send_failed, achieved_pps(&s), o->rate_pps,
                micros(&result->pacing, 99));
    if (receives(o))
        fprintf(out,
                "%s %" PRIu64 " delivered, %" PRIu64 " lost, %" PRIu64 " duplicate, %" PRIu64
                " reordered",
                sends(o) ? ";" : "", t->delivered, lost(&s), t->duplicates, t->reordered);
    if (o->role == ROLE_PINGPONG && result->latency.total != 0)
        fprintf(out, "; latency p50 %.1f p99 %.1f max %.1f us", micros(&result->latency, 50),
                micros(&result->latency, 99), (double)result->latency.max_ns / (double)NS_PER_US);
    if (o->role == ROLE_SINK)
        fprintf(out, "; %.1f pps", achieved_pps(&s));
    fputc('\n', out);
}
