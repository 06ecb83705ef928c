/* Counts whatever comes. */
#include "program.h"

const struct program program = {
    .name = "sink",
    .id = SINK,
    .counts_together = true,
    .usage = "usage: sink (--vhost-user SOCKET | --vhost-net TAP) [options]\n"
             "Counts the frames that come.",
};

static uint64_t limit;

int program_begin(const struct options *o)
{
    limit = o->count;
    return 0;
}

void program_rx(struct port_pair *p, struct vnet_buf **bufs, uint32_t n)
{
    p->stats.sunk += n;
    port_progress(p, p->stats.sunk);
    for (uint32_t i = 0; i < n; i++)
        port_frame_free(p, bufs[i]);
}

uint64_t program_step(struct port_pair *p, uint64_t now)
{
    (void)p;
    (void)now;
    return PROGRAM_WAITS;
}

bool program_done(const struct port_pair *p)
{
    return limit && p->stats.sunk >= limit;
}

int program_end(void)
{
    return 0;
}
