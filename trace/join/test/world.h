/* A made-up guest and host whose every moment is known: a simulated driver, vhost worker and QEMU
 * that pass buffers over two virtqueues, kick, call, coalesce, suppress and poll. What they would
 * have recorded goes to files as the real tools write them; what truly happened is kept to compare.
 */
#ifndef TRACE_TEST_WORLD_H
#define TRACE_TEST_WORLD_H

#include <stdint.h>

#include "../../record.h"

struct world_options {
    uint64_t seed;
    unsigned sends;       /* transmit batches to make */
    double hz, drift_ppm; /* of the guest's TSC */
    double regular;       /* 1: sends exactly spaced, 0: random */
    double exit_us;       /* least time from doorbell to host probe, and from there back */
    double poll_share;    /* share of harvests that a poll makes before the interrupt */
    uint64_t first_index; /* ring indices start here; the host logs 16 bits of them */
    uint32_t first_kick, first_count;
    unsigned rx_ring; /* receive buffers: few let the device run out, so that it wants kicks */
    int no_frames;    /* nothing arrives from outside */
    double guest_loss, host_loss; /* share of records lost */
    int lose_start;               /* lose as many records at the start of the host's log as this */
    double step_ms,
        step_ppm;     /* the TSC's rate changes by so much, so long into the world; 0: never */
    unsigned vcpus;   /* 2: the receive queue's records are another CPU's; 0 or 1: one CPU */
    int64_t tsc_skew; /* cycles that the second CPU's TSC is ahead */
    int stall;        /* 1: the last transmit batch is suppressed though it should not */
    int full;         /* 1: the host's full set of probes; NMIs and such in the guest's trace */
};

struct world_options world_defaults(uint64_t seed);

/* What truly became of one buffer. Times in the clocks of the records; 0: did not happen. */
struct fate {
    uint64_t run_begin, used, call_read, irq, harvest;
    int signalled;
};

struct world_kick {
    uint8_t vq;
    uint32_t ordinal;
    uint64_t host_kick; /* ns */
    uint64_t index;     /* of its last buffer */
};

#define WORLD_HOST_START 86400000000000ull /* ns: the host has been up for a day */
#define WORLD_TSC_START  987654321000ull

#define WORLD_CPUS    3
#define WORLD_BUFFERS 65536 /* per queue, at most */

struct world {
    struct world_options options;
    struct trace_record *guest;
    struct {
        struct trace_record record;
        unsigned cpu;
    } * host;
    unsigned guest_count, host_count;
    struct world_kick *kicks;
    unsigned kick_count;
    struct fate *fates[2]; /* by index - first_index */
    uint64_t guest_written, guest_lost, host_written, host_lost;
};

/* Lives through the whole simulation; the caller frees with world_free. */
void world_make(struct world *world, const struct world_options *options);
void world_free(struct world *world);

/* Cycles of the TSC in so many ns from the world's start. */
long double world_tsc(const struct world_options *options, long double ns);

/* The virtual CPU that a guest record is written by. */
unsigned world_cpu(const struct world *world, const struct trace_record *record);

/* True host time in ns at a value of the first CPU's TSC. */
long double world_host_ns(const struct world *world, uint64_t tsc);

/* TSC cycles in so many ns, from the world's start. */
uint64_t world_tsc_after(const struct world *world, uint64_t ns);

/* Writes the guest's CTF directory and the host's log; losses happen here. skip_guest and
 * skip_host: records left out without a trace of it, by number, or -1. 0, or -1. */
int world_write(struct world *world, const char *guest_dir, const char *host_log, long skip_guest,
                long skip_host);

#define WORLD_QEMU_PID   4242
#define WORLD_BEGIN_MARK 6
#define WORLD_END_MARK   7

#endif
