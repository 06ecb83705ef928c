#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "options.h"
#include "port.h"
#include "report.h"
#include "run.h"

#define EXIT_USAGE  2
#define EXIT_SIGNAL 128

/* The default slack lets the kernel wake a sleeper 50 us late to save power. */
static void sharpen_timers(const struct options *o)
{
    struct sched_param priority = { .sched_priority = 1 };

    prctl(PR_SET_TIMERSLACK, 1ul);
    if (o->fifo && sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
        fprintf(stderr, "loadgen: --fifo: %s; going on at normal priority\n", strerror(errno));
}

static int run_and_report(const struct options *o, struct port *port)
{
    static struct run_result result;
    bool ran = run_load(o, port, &result);
    bool written = true;

    if (ran || result.sent != 0 || result.tracker.delivered != 0) {
        if (o->out != NULL)
            written = report_write(o->out, o, &result, stderr);
        report_summary(stdout, o, &result);
    }
    run_result_free(&result);
    if (fflush(stdout) != 0 || !ran || !written)
        return EXIT_FAILURE;
    return result.signal != 0 ? EXIT_SIGNAL + result.signal : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options o;
    struct port port;
    int status;

    switch (options_parse(&o, argc, argv, stderr)) {
    case OPTIONS_HELP:
        options_help(stdout);
        return EXIT_SUCCESS;
    case OPTIONS_BAD:
        return EXIT_USAGE;
    case OPTIONS_OK:
        break;
    }
    if (!port_open(&port, o.port, o.role != ROLE_SOURCE))
        return EXIT_FAILURE;
    sharpen_timers(&o);
    status = run_and_report(&o, &port);
    port_close(&port);
    return status;
}
