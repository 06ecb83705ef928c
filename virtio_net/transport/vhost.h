/* A vhost backend as the device of a Linux process: vhost-user or /dev/vhost-net. A backend knows
 * rings and memory and little else, so status, configuration and what goes with them are kept here.
 *
 * Every exchange with the backend has a deadline. The first one that fails is put into words, and
 * nothing is asked of the backend after it: the rings stay the backend's, vnet_stop says so. */
#ifndef VNET_VHOST_H
#define VNET_VHOST_H

#include "../vnet.h"

struct vhost_ring {
    uint16_t index, size;
    struct vnet_ring_addr addr;
    int kick, call; /* eventfds; call -1: no interrupts */
    bool set, running;
};

struct vhost_shared { /* what the backend may reach: all rings, all buffers */
    void *at;
    size_t bytes;
    int fd;
};

struct vhost;

/* 0, or -VNET_E_BACKEND once the reason is in vhost.error. */
struct vhost_ops {
    int (*features_set)(struct vhost *v, uint64_t features);
    int (*memory_set)(struct vhost *v);
    int (*ring_set)(struct vhost *v, const struct vhost_ring *r);
    int (*ring_start)(struct vhost *v, const struct vhost_ring *r);
    int (*ring_stop)(struct vhost *v, const struct vhost_ring *r);
};

struct vhost {
    struct vnet_transport base;
    const struct vhost_ops *ops;
    const char *where; /* the socket or the interface, for what is said */
    int fd;            /* the socket, or /dev/vhost-net */
    int tap;           /* vhost-net */
    unsigned deadline_ms;
    uint64_t backend_features, protocol_features, accepted;
    uint8_t status;
    bool memory_known;
    struct virtio_net_config config;
    struct vhost_shared memory;
    struct vhost_ring ring[VNET_QUEUES];
    char error[240]; /* the first thing that went wrong */
};

/* Connects and asks for the features. 0 or -VNET_E_BACKEND; vhost_close in either case. The memory
 * has to be filled in before vnet_start. */
int vhost_user_open(struct vhost *v, const char *socket_path, unsigned deadline_ms);
int vhost_net_open(struct vhost *v, const char *tap, unsigned deadline_ms);
void vhost_close(struct vhost *v);

/* Whether the other side has hung up. Does not wait. */
bool vhost_gone(struct vhost *v);

/* What both front ends are made of. */
#define VHOST_QUEUE_MAX 32768u

void vhost_init(struct vhost *v, const struct vhost_ops *ops, const char *name, const char *where,
                unsigned deadline_ms);
/* Keeps the first such line and returns -VNET_E_BACKEND. */
__attribute__((format(printf, 2, 3))) int vhost_fail(struct vhost *v, const char *format, ...);

/* "Virtqueue Format": where a new ring begins, as SET_VRING_BASE wants it. */
uint32_t vhost_ring_base(const struct vhost *v);
/* Whether a backend can have stopped a ring there. */
bool vhost_base_possible(const struct vhost *v, const struct vhost_ring *r, uint32_t base);

#endif
