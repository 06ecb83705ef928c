/* A vhost-user backend for the tests: the other side of transport/vhost_user.c, with the model
 * device behind each ring. It checks every message, and misbehaves on command. */
#ifndef HOSTED_TEST_BACKEND_H
#define HOSTED_TEST_BACKEND_H

#include "../../../faultinj/device.h"
#include "../../features.h"
#include "../../transport/vhost_user.h"

#define PAIRS  8
#define QUEUES (2 * PAIRS) /* the even ones the driver receives by, the odd ones it sends by */

enum flaw { /* at the request that is named with it */
            FLAW_NONE,
            FLAW_CLOSE,    /* hangs up instead of an answer */
            FLAW_SILENT,   /* never answers */
            FLAW_REFUSE,   /* acknowledges with an error */
            FLAW_NONSENSE, /* answers another request */
            FLAW_SHORT,    /* answers with too few bytes */
            FLAW_BASE,     /* GET_VRING_BASE names another queue */
};

enum work { WORK_ECHO, WORK_GENERATE, WORK_PINGPONG };

struct backend {
    /* asked for */
    uint64_t offered, protocol_offered;
    enum flaw flaw;
    uint32_t flaw_at;
    enum ring_dev_trick trick; /* of the queue that the driver sends on, after some frames */
    enum work work;
    uint64_t frames;    /* to generate */
    uint32_t pairs;     /* that there are */
    uint32_t spread;    /* over so many pairs what is generated goes, in equal shares */
    uint32_t steer;     /* what comes by a pair goes back by the one so many further */
    uint64_t die_after; /* hang up amid the traffic, after so many frames; 0: never */
    uint32_t hold;      /* frames taken and never given back */
    bool gaps;          /* what comes back may be not all that was generated */
    bool deaf;          /* never looks at what the driver sends */
    bool expect_no_calls;

    /* so far */
    int socket;
    uint64_t features, protocol;
    bool protocol_set, owned, features_set;
    uint8_t *memory; /* the driver's, as mapped here */
    uint64_t memory_guest, memory_user, memory_bytes;
    struct queue {
        struct ring_dev dev;
        struct ring_dev_config config;
        uint32_t base;
        int kick, call;
        bool numbered, addressed, based, called, enabled, running;
    } queue[QUEUES];
    struct pair {                              /* counted */
        uint64_t taken, given, returned, next; /* next: the number that the next one has */
    } pair[PAIRS];

    /* counted, of all pairs */
    uint64_t taken, given, returned, held, calls, kicks;
};

extern struct backend backend;

/* Ends the process: the driver broke a rule. */
__attribute__((noreturn, format(printf, 1, 2))) void blame(const char *format, ...);

/* messages.c: handles what came on the socket. False: the driver hung up. */
bool message(void);
void start_if_ready(struct queue *q);
/* The ring is started and enabled. */
bool serves(const struct queue *q);

/* rings.c: does what there is to do on all rings, within reason. True: there is more. */
bool serve(void);
/* What one of the driver's addresses is here, or NULL. */
void *memory_at(uint64_t guest_address, uint32_t bytes);

#endif
