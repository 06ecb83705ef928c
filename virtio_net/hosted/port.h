/* The driver's port to a Linux process: memory, interrupts by eventfd, a thread for each pair of
 * queues.
 *
 * Who owns what: a struct port_pair, both queues of the pair, the buffers of its pool and what the
 * program keeps for it are its thread's alone. The device as a whole and the transport are the main
 * thread's; it touches a pair only before the thread starts, while it has stopped it (run.c), and
 * after its end. So nothing locks, and on the packet path nothing is shared but the backend.
 * Interrupt context is the thread that has read an eventfd: nothing is ever interrupted. */
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

struct port_pair {
    _Alignas(128) unsigned index; /* no cache line is another pair's, the one fetched beside it
                                     included */
    struct vnet_q *rx, *tx;
    struct port_stats stats;
    struct vnet_buf *bufs, **free_bufs;
    uint64_t progress; /* port_progress */
};

struct port_run {        /* main thread only */
    uint64_t ns, cpu_ns; /* that the traffic took, and of that on a CPU, all threads together */
    uint64_t queue_resets;
};

extern struct vnet_dev port_dev;
extern struct vhost port_vhost;
extern struct port_pair port_pairs[VNET_PAIRS_MAX]; /* of which port_dev.pairs are used */
extern struct port_run port_run_stats;

/* pool.c: one shared memory holds all rings, and buffers for each pair. 0, or -1 after one line on
 * stderr. */
int pool_init(struct vhost_shared *memory, void **rings, void **shadows);
void pool_release(struct vhost_shared *memory, void **shadows);
struct vnet_buf *port_buf_alloc(struct port_pair *p); /* NULL: all are out */
void port_buf_free(struct port_pair *p, struct vnet_buf *b);
void port_frame_free(struct port_pair *p, struct vnet_buf *frame); /* with all its buffers */

/* device.c: 0, or -1 after one line on stderr. */
int port_start(const struct options *o);
/* Resets the device and says whether every frame and every buffer of each pair is accounted for. */
int port_stop(void);
/* While it runs, with the queue's thread stopped, or every thread: the frames that were under way
 * are back in their pools. 0, or -1 after one line on stderr. */
int port_queue_reset(struct vnet_q *q);
int port_restart(void);

/* Sends n frames by this pair and makes the kick decision. Returns how many the ring took; the rest
 * stays the caller's. */
uint32_t port_send(struct port_pair *p, struct vnet_buf **bufs, uint32_t n);

/* run.c: from port_listen on, signals and the backend's end are noticed. port_run runs the program
 * until it is done, its time is over or a signal comes, and then until what was sent has been
 * reclaimed. 0, or -1 after one line on stderr. */
int port_listen(const struct options *o);
int port_run(const struct options *o);

/* pair.c: has that pair's thread call program_step again. From any thread. */
void port_wake(unsigned pair);

/* What --count counts, of one pair: its thread says so, others may look. */
static inline void port_progress(struct port_pair *p, uint64_t frames)
{
    __atomic_store_n(&p->progress, frames, __ATOMIC_RELAXED);
}

static inline uint64_t port_progress_of(const struct port_pair *p)
{
    return __atomic_load_n(&p->progress, __ATOMIC_RELAXED);
}

/* account.c: the sums over all pairs, and what has to be equal of each. 0, or -1 after one line on
 * stderr. */
struct port_stats account_total(void);
int account_check(void);

/* report.c: all counters to o->out, which is opened before anything runs. 0, or -1 after one line
 * on stderr. */
int report_open(const struct options *o);
int report_write(const struct options *o);

/* One line on stderr, with the program's name before it; only the first is written. Returns -1.
 * From any thread. */
__attribute__((format(printf, 1, 2))) int port_complain(const char *format, ...);

#endif
