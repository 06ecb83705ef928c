/* Open-loop sending, for the programs that have frames of their own to send. */
#ifndef HOSTED_SENDER_H
#define HOSTED_SENDER_H

#include "port.h"

struct sender {
    struct port_pair *pair; /* by which it sends */
    uint64_t limit;         /* frames; UINT64_MAX: no end */
    uint64_t rate; /* frame k is due k / rate after the start, whatever became of those before it;
                      0: at once */
    /* Of several senders that share a rate: frame k of this one is frame k * of + nth of all. */
    uint64_t of, nth;
    /* When frame k is due, in ns after the start; NULL: by the rate. */
    uint64_t (*due)(uint64_t k);
    /* Makes frame k, once, in the order of k. False: there is none, this is the end. */
    bool (*fill)(struct sender *s, struct vnet_buf *b, uint64_t k, uint64_t due_ns);
    /* How many more frames may go out now; NULL: any number. */
    uint64_t (*room)(const struct sender *s);
    uint64_t start, filled;
    struct vnet_buf *pending[VNET_BATCH]; /* made, and not yet taken by the ring */
    uint32_t pending_count;
};

/* As program_step. Counts what it sends as sourced. */
uint64_t sender_step(struct sender *s, uint64_t now);
bool sender_done(const struct sender *s);
void sender_end(struct sender *s);

#endif
