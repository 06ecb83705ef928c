/* Frames of several buffers between the driver and a device that does as it is told: what a test of
 * offloads and of merged buffers needs. One device, one pool; every frame is a pattern of its
 * number. */
#ifndef VNET_TEST_FRAMES_H
#define VNET_TEST_FRAMES_H

#include "check.h"
#include "model_any.h"
#include "random.h"
#include "../mode.h"
#include "../offload.h"

#define FRAMES_RING 128u
#define FRAMES_POOL 512u
#define FRAMES_MAX  65550u

struct frames {
    struct model device;
    struct vnet_dev dev;
    struct vnet_buf bufs[FRAMES_POOL], *free_bufs[FRAMES_POOL];
    uint8_t data[FRAMES_POOL][VNET_BUF_BYTES];
    unsigned free_count;
    bool alloc_fails;
    uint32_t alloc_left; /* while alloc_fails: so many are there still */
    uint64_t received, received_bytes, sent_back;
    struct vnet_offload said; /* of the last frame received */
    uint64_t last;            /* its number */
};
extern struct frames frames;

extern uint16_t frames_with_mtu; /* what the next device says */

/* A device that offers `features`, a driver that wants them; attached and started. */
void frames_up(uint64_t features);
/* Stops; every buffer must be back. */
void frames_down(void);

/* What a device can do wrong with a frame of several buffers. */
struct delivery {
    uint64_t number;
    uint32_t bytes;
    struct virtio_net_hdr header; /* num_buffers: 0 for the truth */
    uint16_t num_buffers_lie;     /* with `lies`, what it says instead */
    bool lies;
};

/* Puts a frame into as many receive buffers as it takes; not shown yet. Returns how many. */
unsigned frames_deliver(const struct delivery *d);
void frames_show(void);

/* Sends one frame of so many buffers with about `each` bytes in each. Returns what vnet_tx did. */
uint32_t frames_send(uint64_t number, unsigned parts, uint32_t each,
                     const struct vnet_offload *offload);

/* The device takes a frame, checks the pattern, gives it back and returns its header; *parts is
 * how many stretches it had. */
struct virtio_net_hdr frames_taken(uint64_t number, unsigned *parts);

#endif
