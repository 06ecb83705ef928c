/* /dev/vhost-net with a tap interface behind it: the messages of vhost-user as ioctls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#define _LINUX_VIRTIO_RING_H /* its names are those of our rings, and none is needed */
#include <linux/vhost.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "vhost.h"

#define TUN_DEVICE   "/dev/net/tun"
#define VHOST_DEVICE "/dev/vhost-net"

#define CALL(v, fd, request, argument) call(v, fd, #request, request, argument)

static int call(struct vhost *v, int fd, const char *name, unsigned long request, void *argument)
{
    if (ioctl(fd, request, argument) < 0)
        return vhost_fail(v, "%s: %s", name, strerror(errno));
    return 0;
}

/* Each pair has a /dev/vhost-net of its own, whose rings are 0 and 1. */
static const struct vhost_pair *pair_of(const struct vhost *v, const struct vhost_ring *r)
{
    return &v->pair[r->index / VNET_QUEUES];
}

static unsigned index_there(const struct vhost_ring *r)
{
    return r->index % VNET_QUEUES;
}

static int features_set(struct vhost *v, uint64_t features)
{
    int error = 0;
    for (int i = 0; i < v->pairs && !error; i++)
        error = CALL(v, v->pair[i].vhost, VHOST_SET_FEATURES, &features);
    return error;
}

static int memory_set(struct vhost *v)
{
    union {
        struct vhost_memory table;
        uint8_t room[sizeof(struct vhost_memory) + sizeof(struct vhost_memory_region)];
    } m = { .table.nregions = 1 };
    m.table.regions[0] = (struct vhost_memory_region){
        .guest_phys_addr = (uint64_t)(uintptr_t)v->memory.at,
        .memory_size = v->memory.bytes,
        .userspace_addr = (uint64_t)(uintptr_t)v->memory.at,
    };
    int error = 0;
    for (int i = 0; i < v->pairs && !error; i++)
        error = CALL(v, v->pair[i].vhost, VHOST_SET_MEM_TABLE, &m);
    return error;
}

static int ring_set(struct vhost *v, const struct vhost_ring *r)
{
    int fd = pair_of(v, r)->vhost;
    unsigned index = index_there(r);
    struct vhost_vring_state size = { index, r->size }, base = { index, vhost_ring_base(v) };
    struct vhost_vring_addr addr = { .index = index,
                                     .desc_user_addr = r->addr.desc,
                                     .used_user_addr = r->addr.used,
                                     .avail_user_addr = r->addr.avail };
    struct vhost_vring_file calls = { index, r->call };
    int error = CALL(v, fd, VHOST_SET_VRING_NUM, &size);
    if (!error)
        error = CALL(v, fd, VHOST_SET_VRING_BASE, &base);
    if (!error)
        error = CALL(v, fd, VHOST_SET_VRING_ADDR, &addr);
    return error ? error : CALL(v, fd, VHOST_SET_VRING_CALL, &calls);
}

static int ring_start(struct vhost *v, const struct vhost_ring *r)
{
    struct vhost_vring_file kicks = { index_there(r), r->kick };
    return CALL(v, pair_of(v, r)->vhost, VHOST_SET_VRING_KICK, &kicks);
}

/* The tap is what makes a ring run. Taking it away waits for what is being sent and received. */
static int ring_enable(struct vhost *v, const struct vhost_ring *r, bool on)
{
    const struct vhost_pair *p = pair_of(v, r);
    struct vhost_vring_file backend = { index_there(r), on ? p->tap : VHOST_FILE_UNBIND };
    return CALL(v, p->vhost, VHOST_NET_SET_BACKEND, &backend);
}

static int ring_stop(struct vhost *v, const struct vhost_ring *r)
{
    struct vhost_vring_state base = { index_there(r), 0 };
    int error = CALL(v, pair_of(v, r)->vhost, VHOST_GET_VRING_BASE, &base);
    if (!error && (base.index != index_there(r) || !vhost_base_possible(v, r, base.num)))
        error = vhost_fail(v, "VHOST_GET_VRING_BASE of queue %u says queue %u, base 0x%x", r->index,
                           base.index, base.num);
    return error;
}

/* Whether the tap steers frames to this pair's queue. */
static int pair_use(struct vhost *v, uint16_t pair, bool on)
{
    struct ifreq request = { .ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };
    return CALL(v, v->pair[pair].tap, TUNSETQUEUE, &request);
}

static const struct vhost_ops ops = {
    .features_set = features_set,
    .memory_set = memory_set,
    .ring_set = ring_set,
    .ring_start = ring_start,
    .ring_enable = ring_enable,
    .ring_stop = ring_stop,
    .pair_use = pair_use,
};

static int open_device(struct vhost *v, const char *path, int *fd)
{
    *fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (*fd >= 0)
        return 0;
    const char *remedy = errno == EACCES || errno == EPERM ? "needs root or the device's group"
                                                           : "modprobe vhost_net tun";
    return vhost_fail(v, "%s: %s: %s", path, strerror(errno), remedy);
}

/* A tap of several queues is opened once for each. */
static int open_tap(struct vhost *v, struct vhost_pair *p)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    if (v->pairs > 1)
        request.ifr_flags |= IFF_MULTI_QUEUE;
    memcpy(request.ifr_name, v->where, strlen(v->where) + 1);
    if (open_device(v, TUN_DEVICE, &p->tap))
        return -VNET_E_BACKEND;
    if (ioctl(p->tap, TUNSETIFF, &request) < 0)
        return vhost_fail(v,
                          "TUNSETIFF: %s: needs a tap that no one else uses (ip tuntap add %s mode "
                          "tap%s) or the right to make it",
                          strerror(errno), v->where, v->pairs > 1 ? " multi_queue" : "");
    return 0;
}

/* Frames on the tap carry the header that the driver has, and never a partial checksum or more than
 * the MTU: no offload is on. Only the first pair is in use from the start. */
static int prepare_tap(struct vhost *v, uint16_t pair)
{
    int header_bytes = VNET_HDR_BYTES, little_endian = 1, tap = v->pair[pair].tap;
    int error = CALL(v, tap, TUNSETVNETHDRSZ, &header_bytes);
    if (!error)
        error = CALL(v, tap, TUNSETVNETLE, &little_endian);
    if (!error)
        error = CALL(v, tap, TUNSETOFFLOAD, NULL);
    return error || !pair ? error : pair_use(v, pair, false);
}

static int open_pair(struct vhost *v, uint16_t pair)
{
    struct vhost_pair *p = &v->pair[pair];
    int error = open_tap(v, p);
    if (!error)
        error = prepare_tap(v, pair);
    if (!error)
        error = open_device(v, VHOST_DEVICE, &p->vhost);
    return error ? error : CALL(v, p->vhost, VHOST_SET_OWNER, NULL);
}

int vhost_net_open(struct vhost *v, const char *tap, uint16_t pairs, unsigned deadline_ms)
{
    vhost_init(v, &ops, "vhost-net", tap, pairs, deadline_ms);
    if (!tap[0] || strlen(tap) >= IFNAMSIZ)
        return vhost_fail(v, "the name of an interface has 1 to %d characters", IFNAMSIZ - 1);
    int error = 0;
    for (uint16_t i = 0; i < pairs && !error; i++)
        error = open_pair(v, i);
    return error ? error : CALL(v, v->pair[0].vhost, VHOST_GET_FEATURES, &v->backend_features);
}
