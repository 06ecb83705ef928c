/* Takes records out of a live or dead guest's region into a CTF trace directory. */
#ifndef TRACE_SNAPSHOT_H
#define TRACE_SNAPSHOT_H

#include <stdint.h>

#include "region.h"

/* A place in the trace of every CPU, as `ringsnap position` prints it. */
struct position {
    uint64_t reserved[TRACE_MAX_CPUS];
    uint64_t lost[TRACE_MAX_CPUS];
};

struct snapshot_count {
    uint64_t records;     /* written */
    uint64_t overwritten; /* asked for, but of a lap that is gone */
    uint64_t uncommitted; /* reserved, never finished or still being written */
    uint64_t dropped;     /* refused by the guest for want of room */
    uint64_t stopped;     /* refused by the guest because a trigger had fired: not missing */
};

/* Writes records [from, to) of every CPU to `out`, repacked into fresh packets; what is missing
 * counts as discarded where it is missing. Returns 0, or -1 after complaining. */
int snapshot_cut(const struct region *region, const struct position *from,
                 const struct position *to, const char *out, struct snapshot_count *count);

/* Writes all that the buffer holds, packet by packet as it stands; an open packet is closed by
 * its commit marks. Returns 0, or -1 after complaining. */
int snapshot_dump(const struct region *region, const char *out, struct snapshot_count *count);

#endif
