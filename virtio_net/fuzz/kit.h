/* What every fuzz target stands on: the input as a stream, the driver between a model device and a
 * stack, and the oracle. A target decides what the device does wrong.
 *
 * The oracle: each buffer is in exactly one place and all are back after the stop; nothing outside
 * the memory that was handed over is touched (it is poisoned for AddressSanitizer); every call ends
 * within FUZZ_POINTS_MAX accesses to shared memory or registers; the invariants of each ring hold,
 * broken or not, and a broken one has a reason.
 */
#ifndef VNET_FUZZ_KIT_H
#define VNET_FUZZ_KIT_H

#include <stdnoreturn.h>
#include "../test/model_any.h"
#include "../mode.h"

#define FUZZ_POOL       640u
#define FUZZ_ARENA      (1u << 20)
#define FUZZ_POINTS_MAX 200000u

/* The input. Past its end everything is 0. */
size_t fuzz_left(void);
uint8_t fuzz_8(void);
uint16_t fuzz_16(void);
uint32_t fuzz_32(void);
uint64_t fuzz_64(void);

struct fuzz {
    struct model model;
    struct vnet_dev dev;
    struct vnet_transport *transport;
    struct vnet_config config;
    bool started;
    /* The device's turn amid a call: at the next access to shared memory, `wait` accesses from now.
     * Forgotten once taken. */
    void (*turn)(void);
    unsigned wait;
    /* The stack looks at a frame before it lets go of it, or NULL. */
    void (*received)(const struct vnet_buf *frame);
    unsigned alloc_left; /* so many buffers the pool still gives */
    bool in_irq;
    uint64_t frames;
};
extern struct fuzz fuzz;

/* Everything as on the first day. */
void fuzz_begin(const uint8_t *data, size_t size);
/* What must hold between two calls of the driver. */
void fuzz_check(void);
noreturn void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Probe and attach; start, with the memory that the layouts ask for. 0 or a negative error. */
int fuzz_attach(void);
int fuzz_start(void);
/* Stops what was started. Every buffer must be back, unless the device never ends its reset. */
void fuzz_stop(void);

/* Sends a frame of so many parts of so many bytes; false: the ring took none. */
bool fuzz_send(unsigned parts, uint32_t each, const struct vnet_offload *offload);
/* The number of a buffer, below FUZZ_POOL. */
unsigned fuzz_buf(const struct vnet_buf *b);
void fuzz_irq(unsigned queue);
/* False: the queue is no longer there. */
bool fuzz_queue_reset(unsigned queue);
int fuzz_restart(void);

#endif
