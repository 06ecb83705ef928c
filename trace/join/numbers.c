/* The numbers of a join: what the sweep's table takes and the summary prints. */
#include <inttypes.h>
#include <stdarg.h>

#include "export.h"

struct emitter {
    void (*emit)(void *context, const char *name, const char *value);
    void *context;
};

static void emit(const struct emitter *e, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void emit(const struct emitter *e, const char *name, const char *format, ...)
{
    char value[64];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    e->emit(e->context, name, value);
}

double export_bound_us(const struct join *j)
{
    double most = 0;
    if (!j->guest.records)
        return 0;
    for (size_t cpu = 0; cpu < (j->cpus ? j->cpu_count : 1); cpu++) {
        const struct clock *c = join_cpu_clock(j, (unsigned)cpu);
        double bound = clock_bound_most_ns(c, j->guest.first.time, j->guest.last.time);
        most = bound > most ? bound : most;
    }
    return most / 1e3;
}

static uint64_t host_kicks(const struct join *j, int vq)
{
    return join_class_count(j, CLASS_host_kick_matched, vq) +
           join_class_count(j, CLASS_host_kick_unmatched, vq) +
           join_class_count(j, CLASS_host_kick_outside, vq);
}

static void emit_counts(const struct join *j, const struct digest *d, const struct emitter *e)
{
    const struct queue *rx = &j->queue[TRACE_VQ_RX], *tx = &j->queue[TRACE_VQ_TX];
    emit(e, "chains", "%" PRIu64, j->chain_count);
    emit(e, "chains_complete", "%" PRIu64, d->complete);
    emit(e, "chains_unsettled", "%" PRIu64, d->unsettled);
    emit(e, "unmatched", "%" PRIu64, j->unmatched);
    emit(e, "kicks_outside", "%" PRIu64,
         join_class_count(j, CLASS_kick_outside, -1) +
             join_class_count(j, CLASS_host_kick_outside, -1));
    emit(e, "stalls", "%" PRIu64, j->stalls);
    emit(e, "stalls_unharvested", "%" PRIu64, j->deaf);
    emit(e, "guest_records", "%" PRIu64, j->guest.records);
    emit(e, "host_records", "%" PRIu64, j->host.records);
    emit(e, "guest_lost", "%" PRIu64, j->guest.lost);
    emit(e, "host_lost", "%" PRIu64, j->host.lost);
    emit(e, "trace_lost", "%" PRIu64, j->guest.lost + j->host.lost);
    emit(e, "guest_tx_kicks", "%" PRIu64, tx->kicks);
    emit(e, "guest_rx_kicks", "%" PRIu64, rx->kicks);
    emit(e, "host_tx_kicks", "%" PRIu64, host_kicks(j, TRACE_VQ_TX));
    emit(e, "host_rx_kicks", "%" PRIu64, host_kicks(j, TRACE_VQ_RX));
    emit(e, "host_calls", "%" PRIu64, rx->calls_made + tx->calls_made);
    emit(e, "host_calls_suppressed", "%" PRIu64, join_class_count(j, CLASS_used_suppressed, -1));
    emit(e, "host_runs", "%" PRIu64, rx->run_count + tx->run_count);
    emit(e, "irqs", "%" PRIu64, rx->irq_count + tx->irq_count);
}

static void emit_clock(const struct join *j, const struct emitter *e)
{
    const struct clock *c = &j->clock;
    if (!c->valid || !j->guest.records) {
        emit(e, "clock_bound_us", "%s", "");
        emit(e, "clock_offset_ns", "%s", "");
        emit(e, "clock_drift_ppm", "%s", "");
        emit(e, "clock_pieces", "%s", "");
        emit(e, "clock_left_out", "%s", "");
        return;
    }
    uint64_t start = j->guest.first.time;
    emit(e, "clock_bound_us", "%.3f", export_bound_us(j));
    long double offset = (long double)c->host0 + (long double)clock_host_ns(c, start) -
                         (long double)start * 1e9L / (long double)c->hz;
    emit(e, "clock_offset_ns", "%.0Lf", offset);
    emit(e, "clock_drift_ppm", "%.4f", c->pieces[0].middle.slope / 1e3);
    emit(e, "clock_pieces", "%zu", c->piece_count);
    emit(e, "clock_left_out", "%zu", c->suspect_count);
}

static void emit_spreads(const struct digest *d, const struct emitter *e)
{
    for (int span = 0; span < SPAN_COUNT; span++) {
        const struct spread *s = &d->spans[span];
        char name[64];
        const struct {
            const char *suffix;
            double ns;
        } values[] = { { "p50_us", spread_percentile(s, 50) },
                       { "p99_us", spread_percentile(s, 99) },
                       { "max_us", s->most } };
        for (size_t v = 0; span_has_column((enum span)span) && v < 3; v++) {
            snprintf(name, sizeof name, "%s_%s", span_name((enum span)span), values[v].suffix);
            if (spread_count(s))
                emit(e, name, "%.3f", values[v].ns / 1e3);
            else
                emit(e, name, "%s", "");
        }
    }
}

void export_numbers(const struct join *j, const struct digest *d,
                    void (*callback)(void *context, const char *name, const char *value),
                    void *context)
{
    const struct emitter e = { callback, context };
    emit_counts(j, d, &e);
    emit_clock(j, &e);
    emit_spreads(d, &e);
}
