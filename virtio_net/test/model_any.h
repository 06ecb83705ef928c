/* A model device by the kind of its registers, and the driver's transport for it. */
#ifndef VNET_TEST_MODEL_ANY_H
#define VNET_TEST_MODEL_ANY_H

#include "model_legacy.h"
#include "model_mmio.h"

void model_any_init(struct model *m, enum model_kind kind, uint64_t offered, uint16_t max);

/* Probes the device as the port would. 0 and *transport, which there is one of for each kind, or a
 * negative enum vnet_error. */
int model_any_probe(struct model *m, struct vnet_transport **transport);

/* Bytes of the header before each frame, as the device has it after the negotiation. */
uint32_t model_header_bytes(const struct model *m);

#endif
