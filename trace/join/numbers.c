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
    if (!j->guest.count)
        return 0;
    /* The bound is convex in time, so it is largest at an end of the slice. */
    double first = clock_bound_ns(&j->clock, j->guest.events[0].time);
    double last = clock_bound_ns(&j->clock, j->guest.events[j->guest.count - 1].time);
    return (first > last ? first : last) / 1e3;
}

static uint64_t host_kicks(const struct join *j, int vq)
{
    return join_class_count(j, CLASS_host_kick_matched, vq) +
           join_class_count(j, CLASS_host_kick_unmatched, vq) +
           join_class_count(j, CLASS_host_kick_outside, vq);
}

static void emit_counts(const struct join *j, const struct emitter *e)
{
    const struct queue *rx = &j->queue[TRACE_VQ_RX], *tx = &j->queue[TRACE_VQ_TX];
    uint64_t complete = 0;
    for (size_t i = 0; i < j->chain_count; i++)
        complete += (uint64_t)chain_complete(&j->chains[i]);
    emit(e, "chains", "%zu", j->chain_count);
    emit(e, "chains_complete", "%" PRIu64, complete);
    emit(e, "unmatched", "%" PRIu64, j->unmatched);
    emit(e, "kicks_outside", "%" PRIu64,
         join_class_count(j, CLASS_kick_outside, -1) +
             join_class_count(j, CLASS_host_kick_outside, -1));
    emit(e, "stalls", "%" PRIu64, j->stalls);
    emit(e, "guest_records", "%zu", j->guest.count);
    emit(e, "host_records", "%zu", j->host.count);
    emit(e, "guest_lost", "%" PRIu64, j->guest.lost);
    emit(e, "host_lost", "%" PRIu64, j->host.lost);
    emit(e, "trace_lost", "%" PRIu64, j->guest.lost + j->host.lost);
    emit(e, "guest_tx_kicks", "%zu", tx->kicks.n);
    emit(e, "guest_rx_kicks", "%zu", rx->kicks.n);
    emit(e, "host_tx_kicks", "%" PRIu64, host_kicks(j, TRACE_VQ_TX));
    emit(e, "host_rx_kicks", "%" PRIu64, host_kicks(j, TRACE_VQ_RX));
    emit(e, "host_calls", "%zu", rx->calls.n + tx->calls.n);
    emit(e, "host_calls_suppressed", "%" PRIu64, join_class_count(j, CLASS_used_suppressed, -1));
    emit(e, "host_runs", "%zu", rx->run_count + tx->run_count);
    emit(e, "irqs", "%zu", rx->irqs.n + tx->irqs.n);
}

static void emit_clock(const struct join *j, const struct emitter *e)
{
    const struct clock *c = &j->clock;
    if (!c->valid || !j->guest.count) {
        emit(e, "clock_bound_us", "%s", "");
        emit(e, "clock_offset_ns", "%s", "");
        emit(e, "clock_drift_ppm", "%s", "");
        return;
    }
    uint64_t start = j->guest.events[0].time;
    emit(e, "clock_bound_us", "%.3f", export_bound_us(j));
    long double offset = (long double)c->host0 + (long double)clock_host_ns(c, start) -
                         (long double)start * 1e9L / (long double)c->hz;
    emit(e, "clock_offset_ns", "%.0Lf", offset);
    emit(e, "clock_drift_ppm", "%.4f", c->slope / 1e3);
}

static void emit_spreads(const struct join *j, const struct emitter *e)
{
    static const struct {
        enum stage from, to;
        const char *name;
    } spans[] = {
        { STAGE_publish, STAGE_kick_before, "publish_to_kick" },
        { STAGE_kick_before, STAGE_kick_after, "doorbell" },
        { STAGE_host_kick, STAGE_run_begin, "kick_to_run" },
        { STAGE_run_begin, STAGE_used, "run_to_used" },
        { STAGE_used, STAGE_call_read, "used_to_call_read" },
        { STAGE_call_read, STAGE_irq, "call_read_to_irq" },
        { STAGE_used, STAGE_irq, "used_to_irq" },
        { STAGE_irq, STAGE_harvest, "irq_to_harvest" },
        { STAGE_kick_before, STAGE_harvest, "kick_to_harvest" },
    };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct spread s = { 0, 0, 0 };
        char name[64];
        size_t n = stage_spread(j, spans[i].from, spans[i].to, &s);
        const struct {
            const char *suffix;
            double ns;
        } values[] = { { "p50_us", s.p50 }, { "p99_us", s.p99 }, { "max_us", s.max } };
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            snprintf(name, sizeof name, "%s_%s", spans[i].name, values[v].suffix);
            if (n)
                emit(e, name, "%.3f", values[v].ns / 1e3);
            else
                emit(e, name, "%s", "");
        }
    }
}

void export_numbers(const struct join *j,
                    void (*callback)(void *context, const char *name, const char *value),
                    void *context)
{
    const struct emitter e = { callback, context };
    emit_counts(j, &e);
    emit_clock(j, &e);
    emit_spreads(j, &e);
}
