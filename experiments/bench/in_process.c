/* The driver and a device in one process, without clock, kernel or other CPU: the same instructions
 * in every run, for callgrind to count. The transport is the vhost one with a backend that is a few
 * functions below; the device is the model device of faultinj/, which counts for nothing as it is
 * not the driver's.
 *
 *   in_process tx|rx split|packed BURST FRAMES [trace]
 *
 * BURST frames are handed over at a time. With `trace` the trace buffer is there and every class
 * on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../faultinj/device.h"
#include "../../trace/buffer.h"
#include "../../virtio_net/mode.h"
#include "../../virtio_net/transport/vhost.h"

#define RING    256u
#define BUFFERS (VNET_QUEUES * RING + 2 * VNET_BATCH)
#define BYTES   60u

static struct vhost vhost;
static struct vnet_dev dev;
static struct ring_dev device[VNET_QUEUES];
static struct vnet_buf buffers[BUFFERS], *free_bufs[BUFFERS];
static uint32_t free_count;
static uint64_t received, returned;
static _Alignas(4096) uint8_t memory[VNET_QUEUES][16384], data[BUFFERS][2048];
static uint8_t shadow[VNET_QUEUES][16384];

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t k = 0;
    (void)q;
    while (k < n && free_count)
        bufs[k++] = free_bufs[--free_count];
    return k;
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++)
        free_bufs[free_count++] = bufs[i];
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    received += n;
    vnet_up_free(q, bufs, n);
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    returned += n;
    vnet_up_free(q, bufs, n);
}

void vnet_up_schedule(struct vnet_q *q)
{
    (void)q;
}

static int backend_takes(struct vhost *v, uint64_t features)
{
    (void)v;
    (void)features;
    return 0;
}

static int backend_memory(struct vhost *v)
{
    (void)v;
    return 0;
}

static int backend_ring_set(struct vhost *v, const struct vhost_ring *r)
{
    bool packed = v->accepted & VNET_F(RING_PACKED);
    struct ring_dev_config c = {
        .size = r->size,
        .start = VRING_START(packed),
        .packed = packed,
        .event_idx = v->accepted & VNET_F(EVENT_IDX),
        .desc = r->addr.desc,
        .avail = r->addr.avail,
        .used = r->addr.used,
    };
    ring_dev_init(&device[r->index], &c);
    ring_dev_kicks_off(&device[r->index]);
    return 0;
}

static int backend_ring(struct vhost *v, const struct vhost_ring *r)
{
    (void)v;
    (void)r;
    return 0;
}

static int backend_ring_enable(struct vhost *v, const struct vhost_ring *r, bool on)
{
    (void)on;
    return backend_ring(v, r);
}

static const struct vhost_ops backend = {
    .features_set = backend_takes,
    .memory_set = backend_memory,
    .ring_set = backend_ring_set,
    .ring_start = backend_ring,
    .ring_enable = backend_ring_enable,
    .ring_stop = backend_ring,
};

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "in_process: %s\n", why);
    exit(1);
}

static void start(bool packed)
{
    void *rings[] = { memory[0], memory[1] }, *shadows[] = { shadow[0], shadow[1] };
    struct vnet_config cfg = { .want = vnet_features_default(),
                               .ring_size = { RING, RING },
                               .vector = { VIRTIO_MSI_NO_VECTOR, VIRTIO_MSI_NO_VECTOR },
                               .config_vector = VIRTIO_MSI_NO_VECTOR };
    cfg.want |= packed ? VNET_F(RING_PACKED) : 0;
    for (uint32_t i = 0; i < BUFFERS; i++) {
        buffers[i] = (struct vnet_buf){ .data = data[i], .capacity = sizeof(data[i]) };
        free_bufs[free_count++] = &buffers[i];
    }
    vhost_init(&vhost, &backend, "in-process", "", 1, 0);
    vhost.backend_features = VNET_F(VERSION_1) | VNET_F(EVENT_IDX) | VNET_F(RING_PACKED);
    if (vnet_attach(&dev, &vhost.base, &cfg))
        die("the driver does not attach");
    for (int i = 0; i < VNET_QUEUES; i++)
        if (vring_bytes(&dev.q[i].layout) > sizeof(memory[i]) ||
            vring_shadow_bytes(&dev.q[i].layout) > sizeof(shadow[i]))
            die("a ring does not fit");
    if (vnet_start(&dev, rings, shadows))
        die("the driver does not start");
}

/* The device handles up to n buffers of a ring. Returns how many. */
static uint32_t device_works(struct ring_dev *d, uint32_t n, uint32_t bytes)
{
    struct ring_dev_buf b;
    uint32_t k = 0;
    for (; k < n && ring_dev_take(d, &b); k++) {
        if (bytes)
            memset(b.part[0].data, 0, VNET_HDR_BYTES);
        ring_dev_use(d, b.id, bytes);
    }
    ring_dev_show(d);
    if (d->driver_error)
        die(d->driver_error);
    return k;
}

static void transmit(uint32_t burst)
{
    struct vnet_q *q = &dev.q[VNET_TX];
    struct vnet_buf *bufs[VNET_BATCH];
    if (vnet_up_alloc(q, bufs, burst) < burst)
        die("no buffer");
    for (uint32_t i = 0; i < burst; i++) {
        bufs[i]->next = NULL;
        bufs[i]->offload = (struct vnet_offload){ 0 };
        bufs[i]->len = BYTES;
    }
    if (vnet_tx(q, bufs, burst) < burst)
        die("the transmit ring is full");
    vnet_flush(q);
    if (device_works(&device[VNET_TX], burst, 0) < burst)
        die("the device found less than was sent");
}

static void receive(uint32_t burst)
{
    if (device_works(&device[VNET_RX], burst, VNET_HDR_BYTES + BYTES) < burst)
        die("the receive ring is empty");
    vnet_poll(&dev.q[VNET_RX], burst);
}

static void check(const char *what, uint64_t frames)
{
    const struct vnet_q *tx = &dev.q[VNET_TX];
    uint64_t under_way = tx->ring.published - tx->ring.harvested;
    if (strcmp(what, "rx") ? returned + under_way != frames : received != frames)
        die("frames were lost");
    if (vnet_broken(&dev) || vnet_check(&dev.q[VNET_RX]) || vnet_check(tx))
        die("a ring broke");
}

int main(int argc, char **argv)
{
    static _Alignas(4096) uint8_t trace[1 << 20];
    if (argc < 5 || (strcmp(argv[1], "tx") && strcmp(argv[1], "rx")))
        die("give tx|rx split|packed BURST FRAMES [trace]");
    uint32_t burst = (uint32_t)strtoul(argv[3], NULL, 10);
    uint64_t frames = strtoull(argv[4], NULL, 10);
    if (burst < 1 || burst > VNET_BATCH || frames % burst)
        die("BURST is 1 to 32 and divides FRAMES");
    if (argc > 5 && trace_buffer_init(trace, sizeof(trace), 1, 1000000000))
        die("no trace buffer");
    start(!strcmp(argv[2], "packed"));
    for (uint64_t i = 0; i < frames; i += burst) {
        if (!strcmp(argv[1], "tx"))
            transmit(burst);
        else
            receive(burst);
    }
    check(argv[1], frames);
    return 0;
}
