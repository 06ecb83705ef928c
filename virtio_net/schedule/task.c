/* The driver's side: the stack that sends and polls, and the interrupt. */
#include "world.h"
#include <string.h>

static void poll(void)
{
    world.scheduled = false;
    world.fresh = false;
    struct vnet_poll_result r = vnet_poll(queue, scene.budget);
    if (!vnet_mode.uses_irqs)
        world.fresh |= r.done > 0;
    else
        world.scheduled |= r.again;
}

static void fill(struct buffer *b, uint32_t number)
{
    uint8_t *frame = b->buf.data + VNET_HDR_BYTES;
    memcpy(frame, &number, sizeof(number));
    b->buf.len = 60 + number % 8;
    b->buf.next = NULL;
}

static void send(uint32_t n)
{
    struct vnet_buf *bufs[POOL_MAX];
    uint32_t got = 0, number = scene.frames - world.left;
    struct buffer *b;
    while (got < n && (b = buffer_take())) {
        fill(b, number + got);
        bufs[got++] = &b->buf;
    }
    world.stalled = false;
    uint32_t took = vnet_tx(queue, bufs, got);
    vnet_flush(queue);
    world.left -= took;
    /* One that came back meanwhile has made room again. */
    world.stalled = took < got && queue->ring.published - queue->ring.harvested == scene.size;
    for (uint32_t i = took; i < got; i++)
        buffer_put(buffer_of(bufs[i]));
}

/* A poll of mode poll that would find memory as the one before did is left out: it changes nothing,
 * and the two sides count as at rest. */
uint32_t task_options(void)
{
    uint32_t options = 0;
    bool polls = vnet_mode.uses_irqs ? world.scheduled : world.fresh;
    if (polls)
        options |= 1u << TASK_POLL;
    if (!world.left || world.stalled)
        return options;
    for (unsigned i = 0, n = 0; i < world_pool(); i++) {
        n += world.buffer[i].owner == OWNER_POOL;
        if (n == 1)
            options |= 1u << TASK_SEND_ONE;
        if (n == 2 && world.left > 1)
            options |= 1u << TASK_SEND_ALL;
    }
    return options;
}

/* As vnet_start does. */
void task_main(void)
{
    if (scene.receives)
        vnet_rx_fill(queue);
    mode_start(queue);
    world.worker.live = true;
    if (scene.receives)
        vnet_flush(queue);
    for (;;) {
        switch (party_choose()) {
        case TASK_POLL:
            poll();
            break;
        case TASK_SEND_ONE:
            send(1);
            break;
        case TASK_SEND_ALL:
            send(world.left);
            break;
        }
    }
}

void irq_main(void)
{
    world.irq_pending = false;
    counts.irqs_taken++;
    vnet_irq(queue);
    world.party[IRQ].active = false;
    coroutine_end(&world.party[IRQ].run);
}

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    uint32_t k = 0;
    struct buffer *b;
    while (k < n && (b = buffer_take()))
        bufs[k++] = &b->buf;
    return k;
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++)
        buffer_put(buffer_of(bufs[i]));
}

static bool interrupts_asked_for(void)
{
    const struct vring *r = &queue->ring;
    if (r->packed)
        return le16(memory_read_by(DRIVER_CPU, &r->p.driver->flags)) != PVIRTQ_EVENT_DISABLE;
    if (!r->event_idx)
        return !(le16(memory_read_by(DRIVER_CPU, &r->s.avail->flags)) & VIRTQ_AVAIL_F_NO_INTERRUPT);
    return (uint16_t)(le16(memory_read_by(DRIVER_CPU, &r->s.avail->ring[r->size])) - r->harvested) <
           r->size;
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    if (vnet_mode.uses_irqs && !vnet_mode.works_in_irq && interrupts_asked_for())
        violate(VERDICT_unmasked_poll);
    for (uint32_t i = 0; i < n; i++) {
        struct buffer *b = buffer_of(bufs[i]);
        uint32_t number;
        buffer_pass(b, OWNER_SHOWN, OWNER_DRIVER);
        memcpy(&number, bufs[i]->data + VNET_HDR_BYTES, sizeof(number));
        if (number != world.received || bufs[i]->len != 60 + number % 8)
            violate(VERDICT_bad_frame);
        world.received++;
        buffer_put(b);
    }
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++) {
        struct buffer *b = buffer_of(bufs[i]);
        buffer_pass(b, OWNER_SHOWN, OWNER_DRIVER);
        buffer_put(b);
    }
    world.stalled = false;
}

void vnet_up_schedule(struct vnet_q *q)
{
    (void)q;
    world.scheduled = true;
}
