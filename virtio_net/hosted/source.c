/* Sends test frames. With a window it waits for each to come back, in order, and so never loses one
 * to a full ring anywhere. */
#include "../../experiments/loadgen/frame.h"
#include "program.h"
#include "sender.h"

const struct program program = {
    .name = "source",
    .id = SOURCE,
    .usage = "usage: source (--vhost-user SOCKET | --vhost-net TAP) [options]\n"
             "Sends test frames.",
};

static struct sender sender;
static uint64_t window, misordered;
static uint32_t bytes;

static uint64_t room(void)
{
    uint64_t out = port_stats.sourced - port_stats.sunk;
    return out < window ? window - out : 0;
}

static bool fill(struct vnet_buf *b, uint64_t k, uint64_t due_ns)
{
    static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct frame_info info = { .seq = k, .intended_ns = due_ns };
    b->len = bytes;
    frame_build(b->data + VNET_HDR_BYTES, b->len, everyone, port_dev.mac, &info);
    return true;
}

int program_begin(const struct options *o)
{
    window = o->window;
    bytes = (uint32_t)o->size;
    sender = (struct sender){
        .limit = o->count ? o->count : UINT64_MAX,
        .rate = o->rate,
        .fill = fill,
        .room = window ? room : NULL,
    };
    return 0;
}

void program_rx(struct vnet_buf **bufs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct frame_info info;
        if (frame_parse(bufs[i]->data + VNET_HDR_BYTES, bufs[i]->len, &info)) {
            misordered += info.seq != port_stats.sunk || bufs[i]->len != bytes;
            port_stats.sunk++;
        } else {
            port_stats.foreign++;
        }
        port_frame_free(bufs[i]);
    }
}

uint64_t program_step(uint64_t now)
{
    return sender_step(&sender, now);
}

bool program_done(void)
{
    return sender_done(&sender) && (!window || port_stats.sunk >= port_stats.sourced);
}

int program_end(void)
{
    sender_end(&sender);
    if (window && misordered)
        return port_complain("%lu frames came back twice, out of order or with another length",
                             misordered);
    return 0;
}
