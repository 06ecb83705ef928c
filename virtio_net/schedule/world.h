/* One queue of the driver, the model device at its other end, and what stands between them: the
 * parties stop before each access to what they share, and a schedule says who goes on.
 *
 * All that changes is in `world`, in the queue and on the stacks: snapshot.c copies that and no
 * more. What is only counted lies apart, as it makes no difference to what happens next. */
#ifndef VNET_SCHEDULE_WORLD_H
#define VNET_SCHEDULE_WORLD_H

#include "coroutine.h"
#include "../../faultinj/device.h"
#include "../mode.h"

#define SIZE_MAX_OF_RING 8u
#define POOL_MAX         (2 * SIZE_MAX_OF_RING)
#define CONTENT          32u /* bytes of a buffer that matter: header, number, and some after */

enum verdict {
#define VERDICT(name, text) VERDICT_##name,
#include "verdicts.def"
};

struct scene {
    bool receives, packed, event_idx;
    bool late;      /* positions start right before they wrap */
    bool tso;       /* stores wait in a buffer before they reach memory, as on x86 */
    bool any_order; /* the device completes in any order */
    uint16_t size;
    uint32_t frames, budget;
};

enum party_id { TASK, IRQ, DEVICE, PARTIES };
enum cpu_id { DRIVER_CPU, DEVICE_CPU, CPUS };

/* What a party waits for while it is stopped. */
enum wait {
    WAIT_NOTHING, /* it may go on at once */
    WAIT_ROOM,    /* in the store buffer of its CPU */
    WAIT_DRAINED, /* until that is empty */
    WAIT_IRQ,     /* for nothing: an interrupt may come here, and to the device it is no stop */
    WAIT_CHOICE,  /* for one of the things that it can do next (task_options, worker_options) */
};

enum access { ACCESS_NONE, ACCESS_LOAD, ACCESS_STORE, ACCESS_FENCE, ACCESS_BELL, ACCESS_PRIVATE };

struct party {
    struct coroutine run;
    bool active;          /* the interrupt: it is being handled */
    uint8_t wait, option; /* option: which was chosen */
    uint8_t access;       /* what it is about to do */
    uint16_t value;       /* that it stores */
    const volatile void *at;
};

#define STORES_MAX 2u
struct store_buffer {
    uint32_t used;
    struct {
        volatile uint16_t *at;
        uint16_t value;
    } store[STORES_MAX];
};

enum owner {
    OWNER_POOL,
    OWNER_DRIVER,
    OWNER_PUBLISHED, /* the device may take it */
    OWNER_TAKEN,
    OWNER_USED,  /* and its used entry is written */
    OWNER_SHOWN, /* and the driver may see it */
};

struct buffer {
    uint8_t owner;
    uint8_t kept[CONTENT];        /* as it was when it was handed over, or as the device left it */
    struct pvirtq_desc kept_desc; /* a descriptor of either format, until the device takes it */
    const struct pvirtq_desc *desc;
    struct vnet_buf buf;
};

struct worker {
    bool live;    /* DRIVER_OK */
    bool asleep;  /* waits for a kick */
    bool working; /* kicks are off */
    uint8_t in_hand, unshown;
    uint16_t ids[SIZE_MAX_OF_RING];
    uint32_t backlog; /* frames that wait for a receive buffer */
    uint32_t next;    /* number of the next frame, received or sent */
    struct ring_dev ring;
};

struct world {
    struct party party[PARTIES];
    struct store_buffer stores[CPUS];
    uint8_t running;   /* enum party_id */
    uint8_t verdict;   /* enum verdict, VERDICT_holds until something is wrong */
    bool kicked;       /* and the worker has not woken from it */
    bool irq_pending;  /* and the CPU has not taken it */
    bool scheduled;    /* a poll, by the interrupt */
    bool fresh;        /* the device has stored since the last poll began */
    bool stalled;      /* the ring was full, and nothing has come back since */
    uint32_t left;     /* frames to send */
    uint32_t received; /* number of the next frame to come up */
    struct worker worker;
    struct buffer buffer[POOL_MAX];
    struct vring_shadow shadow[SIZE_MAX_OF_RING];
    _Alignas(16) uint8_t content[POOL_MAX][CONTENT]; /* of the buffers */
    _Alignas(16) uint8_t memory[512];                /* of the ring */
};
extern struct world world;

struct counts {
    uint64_t bells, irqs_taken, irqs_wanted;
};
extern struct counts counts;

extern struct scene scene;
extern struct vnet_dev dev;
extern struct vnet_q *const queue;

/* Sets everything up as `scene` says, up to the first choice. */
void world_init(void);
unsigned world_pool(void); /* how many buffers there are */

/* memory.c: where parties stop. */
void party_stop(enum wait wait, enum access access, const volatile void *at, uint16_t value);
/* Stops where an interrupt may come amid the driver's calls, if one waits. */
void party_stop_for_irq(const volatile void *at);
/* Stops until one of its options is chosen. */
unsigned party_choose(void);
/* What that CPU would read there: of its own stores the youngest, or what is in memory. */
uint16_t memory_read_by(enum cpu_id cpu, const volatile uint16_t *at);
void memory_drain_one(enum cpu_id cpu);

/* task.c: what the driver's side can do when it has nothing under way, as bits. */
enum task_option { TASK_POLL, TASK_SEND_ONE, TASK_SEND_ALL };
uint32_t task_options(void);
void task_main(void);
void irq_main(void);

/* worker.c: likewise, the device's. */
enum worker_option { WORKER_TAKE, WORKER_FIRST, WORKER_LAST, WORKER_SHOW };
uint32_t worker_options(void);
void worker_main(void);

/* owners.c: whose each buffer is. */
struct buffer *buffer_take(void); /* from the pool, the first; NULL */
void buffer_put(struct buffer *b);
struct buffer *buffer_of(const struct vnet_buf *buf);
struct buffer *buffer_at(const uint8_t *data);
void buffer_pass(struct buffer *b, enum owner from, enum owner to);
/* The driver is about to store there: what that hands over. */
void buffers_publish(const volatile uint16_t *at);
void buffers_shown(void);
/* What the driver may not touch is as it was. */
bool buffers_untouched(void);

void violate(enum verdict verdict);

/* check.c: after each step, and when no step is left. */
void check_step(void);
void check_end(void);

#endif
