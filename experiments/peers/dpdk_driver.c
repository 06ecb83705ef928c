/* DPDK's virtio driver (net_virtio_user, as the --vdev says) doing what the hosted programs do,
 * with the same frames: the peer of `make bench`.
 *
 *   dpdk_driver EAL-OPTION... -- --do tx|rx|echo|ping [--size BYTES] [--ring N] [--window N]
 *               [--pairs N] [--count N] [--seconds S] [--pause US] [--intr] [--out FILE]
 *
 * tx sends, rx counts, echo sends back, ping sends up to --window frames and waits for them to
 * return. Each of --pairs has an lcore of its own, so EAL must know as many; --count and --intr go
 * with one pair. It waits --pause between passes, for callgrind: the backend has then done its part
 * of each, and no pass finds half of one. --out takes the counters by the names that the hosted
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

#define BATCH     32u
#define PORT      0
#define PAIRS_MAX 8u

/* What one lcore works on. */
struct pair {
    _Alignas(RTE_CACHE_LINE_SIZE) uint64_t received; /* no line is two lcores' */
    uint64_t sent, full, foreign, echoed, echo_full, passes, cpu_ns;
    struct rte_mbuf *pending[BATCH]; /* made once and not taken yet */
    uint16_t pending_count;
    uint16_t queue;
};
static struct pair pairs[PAIRS_MAX];

static struct options {
    const char *out;
    void (*pass)(struct pair *p);
    uint64_t size, ring, window, pairs, count, pause_us;
    double seconds;
    bool intr;
} options = { .size = FRAME_MIN_BYTES, .ring = 256, .window = 1, .pairs = 1 };

static struct rte_mempool *pool;
static struct rte_ether_addr mac;
static volatile sig_atomic_t quit;

static uint64_t clock_ns(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The next to be made is number sent + pending. */
static void make(struct pair *p, uint16_t want)
{
    static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint16_t n = want - p->pending_count;
    if (want <= p->pending_count || rte_pktmbuf_alloc_bulk(pool, p->pending + p->pending_count, n))
        return;
    for (; p->pending_count < want; p->pending_count++) {
        struct rte_mbuf *m = p->pending[p->pending_count];
        struct frame_info info = { .seq = p->sent + p->pending_count };
        m->data_len = (uint16_t)options.size;
        m->pkt_len = (uint32_t)options.size;
        frame_build(rte_pktmbuf_mtod(m, uint8_t *), m->data_len, everyone, mac.addr_bytes, &info);
    }
}

static void send_up_to(struct pair *p, uint64_t want)
{
    make(p, want < BATCH ? (uint16_t)want : BATCH);
    uint16_t n = rte_eth_tx_burst(PORT, p->queue, p->pending, p->pending_count);
    p->sent += n;
    p->full += n < p->pending_count;
    p->pending_count -= n;
    memmove(p->pending, p->pending + n, p->pending_count * sizeof(p->pending[0]));
}

static void tx(struct pair *p)
{
    send_up_to(p, options.count ? options.count - p->sent : BATCH);
}

static void rx(struct pair *p)
{
    struct rte_mbuf *in[BATCH];
    uint16_t n = rte_eth_rx_burst(PORT, p->queue, in, BATCH);
    p->received += n;
    rte_pktmbuf_free_bulk(in, n);
}

static void echo(struct pair *p)
{
    struct rte_mbuf *in[BATCH], *ours[BATCH];
    uint16_t n = rte_eth_rx_burst(PORT, p->queue, in, BATCH), kept = 0;
    for (uint16_t i = 0; i < n; i++) {
        struct frame_info info;
        uint8_t *frame = rte_pktmbuf_mtod(in[i], uint8_t *);
        if (frame_parse(frame, in[i]->data_len, &info)) {
            frame_swap_macs(frame);
            ours[kept++] = in[i];
        } else {
            p->foreign++;
            rte_pktmbuf_free(in[i]);
        }
    }
    uint16_t sent = kept ? rte_eth_tx_burst(PORT, p->queue, ours, kept) : 0;
    p->received += n;
    p->sent += sent;
    p->echoed += sent;
    p->echo_full += kept - sent;
    if (sent < kept)
        rte_pktmbuf_free_bulk(ours + sent, kept - sent);
}

/* As DPDK's l3fwd-power does, and with a look between arming and sleeping: without it a frame that
 * came in between would wait for the timeout. */
static void wait_for_frames(struct pair *p)
{
    struct rte_epoll_event event;
    uint64_t before = p->received;
    rte_eth_dev_rx_intr_enable(PORT, p->queue);
    rx(p);
    if (p->received == before)
        rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, 10);
    rte_eth_dev_rx_intr_disable(PORT, p->queue);
}

static void ping(struct pair *p)
{
    uint64_t out = p->sent - p->received, before = p->received;
    if (out < options.window)
        send_up_to(p, options.window - out);
    rx(p);
    if (options.intr && p->received == before && p->sent - p->received >= options.window)
        wait_for_frames(p);
}

static bool done(const struct pair *p)
{
    uint64_t counted = options.pass == echo ? p->echoed
                       : options.pass == tx ? p->sent
                                            : p->received;
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
    void (*pass)(struct pair *p);
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
    case 'n':
        options.pairs = number("--pairs", value, 1, PAIRS_MAX);
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
            "--do --size --ring --window --pairs --count --seconds --pause --intr --out");
    }
}

static void parse(int argc, char **argv)
{
    static const struct option table[] = {
        { "do", required_argument, NULL, 'd' },
        { "size", required_argument, NULL, 'b' },
        { "ring", required_argument, NULL, 'r' },
        { "window", required_argument, NULL, 'w' },
        { "pairs", required_argument, NULL, 'n' },
        { "count", required_argument, NULL, 'c' },
        { "seconds", required_argument, NULL, 't' },
        { "pause", required_argument, NULL, 'p' },
        { "intr", no_argument, NULL, 'i' },
        { "out", required_argument, NULL, 'o' },
        { 0 },
    };
    int which;
    opterr = 0;
    optind = 1;
    while ((which = getopt_long(argc, argv, "", table, NULL)) != -1)
        take(which, optarg);
    if (optind < argc || !options.pass)
        die(2, "command line", "give --do tx|rx|echo|ping");
    if (options.pairs > 1 && (options.count || options.intr))
        die(2, "--pairs", "more than one go with neither --count nor --intr");
    if (options.pairs > rte_lcore_count())
        die(2, "--pairs", "EAL has fewer lcores");
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
    uint16_t n = (uint16_t)options.pairs, descs = (uint16_t)options.ring;
    unsigned buffers = n * (2u * descs + 2 * BATCH);
    if (!rte_eth_dev_count_avail())
        die(1, "--vdev", "no device: give net_virtio_user0,path=SOCKET");
    unsigned cache = buffers / 2 < 256 ? buffers / 2 : 256;
    pool = rte_pktmbuf_pool_create("frames", buffers + 2 * n * cache, cache, 0,
                                   RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
    if (!pool)
        die(1, "frames", rte_strerror(rte_errno));
    check(rte_eth_dev_configure(PORT, n, n, &conf), "configure");
    for (uint16_t i = 0; i < n; i++) {
        pairs[i].queue = i;
        check(rte_eth_rx_queue_setup(PORT, i, descs, rte_socket_id(), NULL, pool), "receive queue");
        check(rte_eth_tx_queue_setup(PORT, i, descs, rte_socket_id(), NULL), "transmit queue");
    }
    check(rte_eth_dev_start(PORT), "start");
    check(rte_eth_macaddr_get(PORT, &mac), "MAC address");
    if (options.intr)
        check(rte_eth_dev_rx_intr_ctl_q(PORT, 0, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, NULL),
              "receive interrupt");
}

static void write_counters(uint64_t run_ns)
{
    struct pair sum = pairs[0];
    for (uint64_t i = 1; i < options.pairs; i++) {
        sum.received += pairs[i].received;
        sum.sent += pairs[i].sent;
        sum.full += pairs[i].full;
        sum.echoed += pairs[i].echoed;
        sum.echo_full += pairs[i].echo_full;
        sum.foreign += pairs[i].foreign;
        sum.passes += pairs[i].passes;
        sum.cpu_ns += pairs[i].cpu_ns;
    }
    FILE *out = options.out ? fopen(options.out, "w") : stdout;
    if (!out)
        die(1, options.out, "cannot be written");
    fprintf(out,
            "rx_packets\t%" PRIu64 "\ntx_packets\t%" PRIu64 "\ntx_full\t%" PRIu64
            "\nechoed\t%" PRIu64 "\necho_full\t%" PRIu64 "\nforeign\t%" PRIu64 "\npasses\t%" PRIu64
            "\nrun_ns\t%" PRIu64 "\ncpu_ns\t%" PRIu64 "\n",
            sum.received, sum.sent, sum.full, sum.echoed, sum.echo_full, sum.foreign, sum.passes,
            run_ns, sum.cpu_ns);
    if (fclose(out))
        die(1, options.out, "cannot be written");
}

static void ask_to_quit(int signal)
{
    (void)signal;
    quit = 1;
}

/* The loop of one lcore. */
static int work(void *pair)
{
    struct pair *p = pair;
    uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID), now = clock_ns(CLOCK_MONOTONIC);
    uint64_t end = options.seconds ? now + (uint64_t)(options.seconds * 1e9) : UINT64_MAX;
    while (!quit && !done(p) && now < end) {
        options.pass(p);
        p->passes++;
        if (options.pause_us)
            usleep((useconds_t)options.pause_us);
        now = clock_ns(CLOCK_MONOTONIC);
    }
    p->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    return 0;
}

/* One pair an lcore, the first on this. */
static void work_all(void)
{
    struct pair *next = &pairs[1];
    unsigned lcore;
    RTE_LCORE_FOREACH_WORKER(lcore)
    {
        if (next < &pairs[options.pairs])
            check(rte_eal_remote_launch(work, next++, lcore), "lcore");
    }
    work(&pairs[0]);
    rte_eal_mp_wait_lcore();
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
    uint64_t run = clock_ns(CLOCK_MONOTONIC);
    work_all();
    write_counters(clock_ns(CLOCK_MONOTONIC) - run);
    rte_eth_dev_stop(PORT);
    rte_eth_dev_close(PORT);
    rte_eal_cleanup();
    return 0;
}
