#include "run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "frame.h"
#include "interrupt.h"

/* Frames sent before looking at the receive side again, so that catching up after a delay cannot
 * fill the receive buffer. */
#define SEND_BURST 32u

/* The first frame's distance from the start, so that it is not late by the time of the set-up. */
#define LEAD_NS (2 * NS_PER_MS)

/* What a sink without --count can tell apart; costs address space only. */
#define SINK_CAPACITY (1ull << 34)

struct run {
    const struct options *o;
    struct port *port;
    struct run_result *result;
    struct schedule schedule;
    struct clock_map clock_map;
    struct interrupts interrupts;
    uint64_t start_ns;
    uint64_t due_ns; /* of the next frame, while sending */
    uint64_t seq;    /* of the next frame */
    uint64_t last_activity_ns;
    uint64_t last_arrival_stamp_ns;
    bool sending;
    bool run_known;
    bool broken;
    uint8_t frame[FRAME_MAX_BYTES];
    struct port_batch batch;
};

static void next_due(struct run *r)
{
    uint64_t offset_ns;

    r->sending = schedule_next(&r->schedule, &offset_ns);
    if (r->sending)
        r->due_ns = r->start_ns + offset_ns;
}

static void send_one(struct run *r, uint64_t now)
{
    struct run_result *result = r->result;

    frame_restamp(r->frame, r->seq++, r->due_ns);
    hgrm_record(&result->pacing, now - r->due_ns);
    switch (port_send(r->port, r->frame, r->o->frame_bytes)) {
    case PORT_SENT:
        result->sent++;
        if (result->first_ns == 0)
            result->first_ns = now;
        result->last_ns = now;
        break;
    case PORT_REFUSED:
        result->send_failed++;
        break;
    case PORT_BROKEN:
        result->send_failed++;
        r->broken = true;
        break;
    }
    r->last_activity_ns = now;
    next_due(r);
}

/* Sends what is due, late frames back to back, and returns the time it looked at last. */
static uint64_t send_due(struct run *r)
{
    uint64_t now = clock_now();

    for (uint32_t burst = 0; burst < SEND_BURST && r->sending && !r->broken; burst++) {
        if (now < r->due_ns)
            break;
        send_one(r, now);
        now = clock_now();
    }
    return now;
}

static void record_arrival(struct run *r, const struct frame_info *info, uint64_t stamp_ns,
                           enum tracker_verdict verdict)
{
    struct run_result *result = r->result;

    if (r->o->role == ROLE_PINGPONG) {
        /* The stamp's conversion may err by less than a microsecond; time does not run back. */
        uint64_t ns = stamp_ns > info->intended_ns ? stamp_ns - info->intended_ns : 0;

        if (verdict == TRACKER_FIRST)
            hgrm_record(&result->latency, ns);
        return;
    }
    if (result->first_ns == 0)
        result->first_ns = stamp_ns;
    else
        hgrm_record(&result->gaps, stamp_ns - r->last_arrival_stamp_ns);
    result->last_ns = stamp_ns;
    r->last_arrival_stamp_ns = stamp_ns;
}

/* A sender knows what can come back: its run, a number already sent, the length sent. */
static bool is_ours(struct run *r, const struct frame_info *info, uint32_t bytes)
{
    if (!r->run_known) {
        r->result->run = info->run;
        r->run_known = true;
    }
    if (info->run != r->result->run)
        return false;
    return r->o->role == ROLE_SINK || (info->seq < r->seq && bytes == r->o->frame_bytes);
}

static void take_arrival(struct run *r, int i, uint64_t now)
{
    uint64_t stamp = port_batch_stamp(&r->batch, i);
    uint64_t stamp_ns = stamp == 0 ? now : clock_map_to_mono(&r->clock_map, stamp, now);
    enum tracker_verdict verdict = TRACKER_OUT_OF_RANGE;
    struct frame_info info;

    if (frame_parse(r->batch.head[i], port_batch_head_bytes(&r->batch, i), &info) &&
        is_ours(r, &info, port_batch_bytes(&r->batch, i)))
        verdict = tracker_arrive(&r->result->tracker, info.seq);
    if (verdict == TRACKER_OUT_OF_RANGE) {
        r->result->foreign++;
        return;
    }
    record_arrival(r, &info, stamp_ns, verdict);
    r->last_activity_ns = now;
}

static void receive(struct run *r)
{
    int received = port_receive(r->port, &r->batch);
    uint64_t now = clock_now();

    if (received < 0)
        r->broken = true;
    for (int i = 0; i < received; i++)
        take_arrival(r, i, now);
}

static bool drained(const struct run *r)
{
    const struct run_result *result = r->result;

    switch (r->o->role) {
    case ROLE_SOURCE:
        return true;
    case ROLE_PINGPONG:
        return result->tracker.delivered == result->sent;
    default:
        return r->o->count != 0 && result->tracker.delivered == r->o->count;
    }
}

/* When the run ends if nothing more happens. */
static uint64_t quiet_end(const struct run *r)
{
    uint64_t silent_ns = r->last_activity_ns + r->o->drain_ns;
    uint64_t longest_ns = r->start_ns + r->o->duration_ns;

    if (r->o->role != ROLE_SINK)
        return silent_ns;
    if (r->result->first_ns == 0 || longest_ns < silent_ns)
        return longest_ns;
    return silent_ns;
}

/* Sleeps until the next send, the end, a frame or a signal. */
static void wait(struct run *r, uint64_t now)
{
    uint64_t wake_ns = r->sending ? r->due_ns - r->o->spin_ns : quiet_end(r);
    uint64_t sleep_ns = wake_ns > now ? wake_ns - now : 0;
    struct timespec timeout = { .tv_sec = (time_t)(sleep_ns / NS_PER_S),
                                .tv_nsec = (long)(sleep_ns % NS_PER_S) };
    struct pollfd watched[] = { { .fd = r->interrupts.fd, .events = POLLIN },
                                { .fd = r->port->fd, .events = POLLIN } };
    nfds_t count = r->o->role == ROLE_SOURCE ? 1 : 2;

    if (ppoll(watched, count, &timeout, NULL) <= 0)
        return;
    if (watched[0].revents != 0)
        interrupts_take(&r->interrupts);
    if (watched[1].revents != 0)
        receive(r);
}

static bool stop_on_signal(struct run *r)
{
    if (r->interrupts.count == 0)
        return false;
    r->sending = false;
    return r->o->role == ROLE_SINK || r->interrupts.count > 1;
}

/* When the end has come by the clock, the generator itself may have been late: what arrived
 * meanwhile waits in the socket, and was no silence. */
static bool ended(struct run *r, uint64_t now)
{
    if (r->sending)
        return false;
    if (!drained(r) && now >= quiet_end(r))
        receive(r);
    return drained(r) || now >= quiet_end(r);
}

static void loop(struct run *r)
{
    while (!r->broken && !stop_on_signal(r)) {
        uint64_t now = send_due(r);

        if (ended(r, now))
            break;
        wait(r, now);
    }
}

static bool begin(struct run *r)
{
    const struct options *o = r->o;
    const uint8_t *src = o->src_given || !r->port->has_mac ? o->src : r->port->mac;
    uint64_t capacity = o->role == ROLE_SINK && o->count == 0 ? SINK_CAPACITY : o->count;
    struct frame_info info = { .run = o->run };

    if (o->frame_bytes > r->port->frame_limit) {
        fprintf(stderr, "loadgen: --size %u: the interface carries at most %u bytes; lower it\n",
                o->frame_bytes, r->port->frame_limit);
        return false;
    }
    if (!tracker_init(&r->result->tracker, capacity)) {
        fprintf(stderr, "loadgen: no memory to track %llu frames; lower --count or --seconds\n",
                (unsigned long long)capacity);
        return false;
    }
    r->start_ns = clock_now() + LEAD_NS;
    if (!o->run_given)
        info.run = (uint32_t)(r->start_ns / NS_PER_US);
    r->run_known = o->role != ROLE_SINK || o->run_given;
    r->result->run = info.run;
    frame_build(r->frame, o->frame_bytes, o->dst, src, &info);
    r->last_activity_ns = r->start_ns;
    if (o->role != ROLE_SINK) {
        schedule_init(&r->schedule, o->arrival, o->rate_pps, o->count, o->seed);
        next_due(r);
    }
    return true;
}

bool run_load(const struct options *o, struct port *port, struct run_result *result)
{
    static struct run r;

    r = (struct run){ .o = o, .port = port, .result = result };
    if (!begin(&r))
        return false;
    if (!interrupts_open(&r.interrupts)) {
        fprintf(stderr, "loadgen: signalfd: %s; raise the limit of open files\n", strerror(errno));
        return false;
    }
    loop(&r);
    result->signal = r.interrupts.first;
    interrupts_close(&r.interrupts);
    if (o->role != ROLE_SINK)
        result->unsent = o->count - result->sent - result->send_failed;
    result->socket_drops = port->ops->drops(port);
    return !r.broken;
}

void run_result_free(struct run_result *result)
{
    tracker_free(&result->tracker);
}
