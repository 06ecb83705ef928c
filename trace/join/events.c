#include "events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ctf/complain.h"

#define HEADER_BYTES sizeof(struct trace_packet_header)
#define RECORD_BYTES sizeof(struct trace_record)

const char *event_name(uint16_t id)
{
    switch (id) {
#define GUEST_EVENT(id, name, class, seq, a, b, text)                                              \
    case id:                                                                                       \
        return #name;
#define HOST_EVENT GUEST_EVENT
#include "../events.def"
    default:
        return "?";
    }
}

/* A file mapped for reading; an empty file has no bytes and no map. */
struct file {
    const char *path;
    const uint8_t *bytes;
    size_t size;
};

static int file_open(struct file *f, const char *path)
{
    struct stat st;
    *f = (struct file){ .path = path };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain("%s: %s", path, strerror(errno));
    int bad = fstat(fd, &st) ? complain("%s: %s", path, strerror(errno)) : 0;
    if (!bad && !S_ISREG(st.st_mode))
        bad = complain("%s: not a regular file", path);
    if (!bad && st.st_size) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            bad = complain("%s: mmap: %s", path, strerror(errno));
        } else {
            f->bytes = map;
            f->size = (size_t)st.st_size;
        }
    }
    close(fd);
    return bad;
}

static void file_close(struct file *f)
{
    if (f->bytes)
        munmap((void *)f->bytes, f->size);
}

/* Value after `key` in metadata that tsdl.c wrote, or NULL. */
static const char *after(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    return found ? found + strlen(key) : NULL;
}

static int check_metadata(struct trace *t, const char *path, const char *text)
{
    char domain[64];
    snprintf(domain, sizeof domain, "domain = \"%s\"", trace_side_name(t->side));
    if (strncmp(text, "/* CTF 1.8 */", 13))
        return complain("%s: offset 0: does not begin with /* CTF 1.8 */: not a trace of ours",
                        path);
    if (!strstr(text, "tracer_name = \"" TSDL_TRACER "\"") || !strstr(text, domain))
        return complain("%s: not the %s trace of " TSDL_TRACER ": give the directory that %s wrote",
                        path, trace_side_name(t->side),
                        t->side == TRACE_SIDE_GUEST ? "ringsnap" : "hostlog2ctf");
    const char *freq = after(text, "freq = ");
    t->hz = freq ? strtoull(freq, NULL, 10) : 0;
    if (!t->hz)
        return complain("%s: no clock frequency: cut the trace again", path);
    return 0;
}

static int read_metadata(struct trace *t)
{
    char path[4096];
    struct file f;
    if ((size_t)snprintf(path, sizeof path, "%s/metadata", t->dir) >= sizeof path)
        return complain("%s: path too long", t->dir);
    if (file_open(&f, path))
        return -1;
    char *text = calloc(1, f.size + 1);
    if (!text)
        abort();
    if (f.size)
        memcpy(text, f.bytes, f.size);
    int bad = check_metadata(t, path, text);
    free(text);
    file_close(&f);
    return bad;
}

/* What the packets of one stream have told so far. */
struct stream {
    uint64_t packets, seq, discarded, time_end;
};

static int add_loss(struct trace *t, uint64_t from, uint64_t to, uint64_t count)
{
    void *more = realloc(t->losses, (t->loss_count + 1) * sizeof *t->losses);
    if (!more)
        abort();
    t->losses = more;
    t->losses[t->loss_count++] = (struct loss){ from, to, count };
    t->lost += count;
    return 0;
}

static int bad_packet(const struct file *f, size_t offset, const char *what, uint64_t value)
{
    return complain("%s: offset %zu: damaged packet, %s %" PRIu64 ": cut the trace again", f->path,
                    offset, what, value);
}

static int check_packet(const struct file *f, size_t offset, const struct trace_packet_header *h)
{
    size_t left = f->size - offset;
    if (h->magic != TRACE_CTF_MAGIC)
        return bad_packet(f, offset, "magic", h->magic);
    if (h->packet_bits % 8 || h->packet_bits / 8 < HEADER_BYTES || h->packet_bits / 8 > left)
        return bad_packet(f, offset, "size in bits", h->packet_bits);
    if (h->content_bits > h->packet_bits || h->content_bits < 8 * HEADER_BYTES ||
        (h->content_bits / 8 - HEADER_BYTES) % RECORD_BYTES || h->content_bits % 8)
        return bad_packet(f, offset, "content in bits", h->content_bits);
    return 0;
}

/* Losses that this packet tells of: CTF counts them up to the end of each packet. */
static int note_losses(struct trace *t, struct stream *s, const struct trace_packet_header *h)
{
    uint64_t lost = 0, from = s->packets ? s->time_end : 0;
    if (s->packets && h->packet_seq > s->seq + 1)
        lost = (h->packet_seq - s->seq - 1) * TRACE_RECORDS_PER_PACKET;
    if (s->packets || !h->packet_seq)
        lost += h->discarded > s->discarded ? h->discarded - s->discarded : 0;
    s->packets++;
    s->seq = h->packet_seq;
    s->discarded = h->discarded;
    s->time_end = h->time_end;
    return lost ? add_loss(t, from, h->time_end, lost) : 0;
}

static int read_packets(struct trace *t, const struct file *f, size_t *room)
{
    struct stream s = { 0 };
    for (size_t offset = 0; offset < f->size;) {
        struct trace_packet_header h;
        if (f->size - offset < HEADER_BYTES)
            return bad_packet(f, offset, "truncated: bytes left", f->size - offset);
        memcpy(&h, f->bytes + offset, sizeof h);
        if (check_packet(f, offset, &h) || note_losses(t, &s, &h))
            return -1;
        size_t n = (h.content_bits / 8 - HEADER_BYTES) / RECORD_BYTES;
        if (t->count + n > *room) {
            *room = 2 * (t->count + n) + 1024;
            t->events = realloc(t->events, *room * sizeof *t->events);
            if (!t->events)
                abort();
        }
        const uint8_t *at = f->bytes + offset + HEADER_BYTES;
        for (size_t i = 0; i < n; i++, at += RECORD_BYTES) {
            struct trace_record r;
            memcpy(&r, at, sizeof r);
            t->events[t->count++] =
                (struct event){ r.time, r.a, r.b, r.seq, r.id, r.vq, r.flags, 0 };
        }
        offset += h.packet_bits / 8;
    }
    return 0;
}

/* Natural merge sort, stable: the input is a few long ascending runs, one per stream. */
static void sort_events(struct event *v, size_t n)
{
    struct event *from = v, *spare = malloc((n + 1) * sizeof *v), *to = spare;
    size_t runs = n ? 2 : 0;
    if (!spare)
        abort();
    while (runs > 1) {
        runs = 0;
        for (size_t begin = 0; begin < n; runs++) {
            size_t i = begin + 1;
            while (i < n && from[i - 1].time <= from[i].time)
                i++;
            size_t middle = i, left = begin, right = middle, end = middle + (middle < n);
            while (end < n && from[end - 1].time <= from[end].time)
                end++;
            for (i = begin; i < end; i++)
                to[i] = left < middle && (right == end || from[left].time <= from[right].time)
                            ? from[left++]
                            : from[right++];
            begin = end;
        }
        struct event *swap = from;
        from = to;
        to = swap;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
    free(spare);
}

static int only_streams(const struct dirent *e)
{
    return !strncmp(e->d_name, "stream_", 7);
}

int trace_read(struct trace *t, const char *dir, enum trace_side side)
{
    memset(t, 0, sizeof *t);
    t->dir = dir;
    t->side = side;
    if (read_metadata(t))
        return -1;
    struct dirent **names;
    size_t room = 0;
    int n = scandir(dir, &names, only_streams, alphasort), bad = 0;
    if (n < 0)
        return complain("%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct file f;
        if (!bad &&
            (size_t)snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name) >= sizeof path)
            bad = complain("%s: path too long", dir);
        if (!bad)
            bad = file_open(&f, path);
        if (!bad) {
            bad = read_packets(t, &f, &room);
            file_close(&f);
        }
        free(names[i]);
    }
    free(names);
    if (!bad)
        sort_events(t->events, t->count);
    return bad;
}

void trace_free(struct trace *t)
{
    free(t->events);
    free(t->losses);
    t->events = NULL;
    t->losses = NULL;
}

int trace_lost_between(const struct trace *t, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < t->loss_count; i++)
        if (t->losses[i].from <= to && t->losses[i].to >= from)
            return 1;
    return 0;
}
