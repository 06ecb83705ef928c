/* The parameters ctrl= and mac=: what to tell the device by its control queue. */
#ifndef KERNEL_VNET_COMMANDS_H
#define KERNEL_VNET_COMMANDS_H

#include "../virtio_net/vnet.h"

/* Sends what the two ask for, in order. 0, or -1 after one line that says what was wrong. */
int vnet_commands(struct vnet_dev *dev, const char *list, const char *mac);

/* Writes a reverse ARP request for `mac`; returns its length. */
uint32_t vnet_commands_rarp(uint8_t *frame, const uint8_t mac[6]);

#endif
