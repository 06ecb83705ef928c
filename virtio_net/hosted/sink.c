/* Counts whatever comes. */
#include "port.h"
#include "program.h"

const struct program program = {
    .name = "sink",
    .id = SINK,
    .usage = "usage: sink (--vhost-user SOCKET | --vhost-net TAP) [options]\n"
             "Counts the frames that come.",
};

static uint64_t limit;

int program_begin(const struct options *o)
{
    limit = o->count;
    return 0;
}

void program_rx(struct vnet_buf **bufs, uint32_t n)
{
    port_stats.sunk += n;
    for (uint32_t i = 0; i < n; i++)
        port_frame_free(bufs[i]);
}

uint64_t program_step(uint64_t now)
{
    (void)now;
    return PROGRAM_WAITS;
}

bool program_done(void)
{
    return limit && port_stats.sunk >= limit;
}

int program_end(void)
{
    return 0;
}
