/* What the tests of transport/vhost_net.c share: the driver on that transport with the kernel that
 * is a table, and which requests are expected of its life. */
#ifndef HOSTED_TEST_VHOST_NET_KIT_H
#define HOSTED_TEST_VHOST_NET_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../mode.h"
#include "../../transport/vhost.h"
#include "table_kernel.h"

#define RING         8u
#define PAIRS        3u /* at most */
#define BUFS         (3 * RING * PAIRS)
#define QUEUE_BYTES  4096u
#define MEMORY_BYTES (1u << 18)

extern unsigned pool_free;
extern void *rings[VNET_QUEUES * PAIRS + 1], *shadows[VNET_QUEUES * PAIRS + 1];
extern struct vhost vhost;
extern struct vnet_dev dev;
extern uint16_t pairs; /* of the next start */
extern uint64_t more_features;

/* Of each test. */
int setup(void **state);
int teardown(void **state);

/* Opens, attaches and starts. 0 or a negative enum vnet_error. */
int start(bool interrupts);
void give_back(struct vnet_q *q, struct vnet_buf *b);

/* The requests, looked at in order: the next one is this. */
extern unsigned looked_at;
const struct table_call *next(int fd, unsigned long request);
void expect_steering(unsigned pair, bool on);
void expect_ring(unsigned queue, bool interrupts);
void expect_kick(unsigned queue);
void expect_backend(unsigned queue, bool on);
void expect_base(unsigned queue);
void expect_pair_used(unsigned pair);
/* From the first request to the last one there is. */
void expect_running(bool interrupts);
/* From where the look is to the last one. */
void expect_rings_running(bool interrupts);
void expect_stopped(void);

#endif
