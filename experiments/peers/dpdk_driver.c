/* DPDK's virtio driver (net_virtio_user, as the --vdev says) doing what the hosted programs do,
 * with the same frames: the peer of `make bench`.
 *
 *   dpdk_driver EAL-OPTION... -- --do tx|rx|echo|ping [--size BYTES] [--ring N] [--window N]
 *               [--count N] [--seconds S] [--pause US] [--intr] [--out FILE]
 *
 * tx sends, rx counts, echo sends back, ping sends up to --window frames and waits for them to
 * return. It waits --pause between passes, for callgrind: the backend has then done its part of
 * each, and no pass finds half of one. --out takes the counters by the names that the hosted
 * programs use. */
#include <getopt.h>
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../loadgen/frame.h"

#define BATCH 32u
#define PORT  0
#define QUEUE 0

static struct options {
    const char *out;
    void (*pass)(void);
    uint64_t size, ring, window, count, pause_us;
    double seconds;
    bool intr;
} options = { .size = FRAME_MIN_BYTES, .ring = 256, .window = 1 };

static struct {
    uint64_t received, sent, full, foreign, echoed, echo_full, passes;
} stats;

static struct rte_mempool *pool;
static struct rte_ether_addr mac;
static volatile sig_atomic_t quit;

static uint64_t clock_ns(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Made once and not taken yet; the next to be made is sent + pending. */
static struct rte_mbuf *pending[BATCH];
static uint16_t pending_count;

static void make(uint16_t want)
{
    static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint16_t n = want - pending_count;
    if (want <= pending_count || rte_pktmbuf_alloc_bulk(pool, pending + pending_count, n))
        return;
    for (; pending_count < want; pending_count++) {
        struct rte_mbuf *m = pending[pending_count];
        struct frame_info info = { .seq = stats.sent + pending_count };
        m->data_len = (uint16_t)options.size;
        m->pkt_len = (uint32_t)options.size;
        frame_build(rte_pktmbuf_mtod(m, uint8_t *), m->data_len, everyone, mac.addr_bytes, &info);
    }
}

static void send_up_to(uint64_t want)
{
    make(want < BATCH ? (uint16_t)want : BATCH);
    uint16_t n = rte_eth_tx_burst(PORT, QUEUE, pending, pending_count);
    stats.sent += n;
    stats.full += n < pending_count;
    pending_count -= n;
    memmove(pending, pending + n, pending_count * sizeof(pending[0]));
}

static void tx(void)
{
    send_up_to(options.count ? options.count - stats.sent : BATCH);
}

static void rx(void)
{
    struct rte_mbuf *in[BATCH];
    uint16_t n = rte_eth_rx_burst(PORT, QUEUE, in, BATCH);
    stats.received += n;
    rte_pktmbuf_free_bulk(in, n);
}

static void echo(void)
{
    struct rte_mbuf *in[BATCH], *ours[BATCH];
    uint16_t n = rte_eth_rx_burst(PORT, QUEUE, in, BATCH), kept = 0;
    for (uint16_t i = 0; i < n; i++) {
        struct frame_info info;
        uint8_t *frame = rte_pktmbuf_mtod(in[i], uint8_t *);
        if (frame_parse(frame, in[i]->data_len, &info)) {
            frame_swap_macs(frame);
            ours[kept++] = in[i];
        } else {
            stats.foreign++;
            rte_pktmbuf_free(in[i]);
        }
    }
    uint16_t sent = kept ? rte_eth_tx_burst(PORT, QUEUE, ours, kept) : 0;
    stats.received += n;
    stats.sent += sent;
    stats.echoed += sent;
    stats.echo_full += kept - sent;
    if (sent < kept)
        rte_pktmbuf_free_bulk(ours + sent, kept - sent);
}

/* As DPDK's l3fwd-power does, and with a look between arming and sleeping: without it a frame that
 * came in between would wait for the timeout. */
static void wait_for_frames(void)
{
    struct rte_epoll_event event;
    uint64_t before = stats.received;
    rte_eth_dev_rx_intr_enable(PORT, QUEUE);
    rx();
    if (stats.received == before)
        rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, 10);
    rte_eth_dev_rx_intr_disable(PORT, QUEUE);
}

static void ping(void)
{
    uint64_t out = stats.sent - stats.received, before = stats.received;
    if (out < options.window)
        send_up_to(options.window - out);
    rx();
    if (options.intr && stats.received == before && stats.sent - stats.received >= options.window)
        wait_for_frames();
}

static bool done(void)
{
    uint64_t counted = options.pass == rx     ? stats.received
                       : options.pass == echo ? stats.echoed
                       : options.pass == tx   ? stats.sent
                                              : stats.received;
    return options.count && counted >= options.count;
}

__attribute__((noreturn)) static void die(int status, const char *what, const char *why)
{
    fprintf(stderr, "dpdk_driver: %s: %s\n", what, why);
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

static const struct job {
    const char *name;
    void (*pass)(void);
} jobs[] = { { "tx", tx }, { "rx", rx }, { "echo", echo }, { "ping", ping } };

static void take(int which, const char *value)
{
    char *end;
    switch (which) {
    case 'd':
        for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
            if (!strcmp(jobs[i].name, value))
                options.pass = jobs[i].pass;
        break;
    case 'b':
        options.size = number("--size", value, FRAME_MIN_BYTES, FRAME_MAX_BYTES);
        break;
    case 'r':
        options.ring = number("--ring", value, 2, 32768);
        break;
    case 'w':
        options.window = number("--window", value, 1, 1024);
        break;
    case 'c':
        options.count = number("--count", value, 1, 10000000000);
        break;
    case 't':
        options.seconds = strtod(value, &end);
        if (*end || !(options.seconds > 0))
            die(2, "--seconds", "give seconds, more than 0");
        break;
    case 'p':
        options.pause_us = number("--pause", value, 1, 1000000);
        break;
    case 'i':
        options.intr = true;
        break;
    case 'o':
        options.out = value;
        break;
    default:
        die(2, "command line",
            "--do --size --ring --window --count --seconds --pause --intr --out");
    }
}

static void parse(int argc, char **argv)
{
    static const struct option table[] = {
        { "do", required_argument, NULL, 'd' },    { "size", required_argument, NULL, 'b' },
        { "ring", required_argument, NULL, 'r' },  { "window", required_argument, NULL, 'w' },
        { "count", required_argument, NULL, 'c' }, { "seconds", required_argument, NULL, 't' },
        { "pause", required_argument, NULL, 'p' }, { "intr", no_argument, NULL, 'i' },
        { "out", required_argument, NULL, 'o' },   { 0 },
    };
    int which;
    opterr = 0;
    optind = 1;
    while ((which = getopt_long(argc, argv, "", table, NULL)) != -1)
        take(which, optarg);
    if (optind < argc || !options.pass)
        die(2, "command line", "give --do tx|rx|echo|ping");
}

static void check(int error, const char *what)
{
    if (error < 0)
        die(1, what, rte_strerror(-error));
}

/* As many buffers as a hosted program has: both rings full, and some in hand. */
static void start(void)
{
    struct rte_eth_conf conf = { .intr_conf.rxq = options.intr };
    unsigned buffers = (unsigned)(2 * options.ring + 2 * BATCH);
    if (!rte_eth_dev_count_avail())
        die(1, "--vdev", "no device: give net_virtio_user0,path=SOCKET");
    unsigned cache = buffers / 2 < 256 ? buffers / 2 : 256;
    pool = rte_pktmbuf_pool_create("frames", buffers + 2 * cache, cache, 0,
                                   RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
    if (!pool)
        die(1, "frames", rte_strerror(rte_errno));
    check(rte_eth_dev_configure(PORT, 1, 1, &conf), "configure");
    check(rte_eth_rx_queue_setup(PORT, QUEUE, (uint16_t)options.ring, rte_socket_id(), NULL, pool),
          "receive queue");
    check(rte_eth_tx_queue_setup(PORT, QUEUE, (uint16_t)options.ring, rte_socket_id(), NULL),
          "transmit queue");
    check(rte_eth_dev_start(PORT), "start");
    check(rte_eth_macaddr_get(PORT, &mac), "MAC address");
    if (options.intr)
        check(
            rte_eth_dev_rx_intr_ctl_q(PORT, QUEUE, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, NULL),
            "receive interrupt");
}

static void write_counters(uint64_t run_ns, uint64_t cpu_ns)
{
    FILE *out = options.out ? fopen(options.out, "w") : stdout;
    if (!out)
        die(1, options.out, "cannot be written");
    fprintf(out,
            "rx_packets\t%" PRIu64 "\ntx_packets\t%" PRIu64 "\ntx_full\t%" PRIu64
            "\nechoed\t%" PRIu64 "\necho_full\t%" PRIu64 "\nforeign\t%" PRIu64 "\npasses\t%" PRIu64
            "\nrun_ns\t%" PRIu64 "\ncpu_ns\t%" PRIu64 "\n",
            stats.received, stats.sent, stats.full, stats.echoed, stats.echo_full, stats.foreign,
            stats.passes, run_ns, cpu_ns);
    if (fclose(out))
        die(1, options.out, "cannot be written");
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
    start();
    uint64_t run = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID), now = run;
    uint64_t end = options.seconds ? run + (uint64_t)(options.seconds * 1e9) : UINT64_MAX;
    while (!quit && !done() && now < end) {
        options.pass();
        stats.passes++;
        if (options.pause_us)
            usleep((useconds_t)options.pause_us);
        now = clock_ns(CLOCK_MONOTONIC);
    }
    write_counters(clock_ns(CLOCK_MONOTONIC) - run, clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu);
    rte_eth_dev_stop(PORT);
    rte_eth_dev_close(PORT);
    rte_eal_cleanup();
    return 0;
}
