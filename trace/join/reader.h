/* Reads a CTF trace directory of ours packet by packet, the streams of all CPUs merged by time.
 *
 * Files are mapped and given back to the kernel behind the reader, so memory does not grow with
 * the trace. Within a packet records are sorted by time if they are not: that is the window in
 * which order is restored. What comes later than that is delivered as it comes and counted.
 */
#ifndef TRACE_READER_H
#define TRACE_READER_H

#include "events.h"
#include "window.h"

/* One file mapped for reading; an empty file has no bytes and no map. */
struct mapped {
    const uint8_t *bytes;
    size_t size;
};
int mapped_open(struct mapped *file, const char *path); /* 0, or -1 after complaining */
void mapped_close(struct mapped *file);

struct stream {
    char *path; /* owned */
    struct mapped file;
    size_t offset, given_back; /* of the next packet; up to where pages were given back */
    const uint8_t *record;     /* the next record */
    size_t left;               /* records left in the packet */
    uint64_t key;              /* time of the next record, skew added */
    int64_t skew;              /* added to all times of this stream, to compare them with others' */
    uint64_t packets, seq, discarded, time_end;
    uint16_t cpu;
    uint8_t *sorted; /* owned: the packet's records in order, if they were not */
};

struct reader {
    const char *dir;
    enum trace_side side;
    uint64_t hz;            /* of the trace's clock */
    struct stream *streams; /* owned */
    size_t stream_count;
    struct stream *current; /* whose record comes next, NULL at the end */
    uint64_t turn;          /* key up to which no other stream comes in between */
    int tells, fresh;       /* whether damage is complained about: while it was never rewound */
    /* so far in this pass: */
    uint64_t records, lost, disordered, last;
    int damaged;          /* streams that end early because of what is in them */
    struct window losses; /* of struct loss, if kept */
    int keep_losses;
};

/* Opens `dir` (kept by reference) at its first record. Returns 0, or -1 after complaining that it
 * is no such trace; call reader_close either way. A damaged packet ends its stream with one line on
 * stderr that names file and offset, and what came before it is read. */
int reader_open(struct reader *reader, const char *dir, enum trace_side side);
void reader_close(struct reader *reader);

/* Begins again at the first record; losses are kept from now on or not. */
void reader_rewind(struct reader *reader, int keep_losses);

/* The next record in *event: 1, or 0 at the end. */
int reader_next(struct reader *reader, struct event *event);

/* Time of the next record, UINT64_MAX at the end. */
static inline uint64_t reader_when(const struct reader *reader)
{
    return reader->current ? reader->current->key : UINT64_MAX;
}

/* What is added to the times of a CPU's records. */
int64_t reader_skew(const struct reader *reader, unsigned cpu);

/* Whether records may be missing between two times, among the losses kept. */
int reader_lost_between(const struct reader *reader, uint64_t from, uint64_t to);

/* Forgets the losses that ended before a time. */
void reader_forget(struct reader *reader, uint64_t before);

#endif
