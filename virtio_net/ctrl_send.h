/* Between the commands and the queue. */
#ifndef VNET_CTRL_SEND_H
#define VNET_CTRL_SEND_H

#include "mode.h"
#include "wait.h"

struct vnet_ctrl_command {
    uint64_t feature; /* the command needs it */
    uint8_t class, command;
    uint32_t len;    /* bytes in dev->ctrl.area->data, written already */
    uint32_t result; /* bytes that the device may write to dev->ctrl.area->result */
};

/* Sends a command and waits for its end. 0 or a negative enum vnet_error. */
int vnet_ctrl_send(struct vnet_dev *dev, const struct vnet_ctrl_command *command);

#endif
