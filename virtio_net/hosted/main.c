/* What all hosted programs do: options, device, loop, and the account at the end. */
#include <inttypes.h>
#include <stdio.h>
#include "port.h"
#include "program.h"

static void say_start(void)
{
    const struct vring_config *ring = &port_dev.q[VNET_RX].layout;
    printf("%s: mode %s, %s %s, %s ring of %u, %s\n", program.name, vnet_mode.name,
           port_vhost.base.name, port_vhost.where, ring->packed ? "packed" : "split", ring->size,
           ring->event_idx ? "event_idx" : "flags");
    fflush(stdout);
}

static void say_end(void)
{
    const struct vnet_stats *rx = &port_dev.q[VNET_RX].stats, *tx = &port_dev.q[VNET_TX].stats;
    printf("%s: received %" PRIu64 ", sent %" PRIu64 ", kicks %" PRIu64 ", interrupts %" PRIu64
           ", buffers %" PRIu64 " = %" PRIu64 " back\n",
           program.name, rx->packets, tx->packets, rx->kicks + tx->kicks, rx->irqs + tx->irqs,
           port_stats.pool_total, port_stats.pool_free);
}

int main(int argc, char **argv)
{
    struct options o;
    int parsed = options_parse(&o, program.id, program.name, argc, argv, stderr);
    if (parsed > 0)
        options_help(program.id, program.usage, stdout);
    if (parsed)
        return parsed > 0 ? 0 : 2;
    if (report_open(&o) || program_begin(&o) || port_start(&o) || port_listen())
        return 1;
    say_start();
    int error = port_run(&o);
    error |= program_end();
    error |= port_stop();
    error |= report_write(&o);
    if (!error)
        say_end();
    return error ? 1 : 0;
}
