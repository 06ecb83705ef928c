/* Sends every test frame back to where it came from; frames of others are counted and dropped. */
#include "../../experiments/loadgen/frame.h"
#include "program.h"

const struct program program = {
    .name = "echo",
    .id = ECHO,
    .counts_together = true,
    .usage = "usage: echo (--vhost-user SOCKET | --vhost-net TAP) [options]\n"
             "Sends test frames back, with the MAC addresses exchanged.",
};

static uint64_t limit;

int program_begin(const struct options *o)
{
    limit = o->count;
    return 0;
}

void program_rx(struct port_pair *p, struct vnet_buf **bufs, uint32_t n)
{
    struct vnet_buf *ours[VNET_BATCH];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct frame_info info;
        if (frame_parse(bufs[i]->data + VNET_HDR_BYTES, bufs[i]->len, &info)) {
            frame_swap_macs(bufs[i]->data + VNET_HDR_BYTES);
            /* What was validated on the way in is not to be computed on the way out. */
            bufs[i]->offload.flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
            ours[kept++] = bufs[i];
        } else {
            p->stats.foreign++;
            port_frame_free(p, bufs[i]);
        }
    }
    uint32_t sent = kept ? port_send(p, ours, kept) : 0;
    p->stats.echoed += sent;
    p->stats.echo_full += kept - sent;
    port_progress(p, p->stats.echoed);
    while (sent < kept)
        port_frame_free(p, ours[sent++]);
}

uint64_t program_step(struct port_pair *p, uint64_t now)
{
    (void)p;
    (void)now;
    return PROGRAM_WAITS;
}

bool program_done(const struct port_pair *p)
{
    return limit && p->stats.echoed >= limit;
}

int program_end(void)
{
    return 0;
}
