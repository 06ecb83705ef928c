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

static int features_set(struct vhost *v, uint64_t features)
{
    return CALL(v, v->fd, VHOST_SET_FEATURES, &features);
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
    return CALL(v, v->fd, VHOST_SET_MEM_TABLE, &m);
}

static int ring_set(struct vhost *v, const struct vhost_ring *r)
{
    struct vhost_vring_state size = { r->index, r->size }, base = { r->index, vhost_ring_base(v) };
    struct vhost_vring_addr addr = { .index = r->index,
                                     .desc_user_addr = r->addr.desc,
                                     .used_user_addr = r->addr.used,
                                     .avail_user_addr = r->addr.avail };
    struct vhost_vring_file calls = { r->index, r->call };
    int error = CALL(v, v->fd, VHOST_SET_VRING_NUM, &size);
    if (!error)
        error = CALL(v, v->fd, VHOST_SET_VRING_BASE, &base);
    if (!error)
        error = CALL(v, v->fd, VHOST_SET_VRING_ADDR, &addr);
    return error ? error : CALL(v, v->fd, VHOST_SET_VRING_CALL, &calls);
}

/* The tap is what makes a ring run. */
static int ring_start(struct vhost *v, const struct vhost_ring *r)
{
    struct vhost_vring_file kicks = { r->index, r->kick }, backend = { r->index, v->tap };
    int error = CALL(v, v->fd, VHOST_SET_VRING_KICK, &kicks);
    return error ? error : CALL(v, v->fd, VHOST_NET_SET_BACKEND, &backend);
}

/* Taking the tap away waits for what is being sent and received. */
static int ring_stop(struct vhost *v, const struct vhost_ring *r)
{
    struct vhost_vring_file none = { r->index, VHOST_FILE_UNBIND };
    struct vhost_vring_state base = { r->index, 0 };
    int error = CALL(v, v->fd, VHOST_NET_SET_BACKEND, &none);
    if (!error)
        error = CALL(v, v->fd, VHOST_GET_VRING_BASE, &base);
    if (!error && (base.index != r->index || !vhost_base_possible(v, r, base.num)))
        error = vhost_fail(v, "VHOST_GET_VRING_BASE of queue %u says queue %u, base 0x%x", r->index,
                           base.index, base.num);
    return error;
}

static const struct vhost_ops ops = {
    .features_set = features_set,
    .memory_set = memory_set,
    .ring_set = ring_set,
    .ring_start = ring_start,
    .ring_stop = ring_stop,
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

/* Frames on the tap carry the header that the driver has, and never a partial checksum or more than
 * the MTU: no offload is on. */
static int open_tap(struct vhost *v, const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int header_bytes = VNET_HDR_BYTES, little_endian = 1;
    if (!name[0] || strlen(name) >= sizeof(request.ifr_name))
        return vhost_fail(v, "the name of an interface has 1 to %zu characters",
                          sizeof(request.ifr_name) - 1);
    memcpy(request.ifr_name, name, strlen(name) + 1);
    if (open_device(v, TUN_DEVICE, &v->tap))
        return -VNET_E_BACKEND;
    if (ioctl(v->tap, TUNSETIFF, &request) < 0)
        return vhost_fail(v,
                          "TUNSETIFF: %s: needs a tap that no one else uses (ip tuntap add %s mode "
                          "tap) or the right to make it",
                          strerror(errno), name);
    int error = CALL(v, v->tap, TUNSETVNETHDRSZ, &header_bytes);
    if (!error)
        error = CALL(v, v->tap, TUNSETVNETLE, &little_endian);
    return error ? error : CALL(v, v->tap, TUNSETOFFLOAD, NULL);
}

int vhost_net_open(struct vhost *v, const char *tap, unsigned deadline_ms)
{
    vhost_init(v, &ops, "vhost-net", tap, deadline_ms);
    int error = open_tap(v, tap);
    if (!error)
        error = open_device(v, VHOST_DEVICE, &v->fd);
    if (!error)
        error = CALL(v, v->fd, VHOST_SET_OWNER, NULL);
    return error ? error : CALL(v, v->fd, VHOST_GET_FEATURES, &v->backend_features);
}
