/* Sends test frames, a flow by each pair. With a window it waits for each to come back, in order,
 * and so never loses one to a full ring anywhere.
 *
 * A frame returns by the pair that the backend chooses. Frames say which flow they are of, so each
 * thread keeps count of all flows, and tells the flow's own thread if that is another. */
#include "../../experiments/loadgen/frame.h"
#include <string.h>
#include "program.h"
#include "sender.h"

const struct program program = {
    .name = "source",
    .id = SOURCE,
    .usage = "usage: source (--vhost-user SOCKET | --vhost-net TAP) [options]\n"
             "Sends test frames.",
};

struct flow { /* a pair's, its thread's alone but for `returned` */
    _Alignas(128) struct sender sender;
    uint64_t expected[VNET_PAIRS_MAX]; /* by this pair, of each flow: no number below this */
    uint64_t misordered;
    uint64_t returned[VNET_PAIRS_MAX]; /* likewise, how many; read by that flow's thread */
};

static struct flow flows[VNET_PAIRS_MAX];
static uint64_t window;
static unsigned pairs;
static uint32_t bytes;

static uint64_t returned(unsigned by, unsigned flow)
{
    return __atomic_load_n(&flows[by].returned[flow], __ATOMIC_RELAXED);
}

static uint64_t outstanding(const struct port_pair *p)
{
    uint64_t back = 0;
    for (unsigned i = 0; i < pairs; i++)
        back += returned(i, p->index);
    return p->stats.sourced - back;
}

static uint64_t room(const struct sender *s)
{
    uint64_t out = outstanding(s->pair);
    return out < window ? window - out : 0;
}

/* A flow is known by its source address too, to who steers by addresses. */
static bool fill(struct sender *s, struct vnet_buf *b, uint64_t k, uint64_t due_ns)
{
    static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct frame_info info = { .run = s->pair->index, .seq = k, .intended_ns = due_ns };
    uint8_t from[6];
    memcpy(from, port_dev.mac, sizeof(from));
    from[5] ^= (uint8_t)s->pair->index;
    b->len = bytes;
    frame_build(b->data + VNET_HDR_BYTES, b->len, everyone, from, &info);
    return true;
}

int program_begin(const struct options *o)
{
    window = o->window;
    bytes = (uint32_t)o->size;
    pairs = (unsigned)o->pairs;
    for (unsigned i = 0; i < pairs; i++)
        flows[i].sender = (struct sender){
            .pair = &port_pairs[i],
            .limit = o->count ? o->count / pairs + (i < o->count % pairs) : UINT64_MAX,
            .rate = o->rate,
            .of = pairs,
            .nth = i,
            .fill = fill,
            .room = window ? room : NULL,
        };
    return 0;
}

/* False: it is none of ours. */
static bool take(struct flow *f, const struct vnet_buf *b, uint32_t *others)
{
    struct frame_info info;
    if (!frame_parse(b->data + VNET_HDR_BYTES, b->len, &info) || info.run >= pairs)
        return false;
    f->misordered += info.seq < f->expected[info.run] || b->len != bytes;
    f->expected[info.run] = info.seq + 1;
    __atomic_store_n(&f->returned[info.run], f->returned[info.run] + 1, __ATOMIC_RELAXED);
    *others |= 1u << info.run;
    return true;
}

void program_rx(struct port_pair *p, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t others = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool ours = take(&flows[p->index], bufs[i], &others);
        p->stats.sunk += ours;
        p->stats.foreign += !ours;
        port_frame_free(p, bufs[i]);
    }
    others &= ~(1u << p->index);
    for (unsigned i = 0; others >> i; i++) {
        if (window && others >> i & 1)
            port_wake(i);
    }
}

uint64_t program_step(struct port_pair *p, uint64_t now)
{
    return sender_step(&flows[p->index].sender, now);
}

bool program_done(const struct port_pair *p)
{
    return sender_done(&flows[p->index].sender) && (!window || !outstanding(p));
}

int program_end(void)
{
    uint64_t misordered = 0;
    for (unsigned i = 0; i < pairs; i++) {
        sender_end(&flows[i].sender);
        misordered += flows[i].misordered;
    }
    if (window && misordered)
        return port_complain("%lu frames came back twice, out of order or with another length",
                             misordered);
    return 0;
}
