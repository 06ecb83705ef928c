/* The counters, by the names that they have everywhere. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "port.h"
#include "program.h"

int port_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program.name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return -1;
}

static void write_queue(FILE *out, const char *prefix, const struct vnet_stats *stats)
{
#define STAT(name, text) fprintf(out, "%s" #name "\t%" PRIu64 "\n", prefix, stats->name);
#include "../stats.def"
}

static void write_port(FILE *out)
{
#define PORT_STAT(name, text) fprintf(out, #name "\t%" PRIu64 "\n", port_stats.name);
#include "../../kernel/port_stats.def"
}

int port_report(const struct options *o)
{
    if (!o->out)
        return 0;
    FILE *out = fopen(o->out, "w");
    if (!out)
        return port_complain("--out %s: %s", o->out, strerror(errno));
    write_queue(out, "rx_", &port_dev.q[VNET_RX].stats);
    write_queue(out, "tx_", &port_dev.q[VNET_TX].stats);
    write_port(out);
    bool wrong = ferror(out);
    wrong |= fclose(out) != 0;
    return wrong ? port_complain("--out %s: %s", o->out, strerror(errno)) : 0;
}
