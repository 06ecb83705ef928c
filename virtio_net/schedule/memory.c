/* Where the parties stop: shared memory, seen through store buffers where the scene wants them. */
#include "world.h"
#include <string.h>

static struct party *running(void)
{
    return &world.party[world.running];
}

static enum cpu_id cpu(void)
{
    return world.running == DEVICE ? DEVICE_CPU : DRIVER_CPU;
}

void party_stop(enum wait wait, enum access access, const volatile void *at, uint16_t value)
{
    struct party *p = running();
    p->wait = (uint8_t)wait;
    p->access = (uint8_t)access;
    p->at = at;
    p->value = value;
    coroutine_stop(&p->run);
    p->access = ACCESS_NONE;
    p->at = NULL;
    p->value = 0;
}

/* Without one that waits there is nothing to choose: the device's steps make no difference between
 * two of the driver's accesses to shared memory. */
void party_stop_for_irq(const volatile void *at)
{
    if (world.running == TASK && world.irq_pending && !vnet_mode.works_in_irq)
        party_stop(WAIT_IRQ, ACCESS_PRIVATE, at, 0);
}

unsigned party_choose(void)
{
    party_stop(WAIT_CHOICE, ACCESS_NONE, NULL, 0);
    return running()->option;
}

uint16_t memory_read_by(enum cpu_id id, const volatile uint16_t *at)
{
    const struct store_buffer *b = &world.stores[id];
    for (uint32_t i = b->used; i--;) {
        if (b->store[i].at == at)
            return b->store[i].value;
    }
    return *at;
}

static void reach_memory(enum cpu_id id, volatile uint16_t *at, uint16_t value)
{
    *at = value;
    if (id == DEVICE_CPU)
        world.fresh = true;
}

void memory_drain_one(enum cpu_id id)
{
    struct store_buffer *b = &world.stores[id];
    reach_memory(id, b->store[0].at, b->store[0].value);
    b->used--;
    memmove(&b->store[0], &b->store[1], b->used * sizeof(b->store[0]));
    memset(&b->store[b->used], 0, sizeof(b->store[0]));
}

uint32_t schedule_load(const volatile void *at, unsigned bytes)
{
    const volatile uint16_t *half = at;
    party_stop(WAIT_NOTHING, ACCESS_LOAD, at, 0);
    if (bytes == 2)
        return memory_read_by(cpu(), half);
    return memory_read_by(cpu(), half) | (uint32_t)memory_read_by(cpu(), half + 1) << 16;
}

void schedule_store(volatile uint16_t *at, uint16_t value)
{
    party_stop(scene.tso ? WAIT_ROOM : WAIT_NOTHING, ACCESS_STORE, at, value);
    if (cpu() == DRIVER_CPU)
        buffers_publish(at);
    if (scene.tso) {
        struct store_buffer *b = &world.stores[cpu()];
        b->store[b->used].at = at;
        b->store[b->used++].value = value;
    } else {
        reach_memory(cpu(), at, value);
    }
}

void schedule_fence(int order)
{
    if (scene.tso && order == __ATOMIC_SEQ_CST)
        party_stop(WAIT_DRAINED, ACCESS_FENCE, NULL, 0);
}

/* A register lies in uncached memory: what was stored before is there before the write is. */
void hosted_mmio_write(volatile void *p, unsigned bytes, uint32_t v)
{
    (void)bytes;
    party_stop(WAIT_DRAINED, ACCESS_BELL, p, (uint16_t)v);
    counts.bells++;
    world.kicked = true;
}

/* The driver's control path, which no schedule takes. */
uint32_t hosted_mmio_read(const volatile void *p, unsigned bytes)
{
    (void)p;
    return bytes ? 0 : 1;
}

uint32_t hosted_port_read(uint16_t port, unsigned bytes)
{
    return bytes ? 0 : port;
}

void hosted_port_write(uint16_t port, unsigned bytes, uint32_t v)
{
    (void)port;
    (void)bytes;
    (void)v;
}
