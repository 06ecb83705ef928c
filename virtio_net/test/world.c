#include "world.h"
#include "points.h"
#include <string.h>

struct world world;
static _Alignas(16) uint8_t frames[WORLD_POOL][VNET_BUF_BYTES + 2];
static _Alignas(VIRTIO_PCI_LEGACY_ALIGN) uint8_t rings[VNET_QUEUES][32 * WORLD_RING_MAX];
static struct vring_shadow shadows[VNET_QUEUES][WORLD_RING_MAX];

struct ring_dev *world_ring(int index)
{
    return &world.model.queue[index].ring;
}

/* A frame is its number, and a pattern after that. */
static uint32_t frame_bytes(uint64_t number)
{
    return 60 + (uint32_t)(number * 7 % (VNET_FRAME_MAX - 59));
}

static void frame_fill(uint8_t *frame, uint64_t number)
{
    memcpy(frame, &number, sizeof(number));
    memset(frame + 8, (int)(number * 31 & 0xff), frame_bytes(number) - 8);
}

static uint64_t frame_check(const uint8_t *frame, uint32_t bytes)
{
    uint64_t number;
    memcpy(&number, frame, sizeof(number));
    assert_int_equal(bytes, frame_bytes(number));
    assert_int_equal(frame[8], number * 31 & 0xff);
    assert_memory_equal(frame + 8, frame + 9, bytes - 9);
    return number;
}

/* Frames arrive in order; gaps are counted and must be explained by drops. */
static void frame_seen(uint64_t number, uint64_t *next, uint64_t *gaps)
{
    assert_true(number >= *next);
    *gaps += number - *next;
    *next = number + 1;
}

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t k = 0;
    (void)q;
    assert_in_range(n, 1, VNET_BATCH);
    while (k < n && world.free_count && !world.alloc_fails)
        bufs[k++] = world.free_bufs[--world.free_count];
    return k;
}

static void buf_free(struct vnet_buf *b)
{
    for (unsigned i = 0; i < 4 && i < world.free_count; i++)
        assert_ptr_not_equal(b, world.free_bufs[world.free_count - 1 - i]);
    assert_true(world.free_count < WORLD_POOL);
    memset(b->data, 0xdb, VNET_HDR_BYTES + 8);
    world.free_bufs[world.free_count++] = b;
}

void *world_memory(int index)
{
    return rings[index];
}

bool world_masked(int index)
{
    const struct vring *r = &world_q(index)->ring;
    if (r->packed)
        return le16(r->p.driver->flags) == PVIRTQ_EVENT_DISABLE;
    if (!r->event_idx)
        return le16(r->s.avail->flags) & VIRTQ_AVAIL_F_NO_INTERRUPT;
    return (uint16_t)(le16(r->s.avail->ring[r->size]) - r->harvested) >= r->size;
}

static void send(struct vnet_buf **bufs, unsigned n)
{
    unsigned took = vnet_tx(world_q(VNET_TX), bufs, n);
    vnet_flush(world_q(VNET_TX));
    world.refused += n - took;
    for (unsigned i = took; i < n; i++)
        buf_free(bufs[i]);
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    assert_int_equal(q->index, VNET_RX);
    assert_in_range(n, 1, VNET_BATCH);
    if (vnet_mode.uses_irqs && !vnet_mode.works_in_irq && !world_masked(VNET_RX))
        fail_msg("a poll runs with interrupts asked for");
    if (n > world.largest_upcall)
        world.largest_upcall = n;
    world.received += n;
    for (unsigned i = 0; i < n; i++) {
        uint64_t number = frame_check(bufs[i]->data + VNET_HDR_BYTES, bufs[i]->len);
        frame_seen(number, &world.rx_next, &world.rx_gaps);
    }
    if (world.config.echo) {
        send(bufs, n);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        buf_free(bufs[i]);
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    assert_int_equal(q->index, VNET_TX);
    assert_in_range(n, 1, VNET_BATCH);
    for (unsigned i = 0; i < n; i++)
        buf_free(bufs[i]);
}

void vnet_up_schedule(struct vnet_q *q)
{
    assert_true(world.in_irq);
    world.scheduled |= 1u << q->index;
}

static void on_doorbell(uint16_t queue)
{
    world.host[queue].asleep = false;
}

static bool line_is_shared(void)
{
    return world.config.shared_line || world.config.kind == MODEL_MMIO;
}

static void raise_irq(int index)
{
    world.irqs_sent[index]++;
    if (line_is_shared())
        model_isr(&world.model, VIRTIO_ISR_QUEUE);
    else if (world.model.queue[index].vector != VIRTIO_MSI_NO_VECTOR)
        world.irq_waiting[index] = true;
}

bool world_show(int index)
{
    struct world_host *h = &world.host[index];
    if (!h->unshown)
        return false;
    h->unshown = 0;
    ring_dev_show(world_ring(index));
    if (ring_dev_signal(world_ring(index)))
        raise_irq(index);
    return true;
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    assert_int_not_equal(q->ring.broken, 0);
    for (uint32_t i = 0; i < n; i++)
        buf_free(bufs[i]);
}

/* The next buffer, or sleep as vhost does: ask for a kick, look again, and only then. */
static bool host_take(int index, struct ring_dev_buf *b)
{
    struct world_host *h = &world.host[index];
    if (!h->working)
        ring_dev_kicks_off(world_ring(index));
    h->working = true;
    if (ring_dev_take(world_ring(index), b))
        return true;
    h->working = false;
    h->asleep = !ring_dev_kicks_on(world_ring(index));
    return false;
}

bool world_host_rx(void)
{
    struct ring_dev_buf b;
    if (!world.backlog || world.host[VNET_RX].asleep)
        return false;
    if (!host_take(VNET_RX, &b))
        return true;
    uint64_t number = world.host_sent++;
    world.backlog--;
    assert_int_equal(b.readable, 0);
    assert_int_equal(b.parts, 1);
    uint32_t header = model_header_bytes(&world.model);
    assert_true(b.writable_bytes >= header + VNET_FRAME_MAX);
    memset(b.part[0].data, 0, header);
    frame_fill(b.part[0].data + header, number);
    ring_dev_use(world_ring(VNET_RX), b.id, header + frame_bytes(number));
    world.host[VNET_RX].unshown++;
    return true;
}

bool world_host_tx(void)
{
    static const uint8_t no_offload[VNET_HDR_BYTES];
    struct ring_dev_buf b;
    struct world_host *h = &world.host[VNET_TX];
    if (h->asleep)
        return false;
    if (!host_take(VNET_TX, &b))
        return true;
    assert_int_equal(b.writable_bytes, 0);
    assert_int_equal(b.parts, 1);
    uint32_t header = model_header_bytes(&world.model);
    assert_memory_equal(b.part[0].data, no_offload, header);
    uint64_t number = frame_check(b.part[0].data + header, b.readable_bytes - header);
    frame_seen(number, &world.tx_next, &world.tx_gaps);
    world.tx_seen++;
    h->ids[h->in_hand_used++] = b.id;
    return true;
}

bool world_host_complete(bool any)
{
    struct world_host *h = &world.host[VNET_TX];
    if (!h->in_hand_used)
        return false;
    unsigned i = any ? rng_below(&world.rng, h->in_hand_used) : 0;
    ring_dev_use(world_ring(VNET_TX), h->ids[i], 0);
    h->in_hand_used--;
    memmove(&h->ids[i], &h->ids[i + 1], (h->in_hand_used - i) * sizeof(h->ids[0]));
    h->unshown++;
    return true;
}

bool world_irq(int index)
{
    bool line = line_is_shared() && world.model.isr && vnet_mode.uses_irqs;
    if (world.in_irq || !(line || world.irq_waiting[index]))
        return false;
    world.irq_waiting[index] = false;
    world.in_irq = true;
    if (line)
        vnet_irq_shared(&world.dev);
    else
        vnet_irq(world_q(index));
    world.in_irq = false;
    return true;
}

bool world_poll(uint32_t budget)
{
    bool any = false;
    if (vnet_mode.works_in_irq)
        return false;
    world.in_driver = true;
    for (int i = 0; i < VNET_QUEUES; i++) {
        if (vnet_mode.uses_irqs && !(world.scheduled & 1u << i))
            continue;
        world.scheduled &= ~(1u << i);
        struct vnet_poll_result r = vnet_poll(world_q(i), budget);
        assert_true(r.done <= budget);
        any = any || r.done || vnet_mode.uses_irqs;
        if (r.again && vnet_mode.uses_irqs)
            world.scheduled |= 1u << i;
    }
    world.in_driver = false;
    return any;
}

void world_frames(unsigned n)
{
    world.backlog += n;
}

unsigned world_send(unsigned n)
{
    struct vnet_buf *bufs[VNET_BATCH];
    uint64_t refused = world.refused;
    assert_in_range(n, 1, VNET_BATCH);
    unsigned got = 0;
    while (got < n && world.free_count) {
        struct vnet_buf *b = bufs[got] = world.free_bufs[--world.free_count];
        b->len = frame_bytes(world.source_next + got);
        frame_fill(b->data + VNET_HDR_BYTES, world.source_next + got);
        got++;
    }
    world.in_driver = true;
    send(bufs, got);
    world.in_driver = false;
    got -= (unsigned)(world.refused - refused);
    world.source_next += got;
    return got;
}

static void host_step(void)
{
    switch (rng_below(&world.rng, 6)) {
    case 0:
    case 1:
        world_host_rx();
        break;
    case 2:
    case 3:
        world_host_tx();
        break;
    case 4:
        world_host_complete(true);
        break;
    default:
        world_show((int)rng_below(&world.rng, VNET_QUEUES));
    }
}

void test_point(enum test_point_kind kind, const volatile void *at, int order)
{
    (void)at;
    (void)order;
    if (kind == POINT_STORE && world.at_store)
        world.at_store();
    if (!world.jitter)
        return;
    if (rng_below(&world.rng, 4) == 0) {
        for (unsigned n = rng_below(&world.rng, 16); n; n--)
            host_step();
    }
    if (!vnet_mode.works_in_irq && rng_below(&world.rng, 6) == 0)
        world_irq((int)rng_below(&world.rng, VNET_QUEUES));
}

void world_step(uint32_t budget)
{
    switch (rng_below(&world.rng, 8)) {
    case 0:
        world_frames(rng_below(&world.rng, 6));
        break;
    case 1:
        if (!world.config.echo)
            world_send(1 + rng_below(&world.rng, VNET_BATCH));
        break;
    case 2:
        world_irq((int)rng_below(&world.rng, VNET_QUEUES));
        break;
    case 3:
        world_poll(budget);
        break;
    default:
        host_step();
    }
}

void world_drain(uint32_t budget)
{
    world.jitter = false;
    bool any = true;
    for (unsigned rounds = 0; any; rounds++) {
        if (rounds > 1000000)
            fail_msg("the ring does not come to rest");
        any = world_host_rx();
        any |= world_host_tx();
        any |= world_host_complete(false);
        for (int i = 0; i < VNET_QUEUES; i++) {
            any |= world_show(i);
            any |= world_irq(i);
        }
        any |= world_poll(budget);
    }
}

static void check_counters(void)
{
    const struct vnet_stats *rx = &world_q(VNET_RX)->stats, *tx = &world_q(VNET_TX)->stats;
    assert_int_equal(rx->packets, world.received);
    assert_int_equal(rx->packets + rx->drop_alloc + rx->drop_length, world.host_sent);
    assert_int_equal(rx->posted, world.host_sent + world_q(VNET_RX)->layout.size);
    assert_int_equal(world.rx_gaps + world.host_sent - world.rx_next,
                     rx->drop_alloc + rx->drop_length);
    if (!world.config.echo)
        assert_int_equal(world.tx_gaps, 0);
    assert_int_equal(tx->packets, world.tx_seen);
    assert_int_equal(tx->posted, world.tx_seen);
    assert_int_equal(world.tx_seen,
                     world.config.echo ? world.received - world.refused : world.source_next);
    for (int i = 0; i < VNET_QUEUES; i++) {
        assert_int_equal(world_q(i)->stats.kicks, world.model.queue[i].doorbells);
        assert_int_equal(world_q(i)->stats.rescues, 0);
    }
}

void world_quiet(void)
{
    const char *wrong = model_violation(&world.model);
    if (wrong)
        fail_msg("device: %s", wrong);
    for (int i = 0; i < VNET_QUEUES; i++) {
        struct vring *r = &world_q(i)->ring;
        assert_int_equal(r->broken, 0);
        assert_int_equal(vnet_check(world_q(i)), 0);
        if (r->published - r->harvested != (i == VNET_RX ? r->size : 0u))
            fail_msg("queue %d does not drain: %u in flight", i,
                     (unsigned)(r->published - r->harvested));
    }
    assert_int_equal(world.backlog, 0);
    assert_int_equal(world.free_count + world_q(VNET_RX)->layout.size, WORLD_POOL);
    check_counters();
}

void world_sound(uint32_t budget)
{
    world_drain(budget);
    assert_int_equal(world.free_count + world_q(VNET_RX)->layout.size, WORLD_POOL);
    uint64_t received = world.received, seen = world.tx_seen;
    for (int i = 0; i < 20; i++) {
        world_frames(3);
        assert_int_equal(world_send(1), 1);
        world_drain(budget);
    }
    assert_int_equal(world.received - received, 60);
    assert_int_equal(world.tx_seen - seen, 20);
    for (int i = 0; i < VNET_QUEUES; i++) {
        const struct vring *r = &world_q(i)->ring;
        assert_int_equal(vnet_check(world_q(i)), 0);
        assert_int_equal(r->published - r->harvested, i == VNET_RX ? r->size : 0);
    }
    assert_int_equal(world.free_count + world_q(VNET_RX)->layout.size, WORLD_POOL);
    assert_null(model_violation(&world.model));
}

static uint64_t wanted(const struct world_config *config)
{
    uint64_t want = vnet_features_default() & ~VNET_F(EVENT_IDX);
    want |= config->event_idx ? VNET_F(EVENT_IDX) : 0;
    return want | (config->packed ? VNET_F(RING_PACKED) : 0);
}

void world_init(const struct world_config *config)
{
    void *memory[VNET_QUEUES], *shadow[VNET_QUEUES];
    struct vnet_config cfg = { .want = wanted(config), .config_vector = VIRTIO_MSI_NO_VECTOR };
    memset(&world, 0, sizeof(world));
    world.config = *config;
    bool vectors = vnet_mode.uses_irqs && !line_is_shared();
    world.rng.s = config->seed * 0x9e3779b97f4a7c15ull + 1;
    for (unsigned i = 0; i < WORLD_POOL; i++) {
        world.bufs[i] = (struct vnet_buf){ .data = frames[i], .capacity = VNET_BUF_BYTES };
        world.free_bufs[world.free_count++] = &world.bufs[i];
    }
    /* A legacy device fixes the size. */
    model_any_init(&world.model, config->kind, WORLD_FEATURES,
                   config->kind == MODEL_LEGACY ? config->ring_size : WORLD_RING_MAX);
    if (!vectors)
        world.model.vectors = 0;
    world.model.on_doorbell = on_doorbell;
    for (int i = 0; i < VNET_QUEUES; i++) {
        cfg.ring_size[i] = config->ring_size;
        cfg.vector[i] = vectors ? (uint16_t)i : VIRTIO_MSI_NO_VECTOR;
        memory[i] = rings[i];
        shadow[i] = shadows[i];
        world.host[i].asleep = true;
    }
    struct vnet_transport *transport;
    assert_int_equal(model_any_probe(&world.model, &transport), 0);
    assert_int_equal(vnet_attach(&world.dev, transport, &cfg), 0);
    assert_int_equal(vnet_start(&world.dev, memory, shadow), 0);
    assert_null(model_violation(&world.model));
}
