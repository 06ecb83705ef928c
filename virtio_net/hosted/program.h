/* A hosted program: what it does with the frames. Exactly one is linked, like the mode. What is
 * about a pair is called by that pair's thread, and touches nothing of another. */
#ifndef HOSTED_PROGRAM_H
#define HOSTED_PROGRAM_H

#include "port.h"

struct program {
    const char *name;
    enum option_program id;
    bool counts_together; /* --count is of all pairs' port_progress */
    const char *usage;    /* first lines of --help */
};
extern const struct program program;

#define PROGRAM_WAITS UINT64_MAX

/* Before the device is started. 0, or -1 after one line on stderr. */
int program_begin(const struct options *o);
/* n received frames, 1..VNET_BATCH, that are the program's now. They came by this pair because the
 * backend chose so. */
void program_rx(struct port_pair *p, struct vnet_buf **bufs, uint32_t n);
/* Sends what is due. Returns when it wants to be called again: a time by env_now, or PROGRAM_WAITS
 * until a frame comes, a buffer returns or port_wake. */
uint64_t program_step(struct port_pair *p, uint64_t now);
/* This pair has done all that it has to do by itself. */
bool program_done(const struct port_pair *p);
/* Gives back what it keeps and closes its files. 0, or -1 after one line on stderr. */
int program_end(void);

#endif
