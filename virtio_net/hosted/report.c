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
    static bool said;
    va_list args;
    if (said)
        return -1;
    said = true;
    va_start(args, format);
    fprintf(stderr, "%s: ", program.name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return -1;
}

static FILE *out;

static void write_queue(const char *prefix, const struct vnet_stats *stats)
{
#define STAT(name, text) fprintf(out, "%s" #name "\t%" PRIu64 "\n", prefix, stats->name);
#include "../stats.def"
}

static void write_port(void)
{
#define PORT_STAT(name, text) fprintf(out, #name "\t%" PRIu64 "\n", port_stats.name);
#include "../../kernel/port_stats.def"
    fprintf(out, "run_ns\t%" PRIu64 "\ncpu_ns\t%" PRIu64 "\n", port_run_ns, port_cpu_ns);
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
    write_queue("rx_", &port_dev.q[VNET_RX].stats);
    write_queue("tx_", &port_dev.q[VNET_TX].stats);
    write_port();
    bool wrong = ferror(out);
    wrong |= fclose(out) != 0;
    return wrong ? port_complain("--out %s: %s", o->out, strerror(errno)) : 0;
}
