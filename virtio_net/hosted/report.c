/* The counters, by the names that they have everywhere. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "port.h"
#include "program.h"

/* The first thing that goes wrong is said; what comes of it is not. */
int port_complain(const char *format, ...)
{
    static int said;
    va_list args;
    if (__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))
        return -1;
    va_start(args, format);
    fprintf(stderr, "%s: ", program.name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return -1;
}

static FILE *out;

/* "rx_" and "tx_" are the first pair's, as of a device that has but one; then "rx2_" and so on. */
static void write_queue(const struct vnet_q *q)
{
    const char *side = vnet_is_rx(q) ? "rx" : "tx";
    unsigned pair = q->index / VNET_QUEUES + 1u;
    char prefix[16] = "_";
    if (pair > 1)
        snprintf(prefix, sizeof(prefix), "%u_", pair);
#define STAT(name, text) fprintf(out, "%s%s" #name "\t%" PRIu64 "\n", side, prefix, q->stats.name);
#include "../stats.def"
}

static void write_port(const char *prefix, const struct port_stats *stats)
{
#define PORT_STAT(name, text) fprintf(out, "%s" #name "\t%" PRIu64 "\n", prefix, stats->name);
#include "../../kernel/port_stats.def"
}

/* Of the frames above the driver the sums, and with several pairs those of each. */
static void write_all(void)
{
    struct port_stats total = account_total();
    for (unsigned i = 0; i < vnet_queues(&port_dev); i++)
        write_queue(&port_dev.q[i]);
    for (unsigned i = 0; i < port_dev.pairs && port_dev.pairs > 1; i++) {
        char prefix[16];
        snprintf(prefix, sizeof(prefix), "pair%u_", i + 1);
        write_port(prefix, &port_pairs[i].stats);
    }
    write_port("", &total);
    fprintf(out, "queue_resets\t%" PRIu64 "\nrestarts\t%" PRIu64 "\n", port_run_stats.queue_resets,
            port_dev.restarts);
    fprintf(out, "run_ns\t%" PRIu64 "\ncpu_ns\t%" PRIu64 "\n", port_run_stats.ns,
            port_run_stats.cpu_ns);
}

int report_open(const struct options *o)
{
    if (!o->out)
        return 0;
    out = fopen(o->out, "w");
    return out ? 0 : port_complain("--out %s: %s", o->out, strerror(errno));
}

int report_write(const struct options *o)
{
    if (!out)
        return 0;
    write_all();
    bool wrong = ferror(out);
    wrong |= fclose(out) != 0;
    return wrong ? port_complain("--out %s: %s", o->out, strerror(errno)) : 0;
}
