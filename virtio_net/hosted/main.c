/* What all hosted programs do: options, device, loop, and the account at the end. */
#include <inttypes.h>
#include <stdio.h>
#include "port.h"
#include "program.h"

static void say_start(void)
{
    const struct vring_config *ring = &port_dev.q[VNET_RX].layout;
    printf("%s: mode %s, %s %s, %s ring of %u, %s", program.name, vnet_mode.name,
           port_vhost.base.name, port_vhost.where, ring->packed ? "packed" : "split", ring->size,
           ring->event_idx ? "event_idx" : "flags");
    if (port_dev.pairs > 1)
        printf(", %u pairs", port_dev.pairs);
    printf("\n");
    fflush(stdout);
}

struct sums {
    uint64_t received, sent, kicks, irqs, made, back;
};

static void add(struct sums *s, const struct port_pair *p)
{
    const struct vnet_stats *rx = &p->rx->stats, *tx = &p->tx->stats;
    s->received += rx->packets;
    s->sent += tx->packets;
    s->kicks += rx->kicks + tx->kicks;
    s->irqs += rx->irqs + tx->irqs;
    s->made += p->stats.pool_total;
    s->back += p->stats.pool_free;
}

static void say(const struct sums *s)
{
    printf("received %" PRIu64 ", sent %" PRIu64 ", kicks %" PRIu64 ", interrupts %" PRIu64
           ", buffers %" PRIu64 " = %" PRIu64 " back\n",
           s->received, s->sent, s->kicks, s->irqs, s->made, s->back);
}

static void say_end(void)
{
    struct sums total = { 0 };
    for (unsigned i = 0; i < port_dev.pairs; i++) {
        struct sums one = { 0 };
        add(&one, &port_pairs[i]);
        add(&total, &port_pairs[i]);
        if (port_dev.pairs > 1) {
            printf("%s: pair %u: ", program.name, i + 1);
            say(&one);
        }
    }
    if (port_run_stats.queue_resets || port_dev.restarts)
        printf("%s: queue resets %" PRIu64 ", restarts %" PRIu64 "\n", program.name,
               port_run_stats.queue_resets, port_dev.restarts);
    printf("%s: ", program.name);
    say(&total);
}

int main(int argc, char **argv)
{
    struct options o;
    int parsed = options_parse(&o, program.id, program.name, argc, argv, stderr);
    if (parsed > 0)
        options_help(program.id, program.usage, stdout);
    if (parsed)
        return parsed > 0 ? 0 : 2;
    if (report_open(&o) || program_begin(&o) || port_start(&o) || port_listen(&o))
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
