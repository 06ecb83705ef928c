/* A kernel that has /dev/vhost-net, for machines whose kernel has none: the ioctls are wrapped by
 * the linker, and a thread does the work of vhost's between the rings and the real tap, with the
 * model device behind each ring. Everything that concerns the tap goes to the real kernel. */
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

static struct queue {
    struct ring_dev dev;
    struct vhost_vring_addr addr;
    unsigned size;
    int kick, call;
    bool backed; /* the tap is behind it */
} queues[QUEUES];
static int device = -1, tap = -1, stop = -1;
static uint64_t features;
static pthread_t worker;

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

static void transmit(struct queue *q)
{
    static struct ring_dev_buf b;
    struct iovec parts[RING_DEV_PARTS_MAX];
    while (ring_dev_take(&q->dev, &b)) {
        for (unsigned i = 0; i < b.parts; i++)
            parts[i] = (struct iovec){ b.part[i].data, b.part[i].bytes };
        (void)!writev(tap, parts, (int)b.parts);
        use(q, b.id, 0);
    }
    check(q);
}

/* False once the tap is empty. */
static bool receive(struct queue *q)
{
    static struct ring_dev_buf b;
    _Alignas(8) static uint8_t frame[VNET_BUF_BYTES];
    while (ring_dev_waiting(&q->dev)) {
        ssize_t n = read(tap, frame, sizeof(frame));
        if (n <= 0)
            return false;
        if (!ring_dev_take(&q->dev, &b) || b.writable_bytes < (size_t)n)
            check(q);
        if (features & VNET_F(MRG_RXBUF))
            ((struct virtio_net_hdr *)frame)->num_buffers = 1;
        memcpy(b.part[0].data, frame, (size_t)n);
        use(q, b.id, (uint32_t)n);
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
    (void)arg;
    for (;;) {
        do {
            ring_dev_kicks_off(&queues[TX].dev);
            transmit(&queues[TX]);
        } while (ring_dev_kicks_on(&queues[TX].dev));
        ring_dev_kicks_off(&queues[RX].dev);
        bool short_of_buffers = receive(&queues[RX]);
        if (short_of_buffers && ring_dev_kicks_on(&queues[RX].dev))
            continue;
        struct pollfd p[] = {
            { .fd = stop, .events = POLLIN },
            { .fd = queues[RX].kick, .events = POLLIN },
            { .fd = queues[TX].kick, .events = POLLIN },
            { .fd = short_of_buffers ? -1 : tap, .events = POLLIN },
        };
        poll(p, sizeof(p) / sizeof(p[0]), -1);
        if (p[0].revents)
            return NULL;
        for (int i = 1; i <= QUEUES; i++)
            if (p[i].revents)
                drain(p[i].fd);
    }
}

static int start_worker(void)
{
    stop = eventfd(0, EFD_CLOEXEC);
    for (int i = 0; i < QUEUES; i++) {
        struct queue *q = &queues[i];
        ring_dev_init(&q->dev,
                      &(struct ring_dev_config){ .size = (uint16_t)q->size,
                                                 .event_idx = features & VNET_F(EVENT_IDX),
                                                 .indirect = features & VNET_F(INDIRECT_DESC),
                                                 .desc = q->addr.desc_user_addr,
                                                 .avail = q->addr.avail_user_addr,
                                                 .used = q->addr.used_user_addr });
    }
    return pthread_create(&worker, NULL, work, NULL);
}

static void stop_worker(void)
{
    const uint64_t one = 1;
    (void)!write(stop, &one, sizeof(one));
    pthread_join(worker, NULL);
    close(stop);
    stop = -1;
}

static int set_backend(const struct vhost_vring_file *f)
{
    queues[f->index].backed = f->fd >= 0;
    if (f->fd >= 0)
        tap = f->fd;
    if (f->fd < 0 && stop >= 0)
        stop_worker();
    return queues[RX].backed && queues[TX].backed ? start_worker() : 0;
}

static int vhost_ioctl(unsigned long request, void *argument)
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
        features = *(uint64_t *)argument;
        return 0;
    case VHOST_SET_VRING_NUM:
        queues[state->index].size = state->num;
        return 0;
    case VHOST_SET_VRING_ADDR:
        queues[addr->index].addr = *addr;
        return 0;
    case VHOST_SET_VRING_KICK:
        queues[file->index].kick = file->fd;
        return 0;
    case VHOST_SET_VRING_CALL:
        queues[file->index].call = file->fd;
        return 0;
    case VHOST_NET_SET_BACKEND:
        return set_backend(file);
    case VHOST_GET_VRING_BASE:
        state->num = queues[state->index].dev.avail_at;
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
    device = eventfd(0, EFD_CLOEXEC);
    return device;
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    return fd == device ? vhost_ioctl(request, argument) : __real_ioctl(fd, request, argument);
}
