/* A vhost-user backend for the tests: the other side of transport/vhost_user.c, with the model
 * device behind each ring. It checks every message, and misbehaves on command. */
#ifndef HOSTED_TEST_BACKEND_H
#define HOSTED_TEST_BACKEND_H

#include "../../../faultinj/device.h"
#include "../../features.h"
#include "../../transport/vhost_user.h"

#define QUEUES 2 /* 0 the driver receives, 1 it sends */

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
    uint64_t die_after; /* hang up amid the traffic, after so many frames; 0: never */
    uint32_t hold;      /* frames taken and never given back */
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

    /* counted */
    uint64_t taken, given, returned, held, calls, kicks;
};

extern struct backend backend;

/* Ends the process: the driver broke a rule. */
__attribute__((noreturn, format(printf, 1, 2))) void blame(const char *format, ...);

/* messages.c: handles what came on the socket. False: the driver hung up. */
bool message(void);
void start_if_ready(struct queue *q);

/* rings.c: does what there is to do on both rings. */
void serve(void);
/* What one of the driver's addresses is here, or NULL. */
void *memory_at(uint64_t guest_address, uint32_t bytes);

#endif
