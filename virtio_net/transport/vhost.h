/* A vhost backend as the device of a Linux process: vhost-user or /dev/vhost-net. A backend knows
 * rings and memory and little else, so status, configuration and what goes with them are kept here.
 *
 * One thread at a time calls in, the driver's control path included; a kick needs no one's leave.
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
    bool set;
    bool running; /* the backend may touch it */
    bool enabled; /* and does: its pair is in use */
};

struct vhost_shared { /* what the backend may reach: all rings, all buffers */
    void *at;
    size_t bytes;
    int fd;
};

/* The control queue ("Control Virtqueue"): no backend has one, so it is served here. */
struct vhost_ctrl {
    struct vnet_ring_addr addr;
    uint16_t size;
    uint16_t at; /* of the next command: split, index; packed, slot and wrap counter */
    bool set;
};

struct vhost_pair { /* vhost-net: a /dev/vhost-net and a queue of the tap for each pair */
    int vhost, tap;
};

struct vhost;

/* 0, or -VNET_E_BACKEND once the reason is in vhost.error. */
struct vhost_ops {
    int (*features_set)(struct vhost *v, uint64_t features);
    int (*memory_set)(struct vhost *v);
    int (*ring_set)(struct vhost *v, const struct vhost_ring *r);
    int (*ring_start)(struct vhost *v, const struct vhost_ring *r);
    int (*ring_enable)(struct vhost *v, const struct vhost_ring *r, bool on);
    int (*ring_stop)(struct vhost *v, const struct vhost_ring *r);
    /* Frames may come to this pair, or no longer: never the first one. NULL: there is nothing to do
     * beside ring_enable. */
    int (*pair_use)(struct vhost *v, uint16_t pair, bool on);
};

struct vhost {
    struct vnet_transport base;
    const struct vhost_ops *ops;
    const char *where; /* the socket or the interface, for what is said */
    int socket;        /* vhost-user; -1: vhost-net */
    struct vhost_pair pair[VNET_PAIRS_MAX];
    uint16_t pairs;    /* that there are */
    uint16_t pairs_on; /* that the driver asked the device to use */
    unsigned deadline_ms;
    uint64_t backend_features, protocol_features, accepted;
    uint8_t status;
    bool memory_known;
    struct virtio_net_config config;
    struct vhost_shared memory;
    struct vhost_ring ring[VNET_QUEUES_MAX];
    struct vhost_ctrl ctrl;
    char error[240]; /* the first thing that went wrong */
};

/* Connects to a backend that must have so many pairs (1 to VNET_PAIRS_MAX) and asks for the
 * features. 0 or -VNET_E_BACKEND; vhost_close in either case. The memory has to be filled in before
 * vnet_start. */
int vhost_user_open(struct vhost *v, const char *socket_path, uint16_t pairs, unsigned deadline_ms);
int vhost_net_open(struct vhost *v, const char *tap, uint16_t pairs, unsigned deadline_ms);
void vhost_close(struct vhost *v);

/* Whether the other side has hung up. Does not wait. */
bool vhost_gone(struct vhost *v);

/* What both front ends are made of. */
#define VHOST_QUEUE_MAX 32768u

void vhost_init(struct vhost *v, const struct vhost_ops *ops, const char *name, const char *where,
                uint16_t pairs, unsigned deadline_ms);
/* Keeps the first such line and returns -VNET_E_BACKEND. */
__attribute__((format(printf, 2, 3))) int vhost_fail(struct vhost *v, const char *format, ...);

/* vhost_ctrl.c: the control queue's ring is there, empty. */
void vhost_ctrl_set(struct vhost *v, uint16_t size, const struct vnet_ring_addr *addr);
/* "Automatic receive steering in multiqueue mode": the first so many pairs are used from now on. 0
 * or -VNET_E_BACKEND. */
int vhost_pairs_set(struct vhost *v, uint16_t pairs);

/* "Virtqueue Format": where a new ring begins, as SET_VRING_BASE wants it. */
uint32_t vhost_ring_base(const struct vhost *v);
/* Whether a backend can have stopped a ring there. */
bool vhost_base_possible(const struct vhost *v, const struct vhost_ring *r, uint32_t base);

#endif
