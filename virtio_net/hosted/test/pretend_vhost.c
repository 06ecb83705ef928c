/* A kernel that has /dev/vhost-net, for machines whose kernel has none: the ioctls are wrapped by
 * the linker, and a thread for each open of it does the work of vhost's between the rings and the
 * real tap, with the model device behind each ring. Everything that concerns the tap goes to the
 * real kernel. */
#include <errno.h>
#define _LINUX_VIRTIO_RING_H /* its names are those of our rings */
#include <linux/vhost.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include "../../../faultinj/device.h"
#include "../../vnet.h"

enum { RX, TX, QUEUES };

static struct device {
    struct queue {
        struct ring_dev dev;
        struct vhost_vring_addr addr;
        unsigned size;
        int kick, call;
        bool backed; /* the tap is behind it */
    } queues[QUEUES];
    struct ring_dev_buf buf; /* the worker's */
    int fd, tap, stop;
    uint64_t features;
    pthread_t worker;
    bool works;
} devices[VNET_PAIRS_MAX];
static unsigned opened;

int __real_open(const char *path, int flags);
int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_open(const char *path, int flags);
int __wrap_ioctl(int fd, unsigned long request, void *argument);

/* Ends the process: the driver broke a rule. */
static void check(const struct queue *q)
{
    if (!q->dev.driver_error)
        return;
    fprintf(stderr, "pretend_vhost: the driver: %s\n", q->dev.driver_error);
    _exit(3);
}

static void use(struct queue *q, uint16_t id, uint32_t bytes)
{
    const uint64_t one = 1;
    ring_dev_use(&q->dev, id, bytes);
    ring_dev_show(&q->dev);
    if (ring_dev_signal(&q->dev) && q->call >= 0)
        (void)!write(q->call, &one, sizeof(one));
    check(q);
}

static void transmit(struct device *d, struct queue *q)
{
    struct ring_dev_buf *b = &d->buf;
    struct iovec parts[RING_DEV_PARTS_MAX];
    while (ring_dev_take(&q->dev, b)) {
        for (unsigned i = 0; i < b->parts; i++)
            parts[i] = (struct iovec){ b->part[i].data, b->part[i].bytes };
        (void)!writev(d->tap, parts, (int)b->parts);
        use(q, b->id, 0);
    }
    check(q);
}

/* False once the tap is empty. */
static bool receive(struct device *d, struct queue *q)
{
    struct ring_dev_buf *b = &d->buf;
    _Alignas(8) uint8_t frame[VNET_BUF_BYTES];
    while (ring_dev_waiting(&q->dev)) {
        ssize_t n = read(d->tap, frame, sizeof(frame));
        if (n <= 0)
            return false;
        if (!ring_dev_take(&q->dev, b) || b->writable_bytes < (size_t)n)
            check(q);
        if (d->features & VNET_F(MRG_RXBUF))
            ((struct virtio_net_hdr *)frame)->num_buffers = 1;
        memcpy(b->part[0].data, frame, (size_t)n);
        use(q, b->id, (uint32_t)n);
    }
    check(q);
    return true;
}

static void drain(int eventfd)
{
    uint64_t count;
    (void)!read(eventfd, &count, sizeof(count));
}

static void *work(void *arg)
{
    struct device *d = arg;
    struct queue *rx = &d->queues[RX], *tx = &d->queues[TX];
    for (;;) {
        do {
            ring_dev_kicks_off(&tx->dev);
            transmit(d, tx);
        } while (ring_dev_kicks_on(&tx->dev));
        ring_dev_kicks_off(&rx->dev);
        bool short_of_buffers = receive(d, rx);
        if (short_of_buffers && ring_dev_kicks_on(&rx->dev))
            continue;
        struct pollfd p[] = {
            { .fd = d->stop, .events = POLLIN },
            { .fd = rx->kick, .events = POLLIN },
            { .fd = tx->kick, .events = POLLIN },
            { .fd = short_of_buffers ? -1 : d->tap, .events = POLLIN },
        };
        poll(p, sizeof(p) / sizeof(p[0]), -1);
        if (p[0].revents)
            return NULL;
        for (int i = 1; i <= QUEUES; i++)
            if (p[i].revents)
                drain(p[i].fd);
    }
}

/* With both rings, or not at all: while one is reset the other waits. */
static int start_worker(struct device *d)
{
    d->stop = eventfd(0, EFD_CLOEXEC);
    d->works = true;
    return pthread_create(&d->worker, NULL, work, d);
}

static void stop_worker(struct device *d)
{
    const uint64_t one = 1;
    (void)!write(d->stop, &one, sizeof(one));
    pthread_join(d->worker, NULL);
    close(d->stop);
    d->works = false;
}

static void begin_ring(struct device *d, struct queue *q)
{
    ring_dev_init(&q->dev,
                  &(struct ring_dev_config){ .size = (uint16_t)q->size,
                                             .event_idx = d->features & VNET_F(EVENT_IDX),
                                             .indirect = d->features & VNET_F(INDIRECT_DESC),
                                             .desc = q->addr.desc_user_addr,
                                             .avail = q->addr.avail_user_addr,
                                             .used = q->addr.used_user_addr });
}

static int set_backend(struct device *d, const struct vhost_vring_file *f)
{
    struct queue *q = &d->queues[f->index];
    if (f->fd >= 0) {
        d->tap = f->fd;
        begin_ring(d, q);
    } else if (d->works) {
        stop_worker(d);
    }
    q->backed = f->fd >= 0;
    return d->queues[RX].backed && d->queues[TX].backed ? start_worker(d) : 0;
}

static int vhost_ioctl(struct device *d, unsigned long request, void *argument)
{
    struct vhost_vring_state *state = argument;
    struct vhost_vring_file *file = argument;
    struct vhost_vring_addr *addr = argument;
    switch (request) {
    case VHOST_GET_FEATURES:
        *(uint64_t *)argument = VNET_F(VERSION_1) | VNET_F(EVENT_IDX) | VNET_F(INDIRECT_DESC) |
                                VNET_F(MRG_RXBUF) | VNET_F(ANY_LAYOUT);
        return 0;
    case VHOST_SET_FEATURES:
        d->features = *(uint64_t *)argument;
        return 0;
    case VHOST_SET_VRING_NUM:
        d->queues[state->index].size = state->num;
        return 0;
    case VHOST_SET_VRING_ADDR:
        d->queues[addr->index].addr = *addr;
        return 0;
    case VHOST_SET_VRING_KICK:
        d->queues[file->index].kick = file->fd;
        return 0;
    case VHOST_SET_VRING_CALL:
        d->queues[file->index].call = file->fd;
        return 0;
    case VHOST_NET_SET_BACKEND:
        return set_backend(d, file);
    case VHOST_GET_VRING_BASE:
        state->num = d->queues[state->index].dev.avail_at;
        return 0;
    case VHOST_SET_OWNER:
    case VHOST_SET_MEM_TABLE:
    case VHOST_SET_VRING_BASE:
        return 0;
    }
    errno = ENOTTY;
    return -1;
}

int __wrap_open(const char *path, int flags)
{
    if (strcmp(path, "/dev/vhost-net"))
        return __real_open(path, flags);
    struct device *d = &devices[opened++];
    d->fd = eventfd(0, EFD_CLOEXEC);
    return d->fd;
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    for (unsigned i = 0; i < opened; i++) {
        if (fd == devices[i].fd)
            return vhost_ioctl(&devices[i], request, argument);
    }
    return __real_ioctl(fd, request, argument);
}
