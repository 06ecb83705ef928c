/* The host's log: lines printed by the bpftrace probes, turned into host records.
 *
 * A record line is `R cpu n ns id vq flags dev pid seq a b`: n counts the lines of that CPU from
 * the start of the tracer, ns is CLOCK_BOOTTIME, dev is hexadecimal (0x may be missing), the rest
 * decimal. Every other line is noise, except that "Lost N events" is counted.
 */
#ifndef TRACE_HOSTLOG_H
#define TRACE_HOSTLOG_H

#include <stddef.h>
#include <stdint.h>

#include "../record.h"

struct host_line {
    struct trace_record record; /* ring indices as logged (16 bit) until hostlog_unwrap */
    uint64_t n;
    uint64_t dev;
    uint64_t lost_before; /* lines of this CPU missing just before this one */
    uint64_t lost_since;  /* ns of the CPU's previous line; meaningful if lost_before */
    uint32_t cpu;
    uint32_t pid;
};

struct hostlog {
    const char *path;
    struct host_line *lines; /* owned; sorted by time, then cpu, then n */
    size_t count;
    uint64_t noise;         /* lines that are no record */
    uint64_t other_devices; /* records dropped by hostlog_keep_pid */
    uint64_t outside;       /* records dropped by hostlog_slice */
    uint64_t reported_lost; /* sum of the tracer's own "Lost N events" */
    uint64_t gaps;          /* lines missing by n */
};

#define HOSTLOG_MAX_CPUS 4096

/* Reads `path` (kept by reference). Returns 0, or -1 after complaining; hostlog_free either way. */
int hostlog_read(struct hostlog *log, const char *path);
void hostlog_free(struct hostlog *log);

/* Keeps the records of those vhost devices that process `pid` kicked, and the marks. */
void hostlog_keep_pid(struct hostlog *log, uint32_t pid);

/* Unwraps avail_idx and used_idx to 64 bits per device and queue, starting from the first value
 * seen. Only their low 16 bits are absolute: a log may begin late in a boot. */
void hostlog_unwrap(struct hostlog *log);

/* Keeps the records from the last line of mark `begin` to the first line of mark `end`, these two
 * lines included. Returns 0, or -1 after complaining that a mark is missing. */
int hostlog_slice(struct hostlog *log, uint64_t begin, uint64_t end);

/* Writes the records as the host's CTF trace, one stream per CPU, losses where they happened.
 * Returns 0, or -1 after complaining. */
int hostlog_write(const struct hostlog *log, const char *dir);

#endif
