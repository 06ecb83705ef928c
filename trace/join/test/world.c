#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RING  256
#define NEVER 1e300

enum { TX = TRACE_VQ_TX, RX = TRACE_VQ_RX };

/* One thing that will happen at a time; the earliest happens next. */
enum slot { GUEST, DOORBELL, WORKER, READ_RX, READ_TX, IRQ_RX, IRQ_TX, FRAMES, SLOTS };

struct ring {
    uint64_t published, consumed, used, harvested, seen;
    uint32_t count;   /* of the kick eventfd */
    uint32_t kicks;   /* ordinal of the last */
    int device_wants; /* kicks not suppressed */
    int driver_wants; /* calls not suppressed */
    unsigned unread;  /* calls QEMU has not read */
    int kick_queued, net_queued;
    unsigned unowned; /* calls not yet explained by an interrupt or a harvest */
    uint64_t call_used[1024], unread_used[1024];
};

struct sim {
    struct world *w;
    uint64_t random;
    double at[SLOTS];
    double now;
    struct ring ring[2];
    unsigned frames; /* waiting in the socket */
    unsigned sends, arrivals;
    /* guest: what comes next on its one CPU */
    enum { IDLE, STAMP, BELL, BELL_DONE } guest;
    int guest_vq;
    unsigned guest_batch;
    uint64_t tsc_before;
    double guest_thought; /* when the idle guest would send by itself */
    /* worker */
    enum { REST, BEGIN, TAKE, STORED, ENDING } worker;
    int worker_vq, worker_cause;
    unsigned worker_cpu, worker_batch, run_taken;
    int weighed[2], kicked[2]; /* why the next run begins, as the full set of probes tells it */
    int worker_signalled;
    uint64_t run_begin_ns;
};

static double uniform(struct sim *s)
{
    s->random += 0x9e3779b97f4a7c15ull;
    uint64_t z = s->random;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static double between(struct sim *s, double low, double high)
{
    return low + (high - low) * uniform(s);
}

static double waiting(struct sim *s, double mean)
{
    return -mean * log(1 - uniform(s));
}

static uint64_t tsc_at(const struct sim *s)
{
    return WORLD_TSC_START + (uint64_t)world_tsc(&s->w->options, (long double)s->now);
}

static uint64_t ns_at(const struct sim *s)
{
    return WORLD_HOST_START + (uint64_t)s->now;
}

static uint64_t guest_says(struct sim *s, uint16_t id, int vq, uint32_t seq, uint64_t a, uint64_t b)
{
    struct world *w = s->w;
    uint64_t tsc = tsc_at(s);
    w->guest = realloc(w->guest, (w->guest_count + 1) * sizeof *w->guest);
    w->guest[w->guest_count++] = (struct trace_record){ tsc, id, (uint8_t)vq, 0, seq, a, b };
    return tsc;
}

static uint64_t host_says(struct sim *s, unsigned cpu, uint16_t id, int vq, int flags, uint32_t seq,
                          uint64_t a, uint64_t b)
{
    struct world *w = s->w;
    struct trace_record r = { ns_at(s), id, (uint8_t)vq, (uint8_t)flags, seq, a, b };
    w->host = realloc(w->host, (w->host_count + 1) * sizeof *w->host);
    w->host[w->host_count].record = r;
    w->host[w->host_count++].cpu = cpu;
    return r.time;
}

/* What only the full set of probes records; of the worker, on its CPU. */
static void full_says(struct sim *s, uint16_t id, int vq, uint64_t a, uint64_t b)
{
    if (s->w->options.full)
        host_says(s, s->worker_cpu, id, vq, 0, 0, a, b);
}

static void full_guest_says(struct sim *s, uint16_t id, int vq, uint64_t a)
{
    if (s->w->options.full)
        guest_says(s, id, vq, 0, a, 0);
}

static struct fate *fate(struct sim *s, int vq, uint64_t index)
{
    uint64_t i = index - s->w->options.first_index;
    if (i >= WORLD_BUFFERS)
        abort();
    return &s->w->fates[vq][i];
}

static double send_gap(struct sim *s)
{
    if (s->w->options.regular > 0)
        return 200e3;
    return uniform(s) < .4 ? between(s, 1e3, 6e3) : waiting(s, 60e3);
}

static void guest_rest(struct sim *s)
{
    s->guest = IDLE;
    s->at[GUEST] = s->guest_thought > s->now ? s->guest_thought : s->now + 100;
}

static void guest_publish(struct sim *s, int vq, unsigned n)
{
    struct ring *r = &s->ring[vq];
    s->guest_vq = vq;
    s->guest_batch = n;
    r->published += n; /* the store; the stamp comes after it */
    s->guest = STAMP;
    s->at[GUEST] = s->now + between(s, 20, 900);
}

/* Takes what is used; refills or sends on. */
static void guest_harvest(struct sim *s, int vq)
{
    struct ring *r = &s->ring[vq];
    uint64_t n = r->used - r->harvested;
    if (!n)
        return;
    uint64_t old = r->harvested;
    r->harvested = r->used;
    uint64_t tsc = guest_says(s, TRACE_EV_harvest, vq, 0, r->harvested, n);
    for (uint64_t i = old; i < r->harvested; i++)
        fate(s, vq, i)->harvest = tsc;
    unsigned left = 0; /* calls for what is harvested now can explain no interrupt any more */
    for (unsigned i = 0; i < r->unowned; i++)
        if (r->call_used[i] > r->harvested)
            r->call_used[left++] = r->call_used[i];
    r->unowned = left;
}

static void guest_think(struct sim *s)
{
    struct world_options *o = &s->w->options;
    struct ring *rx = &s->ring[RX], *tx = &s->ring[TX];
    if (uniform(s) < o->poll_share) {
        guest_harvest(s, RX);
        guest_harvest(s, TX);
    }
    if (rx->published - rx->harvested < (o->rx_ring + 1) / 2) {
        guest_publish(s, RX, (unsigned)(o->rx_ring - (rx->published - rx->harvested)));
        return;
    }
    if (s->sends < o->sends && s->now >= s->guest_thought) {
        unsigned n = o->regular > 0 ? 1 : 1 + (unsigned)(uniform(s) * 3.99);
        s->guest_thought = s->now + send_gap(s);
        if (tx->published - tx->harvested + n <= RING) {
            s->sends++;
            guest_publish(s, TX, n);
            return;
        }
        guest_says(s, TRACE_EV_tx_full, TX, 0, tx->published, n);
        guest_harvest(s, TX);
    }
    if (s->sends == o->sends)
        s->guest_thought = NEVER;
    guest_rest(s);
}

static void guest_stamp(struct sim *s)
{
    struct ring *r = &s->ring[s->guest_vq];
    int last = s->sends == s->w->options.sends && s->guest_vq == TX;
    guest_says(s, TRACE_EV_publish, s->guest_vq, 0, r->published, s->guest_batch);
    if (last)
        full_guest_says(s, TRACE_EV_trigger, TX, 1);
    full_guest_says(s, TRACE_EV_selftest, TX, r->published);
    if (r->device_wants && !(s->w->options.stall && last)) {
        s->guest = BELL;
        s->at[GUEST] = s->now + between(s, 20, 100);
        return;
    }
    s->now += 15;
    guest_says(s, TRACE_EV_kick_suppressed, s->guest_vq, 0, r->published, 0);
    guest_rest(s);
}

static void guest_step(struct sim *s)
{
    struct ring *r = &s->ring[s->guest_vq];
    switch (s->guest) {
    case IDLE:
        guest_think(s);
        break;
    case STAMP:
        guest_stamp(s);
        break;
    case BELL: /* into the exit: the guest stands still until the host's side is done */
        s->tsc_before = tsc_at(s);
        s->at[DOORBELL] = s->now + s->w->options.exit_us * 1e3 + waiting(s, 700);
        s->at[GUEST] = NEVER;
        break;
    case BELL_DONE:
        guest_says(s, TRACE_EV_kick, s->guest_vq, r->kicks, r->published, s->tsc_before);
        guest_rest(s);
        break;
    }
}

static void irq(struct sim *s, int vq)
{
    struct ring *r = &s->ring[vq];
    full_guest_says(s, TRACE_EV_nmi, TRACE_VQ_NONE, 0xffff800000100000);
    if (s->guest != IDLE) { /* interrupts wait until the guest has left the driver */
        s->at[IRQ_RX + vq] = s->at[GUEST] < NEVER ? s->at[GUEST] + 50 : s->now + 500;
        return;
    }
    s->at[IRQ_RX + vq] = NEVER;
    int spurious = r->used == r->harvested;
    uint64_t tsc =
        guest_says(s, spurious ? TRACE_EV_irq_spurious : TRACE_EV_irq, vq, 0, r->used, vq);
    unsigned left = 0;
    for (unsigned i = 0; i < r->unowned; i++) {
        if (r->call_used[i] <= r->used)
            fate(s, vq, r->call_used[i] - 1)->irq = tsc;
        else
            r->call_used[left++] = r->call_used[i];
    }
    r->unowned = left;
    r->seen = r->used;
    r->driver_wants = 0;
    s->now += between(s, 200, 3000);
    guest_harvest(s, vq);
    r->driver_wants = 1;
    guest_says(s, TRACE_EV_irq_arm, vq, 0, r->harvested, r->harvested);
    if (r->used != r->harvested) {
        guest_says(s, TRACE_EV_arm_race, vq, 0, r->used, r->used - r->harvested);
        guest_harvest(s, vq);
    }
    if (s->at[GUEST] > s->now + 100) /* it may have to refill */
        s->at[GUEST] = s->now + 100;
}

static void doorbell(struct sim *s)
{
    struct world *w = s->w;
    struct ring *r = &s->ring[s->guest_vq];
    r->kicks++;
    r->count++;
    int flags = r->kick_queued ? TRACE_F_MERGED : 0;
    uint64_t ns = host_says(s, 0, TRACE_EV_host_kick, s->guest_vq, flags, r->count, r->consumed, 0);
    w->kicks = realloc(w->kicks, (w->kick_count + 1) * sizeof *w->kicks);
    w->kicks[w->kick_count++] =
        (struct world_kick){ (uint8_t)s->guest_vq, r->kicks, ns, r->published - 1 };
    r->kick_queued = 1;
    s->kicked[s->guest_vq] = 1;
    if (s->worker == REST) {
        s->worker = BEGIN;
        s->at[WORKER] = s->now + 2000 + waiting(s, 9000);
    }
    s->at[DOORBELL] = NEVER;
    s->guest = BELL_DONE;
    s->at[GUEST] = s->now + s->w->options.exit_us * 1e3 + waiting(s, 700);
}

static void call(struct sim *s, int vq)
{
    struct ring *r = &s->ring[vq];
    if (r->unowned == 1024 || r->unread == 1024)
        abort();
    r->call_used[r->unowned++] = r->used;
    r->unread_used[r->unread] = r->used;
    if (!r->unread++)
        s->at[READ_RX + vq] = s->now + 1500 + waiting(s, 8000);
}

static void read_call(struct sim *s, int vq)
{
    struct ring *r = &s->ring[vq];
    uint64_t ns = host_says(s, 1, TRACE_EV_call_read, vq, 0, 0, r->unread, 0);
    for (unsigned i = 0; i < r->unread; i++)
        fate(s, vq, r->unread_used[i] - 1)->call_read = ns;
    r->unread = 0;
    s->at[READ_RX + vq] = NEVER;
    if (s->at[IRQ_RX + vq] == NEVER)
        s->at[IRQ_RX + vq] = s->now + between(s, 300, 5000);
}

static int worker_choose(struct sim *s)
{
    static const int order[] = { TX, RX };
    for (int i = 0; i < 2; i++) {
        struct ring *r = &s->ring[order[i]];
        if (!r->kick_queued && !r->net_queued)
            continue;
        s->worker_vq = order[i];
        s->worker_cause = r->kick_queued ? TRACE_F_CAUSE_KICK : TRACE_F_CAUSE_NET;
        if (r->kick_queued)
            r->kick_queued = 0;
        else
            r->net_queued = 0;
        return 1;
    }
    return 0;
}

static unsigned worker_can_take(const struct sim *s)
{
    const struct ring *r = &s->ring[s->worker_vq];
    unsigned there = (unsigned)(r->published - r->consumed);
    return s->worker_vq == RX && s->frames < there ? s->frames : there;
}

/* Why handle_*_kick runs, where it is not a kick alone. */
static void add_reason(struct sim *s)
{
    if (s->w->options.full && s->worker_cause == TRACE_F_CAUSE_KICK)
        s->worker_cause |= s->weighed[s->worker_vq]  ? TRACE_F_CAUSE_WEIGHT
                           : s->kicked[s->worker_vq] ? 0
                                                     : TRACE_F_CAUSE_START;
    s->weighed[s->worker_vq] = s->kicked[s->worker_vq] = 0;
}

static void worker_begin(struct sim *s)
{
    if (!worker_choose(s)) {
        s->worker = REST;
        s->at[WORKER] = NEVER;
        full_says(s, TRACE_EV_worker_off, TRACE_VQ_NONE, 77, 1);
        return;
    }
    struct ring *r = &s->ring[s->worker_vq];
    s->worker_cpu = (unsigned)(uniform(s) * WORLD_CPUS);
    full_says(s, TRACE_EV_worker_on, TRACE_VQ_NONE, 77, 0);
    add_reason(s);
    s->run_begin_ns = host_says(s, s->worker_cpu, TRACE_EV_run_begin, s->worker_vq, s->worker_cause,
                                r->count, r->consumed, r->used);
    s->run_taken = 0;
    r->device_wants = 0;
    full_says(s, TRACE_EV_notify_off, s->worker_vq, r->consumed, 0);
    s->worker = TAKE;
    s->at[WORKER] = s->now + between(s, 200, 1500);
}

static void worker_end(struct sim *s)
{
    struct ring *r = &s->ring[s->worker_vq];
    host_says(s, s->worker_cpu, TRACE_EV_run_end, s->worker_vq, s->worker_cause, r->count,
              r->consumed, r->used);
    s->worker = BEGIN;
    s->at[WORKER] = s->now + between(s, 100, 2000);
}

static void worker_take(struct sim *s)
{
    struct ring *r = &s->ring[s->worker_vq];
    unsigned n = worker_can_take(s);
    if (!n) { /* look once more with kicks on, as vhost_enable_notify does */
        r->device_wants = s->worker_vq == TX || r->published == r->consumed;
        if (r->device_wants)
            full_says(s, TRACE_EV_notify_on, s->worker_vq, r->consumed, 0);
        worker_end(s);
        return;
    }
    /* The weight: give others a turn, come back without a kick. Low where it is told of. */
    if (s->run_taken > (s->w->options.full ? 3 : 24)) {
        r->kick_queued = 1;
        s->weighed[s->worker_vq] = 1;
        full_says(s, TRACE_EV_weight_out, s->worker_vq, s->run_taken, 60 * s->run_taken);
        worker_end(s);
        return;
    }
    s->worker_batch = n > 8 ? 8 : n;
    s->run_taken += s->worker_batch;
    for (unsigned i = 0; i < s->worker_batch; i++)
        fate(s, s->worker_vq, r->consumed + i)->run_begin = s->run_begin_ns;
    r->consumed += s->worker_batch;
    if (s->worker_vq == RX)
        s->frames -= s->worker_batch;
    r->used += s->worker_batch;
    s->worker_signalled = r->driver_wants && uniform(s) < .85;
    full_says(s, s->worker_vq == TX ? TRACE_EV_tap_send : TRACE_EV_tap_recv, s->worker_vq,
              s->worker_batch, 0);
    if (s->worker_signalled) {
        call(s, s->worker_vq);
        full_says(s, TRACE_EV_irq_inject, s->worker_vq, 24, 0);
    }
    s->worker = STORED;
    s->at[WORKER] = s->now + between(s, 300, 4000);
}

/* The probe stamps when the function returns, after the entries and the call are out. */
static void worker_stamp(struct sim *s)
{
    struct ring *r = &s->ring[s->worker_vq];
    uint64_t ns =
        host_says(s, s->worker_cpu, TRACE_EV_used, s->worker_vq,
                  s->worker_signalled ? TRACE_F_SIGNALLED : 0, 0, r->used, s->worker_batch);
    for (unsigned i = 0; i < s->worker_batch; i++) {
        struct fate *f = fate(s, s->worker_vq, r->used - 1 - i);
        f->used = ns;
        f->signalled = s->worker_signalled;
    }
    s->worker = TAKE;
    s->at[WORKER] = s->now + between(s, 500, 3000);
}

static void worker_step(struct sim *s)
{
    if (s->worker == TAKE)
        worker_take(s);
    else if (s->worker == STORED)
        worker_stamp(s);
    else
        worker_begin(s);
}

static void frames_arrive(struct sim *s)
{
    unsigned n = 1 + (unsigned)(uniform(s) * 2.99);
    if (s->frames < 1000)
        s->frames += n;
    s->ring[RX].net_queued = 1;
    if (s->worker == REST) {
        s->worker = BEGIN;
        s->at[WORKER] = s->now + 2000 + waiting(s, 5000);
    }
    s->at[FRAMES] = ++s->arrivals < s->w->options.sends ? s->now + waiting(s, 50e3) : NEVER;
}

static void happen(struct sim *s, enum slot slot)
{
    switch (slot) {
    case GUEST:
        guest_step(s);
        break;
    case DOORBELL:
        doorbell(s);
        break;
    case WORKER:
        worker_step(s);
        break;
    case READ_RX:
    case READ_TX:
        read_call(s, slot - READ_RX);
        break;
    case IRQ_RX:
    case IRQ_TX:
        irq(s, slot - IRQ_RX);
        break;
    default:
        frames_arrive(s);
    }
}

/* A mark goes to every CPU, one after the other. */
static void marks(struct sim *s, uint64_t number)
{
    for (unsigned cpu = 0; cpu < WORLD_CPUS; cpu++) {
        host_says(s, cpu, TRACE_EV_mark, TRACE_VQ_NONE, 0, 0, number, 0);
        s->now += 5000;
    }
}

static void start(struct sim *s, struct world *w)
{
    const struct world_options *o = &w->options;
    s->w = w;
    s->random = o->seed;
    for (int i = 0; i < SLOTS; i++)
        s->at[i] = NEVER;
    for (int vq = 0; vq < 2; vq++) {
        struct ring *r = &s->ring[vq];
        r->published = r->consumed = r->used = r->harvested = r->seen = o->first_index;
        r->kicks = o->first_kick + 10 * (unsigned)vq;
        r->count = o->first_count + 25 * (unsigned)vq;
        r->device_wants = r->driver_wants = 1;
        w->fates[vq] = calloc(WORLD_BUFFERS, sizeof *w->fates[vq]);
    }
    s->now = 1e6;
    marks(s, WORLD_BEGIN_MARK);
    s->at[GUEST] = s->guest_thought = s->now + 2e6;
    s->at[FRAMES] = o->no_frames ? NEVER : s->now + 2.1e6;
}

void world_make(struct world *w, const struct world_options *options)
{
    static struct sim s; /* large; one world is made at a time */
    memset(w, 0, sizeof *w);
    memset(&s, 0, sizeof s);
    w->options = *options;
    start(&s, w);
    for (;;) {
        int next = 0;
        for (int i = 1; i < SLOTS; i++)
            if (s.at[i] < s.at[next])
                next = i;
        if (s.at[next] >= NEVER / 2)
            break;
        if (s.at[next] > s.now)
            s.now = s.at[next];
        happen(&s, (enum slot)next);
    }
    s.now += 50e6;
    marks(&s, WORLD_END_MARK);
}
