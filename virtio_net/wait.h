/* What takes the device time, each with a deadline: 0 or a negative enum vnet_error. */
#ifndef VNET_WAIT_H
#define VNET_WAIT_H

#include "transport.h"

/* "Device Reset" */
int vnet_wait_reset(struct vnet_transport *t);

/* Sets FEATURES_OK; the device keeps it or refuses the features. */
int vnet_wait_features_ok(struct vnet_transport *t);

/* After queue_setup. */
int vnet_wait_queue_enabled(struct vnet_transport *t, uint16_t queue);

/* "Virtqueue Reset": the device has let go of the queue and says that it is not enabled. */
int vnet_wait_queue_reset(struct vnet_transport *t, uint16_t queue);

#endif
