#include "reader.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "../ctf/complain.h"
#include "metadata.h"

#define HEADER_BYTES    sizeof(struct trace_packet_header)
#define RECORD_BYTES    sizeof(struct trace_record)
#define GIVE_BACK_BYTES (1u << 20)

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

static uint64_t record_time(const uint8_t *record)
{
    uint64_t time;
    memcpy(&time, record, sizeof time);
    return time;
}

/* The rest of a stream that has a packet that cannot be is not read: nothing tells where the next
 * packet would begin. */
static int bad_packet(struct reader *r, struct stream *s, const char *what, uint64_t value)
{
    if (r->tells)
        complain("%s: offset %zu: damaged packet, %s %" PRIu64 ": cut the trace again", s->path,
                 s->offset, what, value);
    r->damaged++;
    s->offset = s->file.size;
    return -1;
}

static int check_packet(struct reader *r, struct stream *s, const struct trace_packet_header *h)
{
    size_t left = s->file.size - s->offset;
    if (h->magic != TRACE_CTF_MAGIC)
        return bad_packet(r, s, "magic", h->magic);
    if (h->packet_bits % 8 || h->packet_bits / 8 < HEADER_BYTES || h->packet_bits / 8 > left)
        return bad_packet(r, s, "size in bits", h->packet_bits);
    if (h->content_bits > h->packet_bits || h->content_bits < 8 * HEADER_BYTES ||
        h->content_bits % 8 || (h->content_bits / 8 - HEADER_BYTES) % RECORD_BYTES)
        return bad_packet(r, s, "content in bits", h->content_bits);
    return 0;
}

/* Losses that this packet tells of: CTF counts them up to the end of each packet. */
static void note_losses(struct reader *r, struct stream *s, const struct trace_packet_header *h)
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
    if (!lost)
        return;
    r->lost += lost;
    if (r->keep_losses) {
        r->losses.size = sizeof(struct loss);
        *(struct loss *)window_add(&r->losses) =
            (struct loss){ from ? from + (uint64_t)s->skew : 0, h->time_end + (uint64_t)s->skew,
                           lost };
    }
}

/* Stable, and quick on what is nearly in order. */
static void sort_packet(struct stream *s, size_t bytes)
{
    uint8_t *v = realloc(s->sorted, bytes), one[RECORD_BYTES];
    if (!v)
        abort();
    memcpy(v, s->record, bytes);
    for (size_t i = RECORD_BYTES; i < bytes; i += RECORD_BYTES) {
        size_t to = i;
        memcpy(one, v + i, sizeof one);
        while (to && record_time(v + to - RECORD_BYTES) > record_time(one))
            to -= RECORD_BYTES;
        memmove(v + to + RECORD_BYTES, v + to, i - to);
        memcpy(v + to, one, sizeof one);
    }
    s->sorted = v;
    s->record = v;
}

/* A writer makes packets of 126 records; in a longer one the order is taken as it is. */
static void restore_order(struct stream *s)
{
    if (s->left > TRACE_RECORDS_PER_PACKET)
        return;
    for (size_t i = 1; i < s->left; i++) {
        const uint8_t *at = s->record + i * RECORD_BYTES;
        if (record_time(at - RECORD_BYTES) > record_time(at)) {
            sort_packet(s, s->left * RECORD_BYTES);
            return;
        }
    }
}

static void give_back(struct stream *s)
{
    size_t until = s->offset & ~(size_t)(GIVE_BACK_BYTES - 1);
    if (until <= s->given_back)
        return;
    madvise((void *)(s->file.bytes + s->given_back), until - s->given_back, MADV_DONTNEED);
    s->given_back = until;
}

/* Goes to the next packet that has records; at the end the stream has none left. */
static void next_packet(struct reader *r, struct stream *s)
{
    while (!s->left && s->offset < s->file.size) {
        struct trace_packet_header h;
        if (s->file.size - s->offset < HEADER_BYTES) {
            bad_packet(r, s, "truncated: bytes left", s->file.size - s->offset);
            break;
        }
        memcpy(&h, s->file.bytes + s->offset, sizeof h);
        if (check_packet(r, s, &h))
            break;
        note_losses(r, s, &h);
        s->cpu = (uint16_t)h.cpu;
        s->record = s->file.bytes + s->offset + HEADER_BYTES;
        s->left = (h.content_bits / 8 - HEADER_BYTES) / RECORD_BYTES;
        restore_order(s);
        give_back(s);
        s->offset += h.packet_bits / 8;
    }
    s->key = s->left ? record_time(s->record) + (uint64_t)s->skew : UINT64_MAX;
}

/* Whose turn it is, and until when: of two with the same time the first in the directory. */
static void choose(struct reader *r)
{
    r->current = NULL;
    r->turn = UINT64_MAX;
    for (size_t i = 0; i < r->stream_count; i++) {
        struct stream *s = &r->streams[i];
        if (!s->left)
            continue;
        if (!r->current) {
            r->current = s;
        } else if (s->key < r->current->key) {
            r->turn = r->current->key ? r->current->key - 1 : 0;
            r->current = s;
        } else if (s->key < r->turn) {
            r->turn = s->key;
        }
    }
}

int reader_next(struct reader *r, struct event *e)
{
    struct stream *s = r->current;
    struct trace_record rec;
    if (!s)
        return 0;
    memcpy(&rec, s->record, sizeof rec);
    *e = (struct event){ s->key, rec.a, rec.b, rec.seq, rec.id, rec.vq, rec.flags, s->cpu, 0 };
    if (rec.id == TRACE_EV_kick) /* its other stamp is of the same clock */
        e->b += (uint64_t)s->skew;
    r->fresh = 0;
    r->records++;
    r->disordered += s->key < r->last;
    r->last = s->key;
    s->record += RECORD_BYTES;
    if (--s->left)
        s->key = record_time(s->record) + (uint64_t)s->skew;
    else
        next_packet(r, s);
    if (!s->left || s->key > r->turn)
        choose(r);
    return 1;
}

static void start(struct reader *r, int keep_losses)
{
    window_free(&r->losses);
    r->keep_losses = keep_losses;
    r->records = r->lost = r->disordered = r->last = 0;
    r->damaged = 0;
    for (size_t i = 0; i < r->stream_count; i++) {
        struct stream *s = &r->streams[i];
        s->offset = s->given_back = s->left = 0;
        s->packets = s->seq = s->discarded = s->time_end = 0;
        next_packet(r, s);
    }
    choose(r);
}

/* What the first packets had to complain of was said when they were opened. */
void reader_rewind(struct reader *r, int keep_losses)
{
    r->tells = 0;
    start(r, keep_losses);
    r->tells = r->fresh;
}

static int only_streams(const struct dirent *e)
{
    return !strncmp(e->d_name, "stream_", 7);
}

static int open_stream(struct reader *r, const char *name)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", r->dir, name) >= sizeof path)
        return complain("%s: path too long", r->dir);
    struct stream *s = &r->streams[r->stream_count++];
    s->path = strdup(path);
    if (!s->path)
        abort();
    return mapped_open(&s->file, path);
}

int reader_open(struct reader *r, const char *dir, enum trace_side side)
{
    struct dirent **names;
    *r = (struct reader){ .dir = dir, .side = side, .tells = 1, .fresh = 1 };
    if (metadata_read(dir, side, &r->hz))
        return -1;
    int n = scandir(dir, &names, only_streams, alphasort), bad = 0;
    if (n < 0)
        return complain("%s: %s", dir, strerror(errno));
    r->streams = calloc((size_t)n + 1, sizeof *r->streams);
    if (!r->streams)
        abort();
    for (int i = 0; i < n; i++) {
        bad = bad || open_stream(r, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (!bad)
        start(r, 0);
    return bad ? -1 : 0;
}

void reader_close(struct reader *r)
{
    for (size_t i = 0; i < r->stream_count; i++) {
        mapped_close(&r->streams[i].file);
        free(r->streams[i].path);
        free(r->streams[i].sorted);
    }
    free(r->streams);
    window_free(&r->losses);
    *r = (struct reader){ 0 };
}

int64_t reader_skew(const struct reader *r, unsigned cpu)
{
    for (size_t i = 0; i < r->stream_count; i++)
        if (r->streams[i].skew && r->streams[i].cpu == cpu)
            return r->streams[i].skew;
    return 0;
}

int reader_lost_between(const struct reader *r, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < r->losses.n; i++) {
        const struct loss *l = window_at(&r->losses, i);
        if (l->from <= to && l->to >= from)
            return 1;
    }
    return 0;
}

void reader_forget(struct reader *r, uint64_t before)
{
    while (r->losses.n && ((struct loss *)window_at(&r->losses, 0))->to < before)
        window_drop(&r->losses, 1);
}
