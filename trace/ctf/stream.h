/* Writes CTF streams of 32-byte records: the one way out for records that we did not find in whole
 * packets. A trace directory is `metadata` and one `stream_<cpu>` per CPU. */
#ifndef TRACE_STREAM_H
#define TRACE_STREAM_H

#include <stdint.h>
#include <stdio.h>

#include "../record.h"
#include "tsdl.h"

struct ctf_stream {
    FILE *file;
    char path[4096];
    struct trace_packet packet;
    unsigned used;      /* records in the open packet */
    uint64_t last_time; /* of the last record or gap */
    uint64_t packets, records, discarded;
};

/* Makes `dir` (one level) or empties an existing trace directory of its metadata and streams, and
 * writes the metadata. Returns 0, or -1 after complaining. */
int ctf_dir_create(const char *dir, enum trace_side side, uint64_t tsc_hz, unsigned cpus);

/* Opens dir/stream_<cpu> for writing. 0, or -1 after complaining. */
int ctf_stream_open(struct ctf_stream *s, const char *dir, unsigned cpu);

/* Appends one record; times must not go backwards. 0, or -1 after complaining. */
int ctf_stream_put(struct ctf_stream *s, const struct trace_record *record);

/* Says that `lost` records are missing between the times `since` and `until`, after the last record
 * put and before the next. The loss becomes a packet without records that covers just this window,
 * so a reader knows between which two records it happened. 0, or -1 after complaining. */
int ctf_stream_gap(struct ctf_stream *s, uint64_t lost, uint64_t since, uint64_t until);

/* Appends a packet as it stands. 0, or -1 after complaining. */
int ctf_stream_packet(struct ctf_stream *s, const struct trace_packet *packet);

/* Writes what is open and closes; a stream without any packet leaves no file.
 * 0, or -1 after complaining. */
int ctf_stream_close(struct ctf_stream *s);

#endif
