/* What must hold after each step, and when no step is left. */
#include "world.h"

static bool cpu_at_rest(void)
{
    return !world.party[IRQ].active && world.party[TASK].wait == WAIT_CHOICE;
}

static bool counted(void)
{
    const struct vnet_stats *s = &queue->stats;
    return s->kicks == counts.bells && s->irqs == counts.irqs_taken;
}

void check_step(void)
{
    if (queue->ring.broken)
        violate(VERDICT_broken);
    if (world.worker.ring.driver_error)
        violate(VERDICT_rule);
    if (!buffers_untouched())
        violate(VERDICT_handed_over);
    if (!cpu_at_rest())
        return;
    if (vnet_check(queue))
        violate(VERDICT_lost_buffer);
    if (!counted())
        violate(VERDICT_notifications);
}

void check_end(void)
{
    unsigned pool = 0;
    uint64_t in_flight = queue->ring.published - queue->ring.harvested;
    for (unsigned i = 0; i < world_pool(); i++)
        pool += world.buffer[i].owner == OWNER_POOL;
    bool served = scene.receives ? world.received == scene.frames
                                 : !world.left && world.worker.next == scene.frames;
    if (!served || in_flight != (scene.receives ? scene.size : 0u) ||
        pool + in_flight != world_pool())
        violate(VERDICT_lost_wakeup);
}
