/* The other side of `make bench`: DPDK's vhost library behind one socket, the same for our driver
 * and for DPDK's. It polls the rings and copies every frame, as DPDK does, and it holds the clock:
 * what it counts from the end of the warm-up until the window is full is the result of a run. Of
 * several pairs of rings one thread serves all, each as soon as the driver has it on.
 *
 *   vhost_backend EAL-OPTION... -- --socket PATH --do sink|source|both|echo [--size BYTES]
 *                 [--pairs N] [--warm MS] [--window MS]
 *
 * One line of tab-separated name=value on stdout for each driver that came and went. */
#include <getopt.h>
#include <inttypes.h>
#include <linux/virtio_net.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_vhost.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../loadgen/frame.h"

#define BATCH     32u
#define PAIRS_MAX 8u
enum { DRIVER_RX, DRIVER_TX, RINGS }; /* of a pair, by the driver's view */

/* What is done with a pair's rings in one pass. Returns the frames that count. */
typedef uint32_t (*work)(int vid, uint16_t rx, uint16_t tx);

static struct rte_mempool *pool;
static struct rte_mbuf *made[BATCH]; /* frames to send; the library copies them */

/* The library calls from a thread of its own; it may take a device away only while nobody uses it.
 */
static atomic_int device = -1, in_use = -1;
static volatile sig_atomic_t quit;

/* The driver switches each ring on and off, and the library tells of it from its thread. */
enum ring_state { OFF, NEW, ON };
static atomic_int rings[RINGS * PAIRS_MAX];

/* Whether a ring may be used. A new one is told first that its driver is to send no kicks. */
static bool is_on(int vid, uint16_t ring)
{
    int state = atomic_load_explicit(&rings[ring], memory_order_relaxed);
    if (state == NEW) {
        rte_vhost_enable_guest_notification(vid, ring, 0);
        /* Unless it was switched off meanwhile. */
        atomic_compare_exchange_strong(&rings[ring], &state, ON);
    }
    return state != OFF;
}

static uint32_t sink(int vid, uint16_t rx, uint16_t tx)
{
    struct rte_mbuf *in[BATCH];
    uint16_t n = is_on(vid, tx) ? rte_vhost_dequeue_burst(vid, tx, pool, in, BATCH) : 0;
    (void)rx;
    if (n)
        rte_pktmbuf_free_bulk(in, n);
    return n;
}

static uint32_t source(int vid, uint16_t rx, uint16_t tx)
{
    (void)tx;
    return is_on(vid, rx) ? rte_vhost_enqueue_burst(vid, rx, made, BATCH) : 0;
}

static uint32_t both(int vid, uint16_t rx, uint16_t tx)
{
    source(vid, rx, tx);
    return sink(vid, rx, tx);
}

/* What came from a pair and has not gone back to it. No frame is lost: what finds no room is tried
 * again in the next pass, and no more is taken before. Nothing waits here: the ring may be off, or
 * its driver's thread without a CPU, and the other pairs go on. */
static struct held {
    struct rte_mbuf *frames[BATCH];
    uint16_t count;
} held[PAIRS_MAX];

static void let_go(struct held *h, uint16_t n)
{
    if (n)
        rte_pktmbuf_free_bulk(h->frames, n);
    h->count -= n;
    memmove(h->frames, h->frames + n, h->count * sizeof(h->frames[0]));
}

static uint32_t echo(int vid, uint16_t rx, uint16_t tx)
{
    struct held *h = &held[rx / RINGS];
    if (!h->count && is_on(vid, tx)) {
        h->count = rte_vhost_dequeue_burst(vid, tx, pool, h->frames, BATCH);
        for (uint16_t i = 0; i < h->count; i++)
            frame_swap_macs(rte_pktmbuf_mtod(h->frames[i], uint8_t *));
    }
    if (!h->count || !is_on(vid, rx))
        return 0;
    uint16_t sent = rte_vhost_enqueue_burst(vid, rx, h->frames, h->count);
    let_go(h, sent);
    return sent;
}

static const struct job {
    const char *name;
    work pass;
} jobs[] = { { "sink", sink }, { "source", source }, { "both", both }, { "echo", echo } };
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

static struct options {
    const char *socket;
    const struct job *job;
    uint64_t size, pairs, warm_ms, window_ms;
} options = { .size = 60, .pairs = 1, .warm_ms = 50, .window_ms = 200 };

static uint32_t pass(int vid)
{
    uint32_t n = 0;
    for (uint16_t pair = 0; pair < options.pairs; pair++)
        n += options.job->pass(vid, RINGS * pair + DRIVER_RX, RINGS * pair + DRIVER_TX);
    return n;
}

/* From the first frame on: the warm-up, and then slots until the clean ones fill the window. A slot
 * is clean if no stretch without a frame, or within one pass, reached STALL_US: that long only a
 * side lasts that was taken from its CPU, and then the slot tells of the machine and not of the
 * drivers. A slot waits one slot long until it counts: a stall may have begun at its end. */
#define SLOT_US  1000u
#define STALL_US 200u

struct slot {
    uint64_t begin, end, frames, busy, passes;
};

static struct meter {
    uint64_t us; /* cycles */
    uint64_t first, last_frame;
    struct slot now, before, sum; /* before.end 0: there is none; sum.end: length of all */
    bool spoiled;
    uint64_t clean, dropped;
} meter;

static void note_stall(void)
{
    meter.spoiled = true;
    if (meter.last_frame < meter.now.begin)
        meter.before.end = 0;
}

static void end_slot(uint64_t time)
{
    const struct slot *s = &meter.before;
    if (s->end) {
        meter.sum.frames += s->frames;
        meter.sum.busy += s->busy;
        meter.sum.passes += s->passes;
        meter.sum.end += s->end - s->begin;
        meter.clean++;
    }
    meter.before = meter.now;
    meter.before.end = meter.spoiled ? 0 : time;
    meter.dropped += meter.spoiled;
    meter.now = (struct slot){ .begin = time };
    meter.spoiled = false;
}

/* One pass, which found n frames. Returns whether the window is full. */
static bool measure(uint32_t n, uint64_t before, uint64_t after)
{
    if (!meter.first && n) {
        meter.first = meter.last_frame = after;
        meter.now.begin = after + options.warm_ms * 1000 * meter.us;
    }
    if (!meter.first || after < meter.now.begin)
        return false;
    if (after - before >= STALL_US * meter.us || after - meter.last_frame >= STALL_US * meter.us)
        note_stall();
    if (n) {
        meter.now.frames += n;
        meter.now.busy += after - before;
        meter.now.passes++;
        meter.last_frame = after;
    }
    if (after - meter.now.begin >= SLOT_US * meter.us)
        end_slot(after);
    return meter.sum.end >= options.window_ms * 1000 * meter.us;
}

/* A window that was not filled has no rate. */
static void report(int vid, bool full)
{
    uint64_t features = 0;
    struct rte_vhost_vring vring = { 0 };
    double cycles = (double)meter.sum.end, frames = (double)meter.sum.frames;
    rte_vhost_get_negotiated_features(vid, &features);
    rte_vhost_get_vhost_vring(vid, DRIVER_TX, &vring);
    printf("do=%s\tsize=%" PRIu64 "\tring=%u\tfeatures=%#" PRIx64 "\tclean=%" PRIu64
           "\tdropped=%" PRIu64,
           options.job->name, options.size, vring.size, features, meter.clean, meter.dropped);
    if (full)
        printf("\tpps=%.0f\tbusy=%.3f\tframes_per_pass=%.1f\n",
               frames / (cycles / (double)meter.us / 1e6), (double)meter.sum.busy / cycles,
               frames / (double)meter.sum.passes);
    else
        printf("\tpps=none\n");
    fflush(stdout);
}

/* Says what it has measured as soon as it has, or when the driver goes without. */
static void serve(int vid)
{
    bool full = false;
    meter = (struct meter){ .us = rte_get_tsc_hz() / 1000000 };
    for (unsigned i = 0; i < PAIRS_MAX; i++)
        let_go(&held[i], held[i].count); /* an earlier driver's */
    uint64_t before = rte_rdtsc();
    while (!quit && atomic_load_explicit(&device, memory_order_relaxed) == vid) {
        uint32_t n = pass(vid);
        uint64_t after = rte_rdtsc();
        if (!full && (full = measure(n, before, after)))
            report(vid, true);
        before = after;
    }
    /* DPDK's driver comes and goes once before it stays. */
    if (!full && meter.first)
        report(vid, false);
}

static void work_until_quit(void)
{
    while (!quit) {
        int vid = atomic_load(&device);
        atomic_store(&in_use, vid);
        /* Taken back between the two: the other side may not have seen that it is in use. */
        if (vid >= 0 && atomic_load(&device) == vid)
            serve(vid);
        atomic_store(&in_use, -1);
        if (vid < 0)
            usleep(500);
    }
}

static int device_comes(int vid)
{
    atomic_store(&device, vid);
    return 0;
}

static void device_goes(int vid)
{
    atomic_store(&device, -1);
    while (atomic_load(&in_use) == vid)
        usleep(50);
}

/* Before the device comes too. */
static int ring_switched(int vid, uint16_t ring, int on)
{
    (void)vid;
    if (ring < RINGS * options.pairs)
        atomic_store(&rings[ring], on ? NEW : OFF);
    return 0;
}

static void driver_is_gone(int vid)
{
    (void)vid;
    for (unsigned i = 0; i < RINGS * PAIRS_MAX; i++)
        atomic_store(&rings[i], OFF);
}

static const struct rte_vhost_device_ops ops = { .new_device = device_comes,
                                                 .destroy_device = device_goes,
                                                 .vring_state_changed = ring_switched,
                                                 .destroy_connection = driver_is_gone };

__attribute__((noreturn)) static void die(int status, const char *what, const char *why)
{
    fprintf(stderr, "vhost_backend: %s: %s\n", what, why);
    exit(status);
}

static uint64_t number(const char *name, const char *text, uint64_t low, uint64_t high)
{
    char *end, why[64];
    uint64_t value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value < low || value > high) {
        snprintf(why, sizeof(why), "give %" PRIu64 " to %" PRIu64, low, high);
        die(2, name, why);
    }
    return value;
}

static void take(int which, const char *value)
{
    if (which == 's')
        options.socket = value;
    else if (which == 'b')
        options.size = number("--size", value, FRAME_MIN_BYTES, FRAME_MAX_BYTES);
    else if (which == 'p')
        options.pairs = number("--pairs", value, 1, PAIRS_MAX);
    else if (which == 'w')
        options.warm_ms = number("--warm", value, 0, 60000);
    else if (which == 't')
        options.window_ms = number("--window", value, 1, 600000);
    else if (which == 'd') {
        for (size_t i = 0; i < JOBS; i++)
            if (!strcmp(jobs[i].name, value))
                options.job = &jobs[i];
        if (!options.job)
            die(2, "--do", "sink, source, both or echo");
    } else {
        die(2, "command line", "--socket --do --size --pairs --warm --window, each with a value");
    }
}

static void parse(int argc, char **argv)
{
    static const struct option table[] = {
        { "socket", required_argument, NULL, 's' },
        { "do", required_argument, NULL, 'd' },
        { "size", required_argument, NULL, 'b' },
        { "pairs", required_argument, NULL, 'p' },
        { "warm", required_argument, NULL, 'w' },
        { "window", required_argument, NULL, 't' },
        { 0 },
    };
    int which;
    opterr = 0;
    optind = 1;
    while ((which = getopt_long(argc, argv, "", table, NULL)) != -1)
        take(which, optarg);
    if (optind < argc || !options.socket || !options.job)
        die(2, "command line", "give --socket PATH and --do sink|source|both|echo");
}

static void make_frames(void)
{
    static const uint8_t to[6] = { 0x02, 0, 0, 0, 0, 1 }, from[6] = { 0x02, 0, 0, 0, 0, 2 };
    if (rte_pktmbuf_alloc_bulk(pool, made, BATCH))
        die(1, "frames", "no memory");
    for (uint32_t i = 0; i < BATCH; i++) {
        struct frame_info info = { .seq = i };
        uint8_t *frame = (uint8_t *)rte_pktmbuf_append(made[i], (uint16_t)options.size);
        frame_build(frame, (uint32_t)options.size, to, from, &info);
    }
}

/* Offloads are left out: neither driver asks for them in a test of plain frames. */
static void listen_there(void)
{
    uint64_t offloads = 1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_GUEST_CSUM |
                        1ull << VIRTIO_NET_F_GUEST_TSO4 | 1ull << VIRTIO_NET_F_GUEST_TSO6 |
                        1ull << VIRTIO_NET_F_GUEST_UFO | 1ull << VIRTIO_NET_F_GUEST_ECN |
                        1ull << VIRTIO_NET_F_HOST_TSO4 | 1ull << VIRTIO_NET_F_HOST_TSO6 |
                        1ull << VIRTIO_NET_F_HOST_UFO | 1ull << VIRTIO_NET_F_HOST_ECN;
    unlink(options.socket);
    if (rte_vhost_driver_register(options.socket, 0) ||
        rte_vhost_driver_disable_features(options.socket, offloads) ||
        rte_vhost_driver_callback_register(options.socket, &ops) ||
        rte_vhost_driver_start(options.socket))
        die(1, options.socket, "DPDK cannot listen there");
}

static void ask_to_quit(int signal)
{
    (void)signal;
    quit = 1;
}

int main(int argc, char **argv)
{
    int eal = rte_eal_init(argc, argv);
    if (eal < 0)
        die(1, "EAL", rte_strerror(rte_errno));
    argv[eal] = argv[0];
    parse(argc - eal, argv + eal);
    signal(SIGTERM, ask_to_quit);
    signal(SIGINT, ask_to_quit);
    pool = rte_pktmbuf_pool_create("frames", 2048, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                   (int)rte_socket_id());
    if (!pool)
        die(1, "frames", rte_strerror(rte_errno));
    make_frames();
    listen_there();
    work_until_quit();
    rte_vhost_driver_unregister(options.socket);
    rte_eal_cleanup();
    return 0;
}
