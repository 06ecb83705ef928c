/* What the joiner needs to know from a trace's metadata. */
#ifndef TRACE_METADATA_H
#define TRACE_METADATA_H

#include "events.h"

/* Checks that `dir` is a trace of ours of this side and reads its clock's frequency. 0, or -1 after
 * complaining. */
int metadata_read(const char *dir, enum trace_side side, uint64_t *hz);

#endif
