/* The driver on a model device of any transport, attached and started, without any traffic. */
#ifndef VNET_TEST_KIT_H
#define VNET_TEST_KIT_H

#include "check.h"
#include "model_any.h"
#include "../mode.h"

#define KIT_BASIC (VNET_F(VERSION_1) | VNET_F(EVENT_IDX) | VNET_F(MAC) | VNET_F(STATUS))

extern struct model device;
extern struct vnet_transport *transport; /* once kit_probe has found it */
extern struct vnet_dev dev;
extern struct vnet_config config;
extern _Alignas(VIRTIO_PCI_LEGACY_ALIGN) uint8_t kit_rings[VNET_QUEUES][16384];
extern struct vring_shadow kit_shadows[VNET_QUEUES][256];
extern unsigned kit_pool; /* buffers there are for receiving */

/* A device that offers these features, rings of 256, a configuration of the driver that suits it.
 */
void kit_offer(enum model_kind kind, uint64_t features);
/* 0 or a negative error, of the transport and of vnet_attach or vnet_start. A violation of the
 * rules fails the test. */
int kit_probe(void);
int kit_attach(void); /* kit_probe first */
int kit_start(void);
/* kit_offer, kit_attach and kit_start, without any error. */
void kit_up(enum model_kind kind, uint64_t features);
/* The error is this one, has a text, and the device was told. */
void kit_failed_with(int error, enum vnet_error want);

#endif
