/* The device's side, as a vhost worker is: sleeps until it is kicked, turns kicks off while it
 * works, asks for the next one and looks again before it sleeps. It may complete and signal for one
 * buffer or for several, and while it waits for a kick. */
#include "world.h"
#include <string.h>

uint32_t worker_options(void)
{
    const struct worker *w = &world.worker;
    uint32_t options = 0;
    if (!w->live)
        return 0;
    if ((!w->asleep || world.kicked) && (!scene.receives || w->backlog))
        options |= 1u << WORKER_TAKE;
    if (w->in_hand)
        options |= 1u << WORKER_FIRST;
    if (w->in_hand > 1 && scene.any_order)
        options |= 1u << WORKER_LAST;
    if (w->unshown)
        options |= 1u << WORKER_SHOW;
    return options;
}

/* The buffer whose data is at `part`, which goes to the device. */
static struct buffer *taken(const struct ring_dev_buf *b)
{
    struct buffer *buffer = buffer_at(b->part[0].data);
    if (!buffer || b->parts != 1) {
        violate(VERDICT_handed_over);
        return NULL;
    }
    buffer_pass(buffer, OWNER_PUBLISHED, OWNER_TAKEN);
    return buffer;
}

static void use(uint16_t id, struct buffer *b, uint32_t bytes)
{
    struct worker *w = &world.worker;
    ring_dev_use(&w->ring, id, bytes);
    memcpy(b->kept, b->buf.data, CONTENT);
    buffer_pass(b, OWNER_TAKEN, OWNER_USED);
    w->unshown++;
}

static void receive(uint16_t id, struct buffer *b)
{
    struct worker *w = &world.worker;
    uint32_t number = w->next++;
    memset(b->buf.data, 0, VNET_HDR_BYTES);
    memcpy(b->buf.data + VNET_HDR_BYTES, &number, sizeof(number));
    w->backlog--;
    use(id, b, VNET_HDR_BYTES + 60 + number % 8);
}

static void transmit(uint16_t id, struct buffer *b, uint32_t bytes)
{
    static const uint8_t no_offload[VNET_HDR_BYTES];
    struct worker *w = &world.worker;
    uint32_t number;
    memcpy(&number, b->buf.data + VNET_HDR_BYTES, sizeof(number));
    if (number != w->next || bytes != VNET_HDR_BYTES + 60 + number % 8 ||
        memcmp(b->buf.data, no_offload, sizeof(no_offload)))
        violate(VERDICT_bad_frame);
    w->next++;
    w->ids[w->in_hand++] = id;
}

static void take(void)
{
    struct worker *w = &world.worker;
    struct ring_dev_buf b;
    if (w->asleep)
        world.kicked = w->asleep = false;
    if (!w->working)
        ring_dev_kicks_off(&w->ring);
    w->working = true;
    if (ring_dev_take(&w->ring, &b)) {
        struct buffer *buffer = taken(&b);
        if (buffer && scene.receives)
            receive(b.id, buffer);
        else if (buffer)
            transmit(b.id, buffer, b.readable_bytes);
        return;
    }
    w->working = false;
    w->asleep = !ring_dev_kicks_on(&w->ring);
}

/* One of the buffers in hand, in the order in which they were taken. */
static void complete(unsigned i)
{
    struct worker *w = &world.worker;
    uint16_t id = w->ids[i];
    w->in_hand--;
    memmove(&w->ids[i], &w->ids[i + 1], (w->in_hand - i) * sizeof(w->ids[0]));
    w->ids[w->in_hand] = 0;
    use(id, buffer_of(world.shadow[id].cookie), 0);
}

static void show(void)
{
    struct worker *w = &world.worker;
    w->unshown = 0;
    ring_dev_show(&w->ring);
    /* Nothing lies between its last store and this. */
    buffers_shown();
    bool send = ring_dev_signal(&w->ring);
    counts.irqs_wanted += w->ring.irqs_wanted;
    if (w->ring.irqs_wanted && !vnet_mode.uses_irqs)
        violate(VERDICT_unasked_irq);
    w->ring.irqs_wanted = w->ring.irqs_blind = 0;
    if (send && vnet_mode.uses_irqs)
        world.irq_pending = true;
}

void worker_main(void)
{
    for (;;) {
        switch (party_choose()) {
        case WORKER_TAKE:
            take();
            break;
        case WORKER_FIRST:
            complete(0);
            break;
        case WORKER_LAST:
            complete(world.worker.in_hand - 1u);
            break;
        case WORKER_SHOW:
            show();
            break;
        }
    }
}
