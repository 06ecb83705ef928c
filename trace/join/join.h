/* The joined conversation: both traces, the keys that tie them together, and one chain per guest
 * kick. Matching goes by queue, then ring index, then ordinal, and by time only to say no.
 */
#ifndef TRACE_JOIN_H
#define TRACE_JOIN_H

#include "align.h"
#include "events.h"

enum event_class {
    CLASS_none, /* not classified: none may be left at the end */
#define CLASS(side, name, text) CLASS_##name,
#include "classes.def"
    CLASS_COUNT
};

const char *class_name(enum event_class class);
const char *class_text(enum event_class class);
enum trace_side class_side(enum event_class class);

/* Events of one kind, in time order. */
struct list {
    struct event **at; /* owned */
    size_t n, room;
};

/* A stay of the vhost worker in handle_tx or handle_rx; an end may be missing. */
struct run {
    struct event *begin, *end;
    int whole; /* both ends, and no loss between them that could hide two more */
};

#define JOIN_QUEUES 2 /* TRACE_VQ_RX and TRACE_VQ_TX */

const char *queue_name(unsigned vq); /* "rx", "tx", "?" */

struct queue {
    uint8_t vq;
    struct list publishes, kicks, suppressed, irqs, harvests;    /* guest; irqs: spurious too */
    struct list host_kicks, run_events, used, calls, call_reads; /* host; calls: used signalled */
    struct run *runs;                                            /* owned */
    size_t run_count;
    struct event **host_kick_of; /* owned: for each kick, NULL if none */
    struct event **irq_of;       /* owned: for each call, NULL if absorbed, open or unknown */
    struct event **read_of;      /* owned: for each call, NULL if not seen */
    int matched;                 /* whether kick_base is known */
    int64_t kick_base;           /* eventfd count = kick ordinal + kick_base */
    uint64_t consumed;           /* see classes.def; meaningful if any host record has an index */
    int consumed_known;
};

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

/* What followed one guest kick, seen at the last buffer it announced. NULL: not there. */
struct chain {
    uint8_t vq;
    enum chain_class class;
    uint64_t index; /* of the buffer: kick's avail_idx - 1 */
    const struct event *publish, *kick, *host_kick, *used, *call_read, *irq, *harvest;
    const struct run *run;
};

struct join {
    struct trace guest, host;
    struct queue queue[JOIN_QUEUES];
    struct clock clock;
    uint64_t class_count[CLASS_COUNT][JOIN_QUEUES + 1]; /* by queue; last: of no such queue */
    struct chain *chains; /* owned; in the order of the kicks' times */
    size_t chain_count;
    uint64_t unmatched; /* kicks of either side whose other side is missing */
    uint64_t stalls;    /* stretches of the transmit ring that nobody came for */
    uint64_t doubts;    /* queues whose kicks fit in several ways, so none was chosen */
};

/* Joins the two traces, already read. Complains about each missing kick and each stall. */
void join_run(struct join *join);
void join_free(struct join *join);

/* Records of one class, on one queue or on all (vq < 0). */
uint64_t join_class_count(const struct join *join, enum event_class class, int vq);

/* The steps of join_run, in this order. */
void join_sort_out(struct join *join);    /* lists of each queue, runs, ring index epochs */
void join_match_kicks(struct join *join); /* ordinals and clock */
void join_classify_host(struct join *join);
void join_bind_call_reads(const struct join *join, struct queue *queue); /* part of it */
void join_classify_guest(struct join *join);
void join_build_chains(struct join *join);
void join_count_classes(struct join *join);

/* Host time of a guest event in ns after the slice's first guest record, and the same of a host
 * event. Both need join->clock.valid, except that the guest's falls back to the nominal rate. */
double join_guest_ns(const struct join *join, uint64_t tsc);
double join_host_ns(const struct join *join, uint64_t ns);

/* Look-ups by ring index in lists sorted by it; NULL if no record covers the index.
 * covering: the record with a - b <= index < a. */
struct event *list_covering(const struct list *list, uint64_t index);
struct event *list_first_beyond(const struct list *list, uint64_t index); /* first with a > index */
const struct run *run_covering(const struct queue *queue, uint64_t index);
size_t list_position(const struct list *list, const struct event *event); /* that it holds */
void list_add(struct list *list, struct event *event);

#endif
