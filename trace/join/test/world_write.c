/* Hands a made-up world over in the form that the real tools leave behind. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../ctf/stream.h"
#include "world.h"

#define CHUNK 40 /* lines of one CPU that the tracer prints before it looks at another */

struct world_options world_defaults(uint64_t seed)
{
    return (struct world_options){ .seed = seed,
                                   .sends = 300,
                                   .hz = 2.4e9,
                                   .drift_ppm = 20,
                                   .exit_us = .5,
                                   .poll_share = .2,
                                   .rx_ring = 256,
                                   .first_index = 65400,
                                   .first_kick = 41,
                                   .first_count = 57 };
}

static long double rate_of(const struct world_options *o, int stepped)
{
    double ppm = o->drift_ppm + (stepped ? o->step_ppm : 0);
    return (long double)o->hz * (1 + (long double)ppm / 1e6L);
}

long double world_tsc(const struct world_options *o, long double ns)
{
    long double step = o->step_ms * 1e6L;
    if (!(step > 0) || ns <= step)
        return ns / 1e9L * rate_of(o, 0);
    return step / 1e9L * rate_of(o, 0) + (ns - step) / 1e9L * rate_of(o, 1);
}

long double world_host_ns(const struct world *w, uint64_t tsc)
{
    const struct world_options *o = &w->options;
    long double cycles = (long double)(tsc - WORLD_TSC_START), step = o->step_ms * 1e6L;
    long double before = world_tsc(o, step);
    if (!(step > 0) || cycles <= before)
        return WORLD_HOST_START + cycles * 1e9L / rate_of(o, 0);
    return WORLD_HOST_START + step + (cycles - before) * 1e9L / rate_of(o, 1);
}

uint64_t world_tsc_after(const struct world *w, uint64_t ns)
{
    return (uint64_t)world_tsc(&w->options, (long double)ns);
}

static int chance(uint64_t *random, double probability)
{
    *random = *random * 6364136223846793005ull + 1442695040888963407ull;
    return (double)(*random >> 11) / 9007199254740992.0 < probability;
}

unsigned world_cpu(const struct world *w, const struct trace_record *r)
{
    return w->options.vcpus > 1 && r->vq == TRACE_VQ_RX;
}

/* One CPU's records; the number of a record decides whether it is lost, so that the CPUs' losses do
 * not depend on each other. */
static int write_vcpu(struct world *w, const char *dir, unsigned cpu, long skip)
{
    struct ctf_stream s;
    uint64_t random = w->options.seed ^ 0x5555, lost = 0,
             skew = cpu ? (uint64_t)w->options.tsc_skew : 0;
    uint64_t since = w->guest[0].time + skew;
    if (ctf_stream_open(&s, dir, cpu))
        return -1;
    for (unsigned i = 0; i < w->guest_count; i++) {
        struct trace_record r = w->guest[i];
        int unlucky = chance(&random, w->options.guest_loss);
        if ((long)i == skip || world_cpu(w, &r) != cpu)
            continue;
        if (unlucky) {
            lost++;
            w->guest_lost++;
            continue;
        }
        r.time += skew;
        r.b += r.id == TRACE_EV_kick ? skew : 0;
        if (ctf_stream_gap(&s, lost, since, r.time) || ctf_stream_put(&s, &r))
            return -1;
        lost = 0;
        since = r.time;
        w->guest_written++;
    }
    if (ctf_stream_gap(&s, lost, since, since))
        return -1;
    return ctf_stream_close(&s);
}

static int write_guest(struct world *w, const char *dir, long skip)
{
    unsigned cpus = w->options.vcpus > 1 ? w->options.vcpus : 1;
    if (ctf_dir_create(dir, TRACE_SIDE_GUEST, (uint64_t)w->options.hz, cpus))
        return -1;
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        if (write_vcpu(w, dir, cpu, skip))
            return -1;
    return 0;
}

static uint64_t as_logged(const struct trace_record *r, int b)
{
    int run = r->id == TRACE_EV_run_begin || r->id == TRACE_EV_run_end;
    int notify = r->id == TRACE_EV_notify_off || r->id == TRACE_EV_notify_on;
    int index = b ? run : run || notify || r->id == TRACE_EV_host_kick || r->id == TRACE_EV_used;
    uint64_t value = b ? r->b : r->a;
    return index ? value & 0xffff : value;
}

static void write_line(FILE *f, unsigned cpu, uint64_t n, const struct trace_record *r)
{
    fprintf(f, "R %u %" PRIu64 " %" PRIu64 " %u %u %u %s %d %u %" PRIu64 " %" PRIu64 "\n", cpu, n,
            r->time, r->id, r->vq, r->flags, r->id == TRACE_EV_mark ? "0" : "ffff8881043a0000",
            r->id == TRACE_EV_mark ? 1 : WORLD_QEMU_PID, r->seq, as_logged(r, 0), as_logged(r, 1));
}

/* Another guest's device on the same host, which the reader has to leave out. */
static void write_stranger(FILE *f, uint64_t ns)
{
    fprintf(f, "R 9 %" PRIu64 " %" PRIu64 " 64 1 0 ffff888100000000 99 1 5 0\n", ns, ns);
}

static int write_host(struct world *w, const char *path, long skip)
{
    uint64_t random = w->options.seed ^ 0xaaaa;
    char *lost = calloc(w->host_count, 1);
    uint64_t *n = calloc(w->host_count, sizeof *n), lines[WORLD_CPUS] = { 0 };
    FILE *f = fopen(path, "w");
    if (!f || !lost || !n)
        return -1;
    fputs("Attaching 12 probes...\nV 1 0.23\n", f);
    for (unsigned i = 0; i < w->host_count; i++) {
        int mark = w->host[i].record.id == TRACE_EV_mark;
        lost[i] = !mark && (chance(&random, w->options.host_loss) ||
                            (i < WORLD_CPUS + (unsigned)w->options.lose_start));
        w->host_lost += (uint64_t)lost[i];
        n[i] = lines[w->host[i].cpu];
        lines[w->host[i].cpu] += (long)i != skip;
        int bounds = !mark || i == WORLD_CPUS - 1 || i == w->host_count - WORLD_CPUS;
        w->host_written += bounds && !lost[i] && (long)i != skip;
    }
    for (unsigned chunk = 0; chunk < w->host_count; chunk += WORLD_CPUS * CHUNK)
        for (unsigned cpu = 0; cpu < WORLD_CPUS; cpu++)
            for (unsigned i = chunk; i < chunk + WORLD_CPUS * CHUNK && i < w->host_count; i++) {
                if (w->host[i].cpu != cpu || lost[i] || (long)i == skip)
                    continue;
                write_line(f, cpu, n[i], &w->host[i].record);
            }
    write_stranger(f, WORLD_HOST_START);
    free(lost);
    free(n);
    return fclose(f);
}

int world_write(struct world *w, const char *guest_dir, const char *host_log, long skip_guest,
                long skip_host)
{
    w->guest_written = w->guest_lost = w->host_written = w->host_lost = 0;
    if (write_guest(w, guest_dir, skip_guest))
        return -1;
    return write_host(w, host_log, skip_host);
}

void world_free(struct world *w)
{
    free(w->guest);
    free(w->host);
    free(w->kicks);
    free(w->fates[0]);
    free(w->fates[1]);
}
