/* A hosted program: what it does with the frames. Exactly one is linked, like the mode. */
#ifndef HOSTED_PROGRAM_H
#define HOSTED_PROGRAM_H

#include "../vnet.h"
#include "options.h"

struct program {
    const char *name;
    enum option_program id;
    const char *usage; /* first lines of --help */
};
extern const struct program program;

#define PROGRAM_WAITS UINT64_MAX

/* Before the device is started. 0, or -1 after one line on stderr. */
int program_begin(const struct options *o);
/* n received frames, 1..VNET_BATCH, that are the program's now. */
void program_rx(struct vnet_buf **bufs, uint32_t n);
/* Sends what is due. Returns when it wants to be called again: a time by env_now, or PROGRAM_WAITS
 * until a frame comes or a buffer returns. */
uint64_t program_step(uint64_t now);
bool program_done(void);
/* Gives back what it keeps and closes its files. 0, or -1 after one line on stderr. */
int program_end(void);

#endif
