/* The joined conversation: both traces, the keys that tie them together, and one chain per guest
 * kick. Matching goes by queue, then ring index, then ordinal, and by time only to say no.
 *
 * The traces are read several times and never held: once each for facts that only the end tells,
 * once together for the clocks, once together for the join. What is kept in between is what is
 * still open in a ring: windows of records, and chains that have not ended.
 */
#ifndef TRACE_JOIN_H
#define TRACE_JOIN_H

#include "clock.h"
#include "reader.h"

enum event_class {
    CLASS_none, /* not classified: none may be left at the end */
#define CLASS(side, name, text) CLASS_##name,
#include "classes.def"
    CLASS_COUNT
};

const char *class_name(enum event_class class);
const char *class_text(enum event_class class);
enum trace_side class_side(enum event_class class);

/* A stay of the vhost worker in handle_tx or handle_rx; an end may be missing. */
struct run {
    struct event begin, end;
    int whole; /* both ends, and no loss between them that could hide two more */
};

#define JOIN_QUEUES 2 /* TRACE_VQ_RX and TRACE_VQ_TX */

const char *queue_name(unsigned vq); /* "rx", "tx", "?" */

/* How the chain of a kick ended. */
enum chain_class {
    CHAIN_irq,         /* complete: its call became an interrupt */
    CHAIN_merged,      /* complete: its call merged into another's interrupt */
    CHAIN_polled,      /* complete: harvested without an interrupt of its own */
    CHAIN_unharvested, /* used, not harvested by the end */
    CHAIN_unserved,    /* not consumed: receive buffers posted, or the slice ended */
    CHAIN_stall,       /* a transmit kick that no service ever followed */
    CHAIN_outside,     /* kick outside the host's slice */
    CHAIN_unmatched,   /* no host kick */
    CHAIN_unknown,     /* a stage is missing: its record is lost or outside the slice */
    CHAIN_COUNT
};

const char *chain_class_name(enum chain_class class);

/* The records that a chain is made of. */
enum link {
    LINK_publish,
    LINK_kick,
    LINK_host_kick,
    LINK_run_begin,
    LINK_run_end,
    LINK_used,
    LINK_call_read,
    LINK_irq,
    LINK_harvest,
    LINK_COUNT
};

/* What followed one guest kick, seen at the last buffer it announced. */
struct chain {
    uint64_t number; /* in the order of the kicks' times, from 0 */
    uint64_t index;  /* of the buffer: kick's avail_idx - 1 */
    enum chain_class class;
    uint8_t vq;
    uint8_t decided; /* whether its host kick is settled, found or not */
    uint16_t have;   /* 1 << enum link */
    struct event link[LINK_COUNT];
};

/* The record of a link, or NULL if the chain has none. */
static inline const struct event *chain_event(const struct chain *c, enum link link)
{
    return c->have >> link & 1 ? &c->link[link] : NULL;
}

/* A call, for the read that takes it. */
struct call {
    uint64_t time, made_after; /* ns */
    uint64_t used;             /* number of its used record */
};

/* Used entries that the host published; calls are those that it signalled. */
struct used {
    struct event event;
    uint64_t before;   /* ns of the used record before it: it was stored after that */
    int read_settled;  /* whether `read` is */
    struct event irq;  /* that answered the call; id 0 if none */
    struct event read; /* QEMU's read of the call; id 0 if none */
};

struct queue {
    uint8_t vq;
    /* What only the end tells, from the first reading: */
    uint64_t guest_from, host_from;   /* number of the record that its last life begins with */
    uint64_t restarted;               /* TSC of that, 0 if there is only one life */
    uint64_t avail_shift, used_shift; /* bring the host's indices into the guest's numbering */
    uint64_t consumed;                /* see classes.def */
    int consumed_known;
    uint64_t last_used, last_harvest; /* indices that the host used and the guest harvested up to */
    int used_known, harvest_known, calls_are_read, publishes_are_told;
    /* From the first kicks: */
    int matched;       /* whether kick_base is known */
    int64_t kick_base; /* eventfd count = kick ordinal + kick_base */
    /* Windows of what is still open: */
    struct window publishes, suppressed, irqs, harvests; /* events */
    struct window host_kicks, reads;                     /* events */
    struct window open_irqs, open_harvests;              /* events whose class waits for the host */
    struct window runs, used;                            /* struct run, struct used */
    struct window chains;                                /* struct chain */
    size_t chains_paired;   /* the first of them have their host kick settled */
    struct event run_begin; /* of the run that is open; id 0 if none */
    uint32_t run_seq;       /* of the run before */
    struct window calls;    /* struct call, those that no read was given to yet */
    uint64_t used_settled;  /* number of the first used record whose class is open */
    uint64_t settled_index; /* used index of the one before it */
    uint64_t used_time;     /* ns of the last used record */
    uint64_t reads_next;    /* number of the call that the next read begins with, if in step */
    uint64_t read_before;   /* ns of the read before */
    uint64_t irq_before;    /* TSC of the interrupt before */
    uint64_t irq_taken;     /* number of the interrupt that has its first call */
    uint64_t harvested;     /* 0: while no harvest has been read, all may be asked for */
    uint64_t claimed;       /* used index that interrupts have accounted for */
    uint64_t avail_seen;    /* by the guest's records so far */
    uint32_t host_seq;      /* of the last host kick */
    int out_of_step, stalled, irq_any, irq_taken_any, host_seq_known;
    struct window done; /* struct chain: ended, not handed on yet */
    /* Counts: */
    uint64_t kicks, calls_made, irq_count, run_count;
};

struct stall {
    struct event event;
    uint8_t harvest; /* 0: published, never picked up; 1: used, never signalled or harvested */
};
#define JOIN_STALLS 20 /* so many are named */

/* Facts of one side. */
struct side {
    struct reader reader;
    struct event first, last;
    uint64_t records, lost, disordered; /* of the whole trace */
    int damaged;                        /* streams that damage cuts short */
};

struct join {
    struct side guest, host;
    struct queue queue[JOIN_QUEUES];
    struct clock clock; /* of the virtual CPU that kicks most */
    struct clock *cpus; /* owned; of those of several CPUs that kick enough, by CPU; or NULL */
    size_t cpu_count, base_cpu; /* the base is the CPU whose clock is `clock` */
    double start;               /* ns after clock.host0 of the guest's first record */
    uint64_t class_count[CLASS_COUNT][JOIN_QUEUES + 1]; /* by queue; last: of no such queue */
    uint64_t chain_count, chain_classes[CHAIN_COUNT];
    uint64_t unmatched; /* kicks of either side whose other side is missing */
    uint64_t stalls;    /* stretches of the transmit ring that nobody came for */
    uint64_t deaf;      /* stretches of used entries that nobody harvested */
    uint64_t doubts;    /* queues whose kicks fit in several ways, so none was chosen */
    struct stall stall[JOIN_STALLS];
    size_t stalls_named;
    int guest_over, host_over; /* that side has been read to its end */
    uint64_t next_chain;       /* number of the chain that is handed on next */
    void (*take)(void *context, const struct join *join, const struct chain *chain);
    void *context;
};

/* Opens both traces. Returns 0, or -1 after complaining; join_free either way. */
int join_open(struct join *join, const char *guest, const char *host);

/* Joins them. Complains about each missing kick and each stall. Calls `take` (if any) with each
 * chain once, in the order of the kicks except that one which stays open for very long comes late:
 * its number tells its place. The chain is the callee's for that call only. */
void join_run(struct join *join,
              void (*take)(void *context, const struct join *join, const struct chain *chain),
              void *context);
void join_free(struct join *join);

/* Records of one class, on one queue or on all (vq < 0). */
uint64_t join_class_count(const struct join *join, enum event_class class, int vq);

/* ---- the steps of join_run, in this order ---- */
void join_facts(struct join *join); /* ends, losses, lives, laps */
void join_match(struct join *join); /* kick ordinals, TSCs of the CPUs */
void join_clock(struct join *join); /* the clocks */
void join_live(struct join *join);  /* classes and chains */

/* The records that are matched within a queue, by side; others have a class of their own. */
int event_is_listed(uint16_t id);
/* Whether the record (number `number` of its side) is of a queue's last life. */
static inline int event_in_life(const struct queue *q, uint64_t number, int host)
{
    return number >= (host ? q->host_from : q->guest_from);
}
/* Brings a host record's ring indices into the guest's numbering. */
void event_shift(const struct queue *q, struct event *e);

/* Whether a virtual CPU has a clock of its own; the others are taken to have the base's. */
static inline int join_cpu_is_own(const struct join *j, unsigned cpu)
{
    return !j->cpus || cpu == j->base_cpu || (cpu < j->cpu_count && j->cpus[cpu].hz > 0);
}

/* The clock of a virtual CPU. */
static inline const struct clock *join_cpu_clock(const struct join *j, unsigned cpu)
{
    return j->cpus && cpu < j->cpu_count && j->cpus[cpu].valid ? &j->cpus[cpu] : &j->clock;
}

/* Host time of a guest event in ns after the slice's first guest record, and the same of a host
 * time. Both need join->clock.valid, except that the guest's falls back to the nominal rate. */
double join_guest_ns(const struct join *join, const struct event *event, uint64_t tsc);
double join_host_ns(const struct join *join, uint64_t ns);
/* How far join_guest_ns can be off, in ns; 0 without a clock. */
double join_bound_ns(const struct join *join, const struct event *event);

/* So many elements of a window may wait; what waits longer is settled with what is known. A ring
 * has at most 32768 entries, so only records of a damaged trace, or of one without the other
 * side's, are ever that late. */
#define LIVE_WINDOW 65536
#define STALL_NS    10e6 /* what waited less than this at the end may still have been on its way */
#define COMPLAINTS  20

#endif
