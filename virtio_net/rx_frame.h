/* From used buffers to frames. Internal to the receive path. */
#ifndef VNET_RX_FRAME_H
#define VNET_RX_FRAME_H

#include "mode.h"

#define RX_BUFS_MAX (VNET_BATCH + VNET_PARTS_MAX) /* the last frame of a batch may go beyond it */

struct rx_batch {
    uint32_t frames_used, again_used;
    uint64_t bytes; /* of the frames */
    struct vnet_buf *frames[VNET_BATCH];
    struct vnet_buf *again[RX_BUFS_MAX]; /* buffers to post: those of dropped frames first */
};

/* Takes up to `room` used buffers, and the rest of the last frame. Sorts them into frames, and into
 * buffers of frames that cannot be, which are counted. Returns how many buffers it took. */
uint32_t vnet_rx_take(struct vnet_q *q, struct rx_batch *batch, uint32_t room);

/* Drops the last frame: its buffers join those to post again. Returns how many there are. */
uint32_t vnet_rx_drop_last(struct rx_batch *batch);

#endif
