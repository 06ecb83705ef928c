/* A ring and the model device at its other end, without transport or driver around them. */
#ifndef VNET_TEST_RING_PAIR_H
#define VNET_TEST_RING_PAIR_H

#include "check.h"
#include "random.h"
#include "points.h"
#include "../vring.h"
#include "../../faultinj/device.h"

#define PAIR_SIZE_MAX 1024
#define PAIR_BYTES    64u /* of each buffer */
#define PAIR_USED     20u /* that the device claims to have written */

extern struct vring ring;
extern struct ring_dev dev;
extern _Alignas(16) uint8_t ring_memory[64 * PAIR_SIZE_MAX];
extern struct vring_shadow ring_shadow[PAIR_SIZE_MAX];

struct point { /* what the driver did to shared memory */
    enum test_point_kind kind;
    const volatile void *at;
    int order;
};
extern struct point points[16];
extern unsigned points_used;        /* wraps round in points[] */
extern void (*pair_at_fence)(void); /* the device's turn, at each full barrier; or NULL */

void pair_init(uint16_t size, bool event_idx);
/* As pair_init, with `past` entries gone through already. */
void pair_init_at(uint16_t size, bool event_idx, uint16_t past);

void pair_add(unsigned n);
/* The device takes n buffers and uses them; the driver does not see it before ring_dev_show. */
void pair_use(unsigned n);
unsigned pair_pop_all(void);
/* One buffer through the ring: added, used, shown. Returns what ring_dev_signal says. */
bool pair_one(void);
/* No invariant broken, no driver error. */
void pair_healthy(void);

#endif
