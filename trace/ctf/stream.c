#include "stream.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complain.h"

/* Streams of an earlier trace would be read as part of the new one. */
static int empty_dir(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d)
        return complain("%s: %s", dir, strerror(errno));
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (strncmp(e->d_name, "stream_", 7) && strcmp(e->d_name, "metadata"))
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0)) {
            int error = errno;
            closedir(d);
            return complain("%s/%s: %s", dir, e->d_name, strerror(error));
        }
    }
    closedir(d);
    return 0;
}

int ctf_dir_create(const char *dir, enum trace_side side, uint64_t tsc_hz, unsigned cpus)
{
    if (mkdir(dir, 0777) && errno != EEXIST)
        return complain("%s: %s", dir, strerror(errno));
    if (empty_dir(dir))
        return -1;
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/metadata", dir) >= sizeof path)
        return complain("%s: path too long", dir);
    FILE *f = fopen(path, "w");
    if (!f)
        return complain("%s: %s", path, strerror(errno));
    int bad = tsdl_write(f, side, tsc_hz, cpus);
    if (fclose(f) || bad)
        return complain("%s: %s", path, strerror(errno));
    return 0;
}

int ctf_stream_open(struct ctf_stream *s, const char *dir, unsigned cpu)
{
    memset(s, 0, sizeof *s);
    if ((size_t)snprintf(s->path, sizeof s->path, "%s/stream_%u", dir, cpu) >= sizeof s->path)
        return complain("%s: path too long", dir);
    s->packet.header.cpu = cpu;
    s->file = fopen(s->path, "w");
    return s->file ? 0 : complain("%s: %s", s->path, strerror(errno));
}

static int write_packet(struct ctf_stream *s, uint64_t begin, uint64_t end, size_t bytes)
{
    struct trace_packet_header *h = &s->packet.header;
    h->magic = TRACE_CTF_MAGIC;
    h->time_begin = begin;
    h->time_end = end;
    h->content_bits = 8 * (sizeof *h + s->used * sizeof(struct trace_record));
    h->packet_bits = 8 * bytes;
    h->packet_seq = s->packets++;
    h->discarded = s->discarded;
    memset(&s->packet.records[s->used], 0,
           (TRACE_RECORDS_PER_PACKET - s->used) * sizeof(struct trace_record));
    s->used = 0;
    if (fwrite(&s->packet, bytes, 1, s->file) != 1)
        return complain("%s: %s", s->path, strerror(errno));
    return 0;
}

static int flush_records(struct ctf_stream *s)
{
    if (!s->used)
        return 0;
    return write_packet(s, s->packet.records[0].time, s->last_time, TRACE_PACKET_BYTES);
}

int ctf_stream_put(struct ctf_stream *s, const struct trace_record *record)
{
    if (s->used == TRACE_RECORDS_PER_PACKET && flush_records(s))
        return -1;
    s->packet.records[s->used++] = *record;
    s->last_time = record->time;
    s->records++;
    return 0;
}

int ctf_stream_gap(struct ctf_stream *s, uint64_t lost, uint64_t since, uint64_t until)
{
    if (!lost)
        return 0;
    if (flush_records(s))
        return -1;
    if (!s->packets && !since)
        since = until;
    if (since < s->last_time)
        since = s->last_time;
    if (until < since)
        until = since;
    /* CTF counts from one packet to the next: without this first one with a zero count, a reader
     * could not tell a loss before the first record. */
    if (!s->packets && write_packet(s, since, since, sizeof(struct trace_packet_header)))
        return -1;
    s->discarded += lost;
    int bad = write_packet(s, since, until, sizeof(struct trace_packet_header));
    s->last_time = until;
    return bad;
}

int ctf_stream_packet(struct ctf_stream *s, const struct trace_packet *packet)
{
    if (fwrite(packet, sizeof *packet, 1, s->file) != 1)
        return complain("%s: %s", s->path, strerror(errno));
    s->packets = packet->header.packet_seq + 1;
    s->last_time = packet->header.time_end;
    s->discarded = packet->header.discarded;
    s->records +=
        (packet->header.content_bits / 8 - sizeof packet->header) / sizeof(struct trace_record);
    return 0;
}

int ctf_stream_close(struct ctf_stream *s)
{
    int bad = flush_records(s);
    if (fclose(s->file))
        bad = complain("%s: %s", s->path, strerror(errno));
    s->file = NULL;
    if (!bad && !s->packets && unlink(s->path))
        bad = complain("%s: %s", s->path, strerror(errno));
    return bad;
}
