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
extern _Alignas(4096) uint8_t ring_memory[128 * PAIR_SIZE_MAX];
extern struct vring_shadow ring_shadow[PAIR_SIZE_MAX];

struct point { /* what the driver did to shared memory */
    enum test_point_kind kind;
    const volatile void *at;
    int order;
};
extern struct point points[16];
extern unsigned points_used;        /* wraps round in points[] */
extern void (*pair_at_fence)(void); /* the device's turn, at each full barrier; or NULL */

extern bool pair_packed;       /* the format of the rings that follow */
extern uint16_t pair_indirect; /* their indirect_parts */

/* for EACH_FORMAT (f) { ... }: with split rings, then with packed ones. */
#define EACH_FORMAT(f) (int f = 0; f < 2 && (pair_packed = f, true); f++)

void pair_init(uint16_t size, bool event_idx);
/* As pair_init, at a position that a ring may go on from: an index, or a packed slot and lap. */
void pair_init_at(uint16_t size, bool event_idx, uint16_t start);
/* The position n buffers (of one descriptor) after another. */
uint16_t pair_position(uint16_t start, uint32_t n);

/* Adds n buffers of one part. */
void pair_add(unsigned n);
/* Adds one of `readable` and `writable` parts; returns what vring_add_parts says. */
int pair_add_parts(unsigned readable, unsigned writable);
/* The device takes n buffers and uses them; the driver does not see it before ring_dev_show. */
void pair_use(unsigned n);
unsigned pair_pop_all(void);
/* One buffer back; NULL: none. */
void *pair_pop(uint32_t *bytes, bool *overlong);
/* One buffer through the ring: added, used, shown. Returns what ring_dev_signal says. */
bool pair_one(void);
/* No invariant broken, no driver error. */
void pair_healthy(void);

#endif
