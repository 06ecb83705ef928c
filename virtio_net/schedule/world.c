#include "world.h"
#include <stdlib.h>
#include <string.h>

struct world world;
struct counts counts;
struct scene scene;
struct vnet_dev dev;
struct vnet_q *const queue = &dev.q[0];

static _Alignas(16) uint8_t stacks[PARTIES][COROUTINE_STACK];
static uint16_t doorbell;

unsigned world_pool(void)
{
    return scene.receives ? 2u * scene.size : scene.size + 2u;
}

static uint16_t start(void)
{
    if (!scene.late)
        return VRING_START(scene.packed);
    return scene.packed ? (uint16_t)((scene.size - 1) | PVIRTQ_WRAP) : UINT16_MAX - 1;
}

static void init_buffers(void)
{
    for (unsigned i = 0; i < world_pool(); i++) {
        struct buffer *b = &world.buffer[i];
        b->buf = (struct vnet_buf){ .data = world.content[i], .capacity = VNET_BUF_BYTES };
        b->owner = OWNER_DRIVER;
        buffer_put(b);
    }
}

/* As vnet_queue_setup does, on a device of one queue. */
static void init_queue(void)
{
    struct vring_config layout = {
        .size = scene.size,
        .start = start(),
        .packed = scene.packed,
        .event_idx = scene.event_idx,
    };
    memset(&dev, 0, sizeof(dev));
    dev.pairs = dev.pairs_used = 1;
    *queue = (struct vnet_q){
        .dev = &dev,
        .index = scene.receives ? VNET_RX : VNET_TX,
        .bell = { (uintptr_t)&doorbell, 1, ENV_BELL_MMIO16 },
        .layout = layout,
        .hdr_bytes = VNET_HDR_BYTES,
        .len_max = UINT32_MAX,
    };
    if (vring_bytes(&layout) > sizeof(world.memory) ||
        vring_init(&queue->ring, &layout, world.memory, world.shadow))
        abort();
}

static void init_worker(void)
{
    struct worker *w = &world.worker;
    struct vnet_ring_addr addr;
    vring_addresses(&queue->ring, &addr);
    struct ring_dev_config c = {
        .size = scene.size,
        .start = start(),
        .packed = scene.packed,
        .event_idx = scene.event_idx,
        .desc = addr.desc,
        .avail = addr.avail,
        .used = addr.used,
    };
    ring_dev_init(&w->ring, &c);
    w->asleep = true;
    w->backlog = scene.receives ? scene.frames : 0;
    /* A ring that goes on from an earlier life: the device has asked for the next kick. */
    if (!scene.packed)
        *(uint16_t *)&queue->ring.s.used->ring[scene.size] = le16(start());
}

void world_init(void)
{
    static void (*const mains[PARTIES])(void) = { task_main, irq_main, worker_main };
    memset(&world, 0, sizeof(world));
    memset(&counts, 0, sizeof(counts));
    for (int i = 0; i < PARTIES; i++)
        coroutine_init(&world.party[i].run, stacks[i] + COROUTINE_STACK, mains[i]);
    world.left = scene.receives ? 0 : scene.frames;
    init_buffers();
    init_queue();
    init_worker();
    /* Up to their first stop. */
    world.running = DEVICE;
    coroutine_run(&world.party[DEVICE].run);
    world.running = TASK;
    coroutine_run(&world.party[TASK].run);
}
