/* The driver's port to a Linux process: memory, interrupts by eventfd, one thread. Interrupt
 * context is the loop that has read an eventfd, so nothing is ever interrupted and nothing locks.
 */
#ifndef HOSTED_PORT_H
#define HOSTED_PORT_H

#include "../mode.h"
#include "../transport/vhost.h"
#include "options.h"

/* What became of frames above the driver, by the names that the guest's port has. */
struct port_stats {
#define PORT_STAT(name, text) uint64_t name;
#include "../../kernel/port_stats.def"
};
extern struct port_stats port_stats;
extern uint64_t port_run_ns, port_cpu_ns; /* of port_run: time, and the process's share of a CPU */
extern struct vnet_dev port_dev;
extern struct vhost port_vhost;

/* pool.c: one shared memory holds both rings and all buffers. 0, or -1 after one line on stderr. */
int pool_init(struct vhost_shared *memory, void *rings[VNET_QUEUES], void *shadows[VNET_QUEUES]);
void pool_release(struct vhost_shared *memory, void *shadows[VNET_QUEUES]);
struct vnet_buf *port_buf_alloc(void); /* NULL: all are out */
void port_buf_free(struct vnet_buf *b);
void port_frame_free(struct vnet_buf *frame); /* with all its buffers */

/* device.c: 0, or -1 after one line on stderr. */
int port_start(const struct options *o);
/* Resets the device and says whether every buffer came back. */
int port_stop(void);

/* Sends n frames and makes the kick decision. Returns how many the ring took; the rest stays the
 * caller's. */
uint32_t port_send(struct vnet_buf **bufs, uint32_t n);

/* loop.c: from port_listen on, signals and interrupts are taken. port_run runs the program until it
 * is done, its time is over or a signal comes, and then until what was sent has been reclaimed. 0,
 * or -1 after one line on stderr. */
int port_listen(void);
int port_run(const struct options *o);

/* report.c: all counters to o->out, which is opened before anything runs. 0, or -1 after one line
 * on stderr. */
int report_open(const struct options *o);
int report_write(const struct options *o);

/* One line on stderr, with the program's name before it; only the first is written. Returns -1. */
__attribute__((format(printf, 1, 2))) int port_complain(const char *format, ...);

#endif
