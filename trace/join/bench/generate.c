/* generate MIB GUEST_DIR HOST_DIR: both traces of a busy transmit queue, MIB mebibytes together.
 * Every eighth batch is announced without a doorbell and picked up by the running service. */
#include <stdlib.h>

#include "../../ctf/complain.h"
#include "../../ctf/stream.h"

#define HZ      2400000000ull
#define AHEAD   7000000000ull /* ns that the host's clock is ahead */
#define QUEUE   TRACE_VQ_TX
#define EIGHTHS 8

static struct ctf_stream guest, host;
static uint64_t ns = 1000000, random_state = 1;

static uint64_t pass(uint64_t least)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return ns += least + (random_state >> 33) % (least + 1);
}

static uint64_t tsc(void)
{
    return ns * (HZ / 100000000) / 10;
}

static int guest_says(uint16_t id, uint32_t seq, uint64_t a, uint64_t b)
{
    struct trace_record r = { tsc(), id, QUEUE, 0, seq, a, b };
    return ctf_stream_put(&guest, &r);
}

static int host_says(uint16_t id, uint8_t flags, uint32_t seq, uint64_t a, uint64_t b)
{
    struct trace_record r = { ns + AHEAD, id, QUEUE, flags, seq, a, b };
    return ctf_stream_put(&host, &r);
}

/* One batch of `n` buffers after `index`, with a doorbell. */
static int batch(uint32_t kick, uint64_t index, uint64_t n, int more)
{
    uint64_t end = index + n, all = end + (more ? n : 0);
    int bad = guest_says(TRACE_EV_publish, kick, end, n);
    pass(50);
    uint64_t before = tsc();
    pass(400);
    bad |= host_says(TRACE_EV_host_kick, 0, kick, index, 0);
    pass(400);
    bad |= guest_says(TRACE_EV_kick, kick, end, before);
    pass(900);
    bad |= host_says(TRACE_EV_run_begin, TRACE_F_CAUSE_KICK, kick, index, index);
    pass(100);
    if (more) {
        bad |= guest_says(TRACE_EV_publish, kick, all, n);
        pass(20);
        bad |= guest_says(TRACE_EV_kick_suppressed, kick, all, 0);
    }
    pass(900);
    bad |= host_says(TRACE_EV_used, TRACE_F_SIGNALLED, 0, all, all - index);
    pass(100);
    bad |= host_says(TRACE_EV_run_end, 0, kick, all, all);
    pass(900);
    bad |= host_says(TRACE_EV_call_read, 0, 0, 1, 0);
    pass(900);
    bad |= guest_says(TRACE_EV_irq, kick, all, 1);
    pass(300);
    bad |= guest_says(TRACE_EV_harvest, kick, all, all - index);
    pass(50);
    return bad | guest_says(TRACE_EV_irq_arm, kick, all, all);
}

static int generate(uint64_t mib)
{
    uint64_t index = 0;
    for (uint32_t kick = 1; (guest.records + host.records) * 32 < mib << 20; kick++) {
        uint64_t n = 1 + kick % 5;
        int more = kick % EIGHTHS == 0;
        if (batch(kick, index, n, more))
            return -1;
        index += more ? 2 * n : n;
        pass(2000);
    }
    return ctf_stream_close(&guest) || ctf_stream_close(&host);
}

int main(int argc, char **argv)
{
    complain_program = "generate";
    if (argc != 4 || atoll(argv[1]) <= 0) {
        complain("usage: generate MIB GUEST_DIR HOST_DIR");
        return 2;
    }
    if (ctf_dir_create(argv[2], TRACE_SIDE_GUEST, HZ, 1) ||
        ctf_dir_create(argv[3], TRACE_SIDE_HOST, 0, 1) || ctf_stream_open(&guest, argv[2], 0) ||
        ctf_stream_open(&host, argv[3], 0))
        return 1;
    return generate((uint64_t)atoll(argv[1])) ? 1 : 0;
}
