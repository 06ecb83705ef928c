#include "hostlog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ctf/complain.h"

/* Two tracer runs in one file restart n and cannot be told apart from a loss; within a run, lines
 * of one CPU are out of order by an interrupt's length at most. */
#define DISORDER_NS 1000000000ull

/* Advances past one number and the blanks before it. base 16 takes an optional 0x. */
static int take_number(const char **text, int base, uint64_t max, uint64_t *value)
{
    const char *c = *text;
    char *end;
    while (*c == ' ')
        c++;
    if ((*c < '0' || *c > '9') && (base == 10 || !strchr("abcdefABCDEF", *c) || !*c))
        return -1;
    errno = 0;
    *value = strtoull(c, &end, base);
    if (errno || *value > max || (*end && *end != ' '))
        return -1;
    *text = end;
    return 0;
}

static int parse_record(const char *text, struct host_line *line)
{
    uint64_t cpu, id, vq, flags, pid, seq;
    struct trace_record *r = &line->record;
    if (take_number(&text, 10, HOSTLOG_MAX_CPUS - 1, &cpu) ||
        take_number(&text, 10, UINT64_MAX, &line->n) ||
        take_number(&text, 10, INT64_MAX, &r->time) || take_number(&text, 10, UINT16_MAX, &id) ||
        take_number(&text, 10, UINT8_MAX, &vq) || take_number(&text, 10, UINT8_MAX, &flags) ||
        take_number(&text, 16, UINT64_MAX, &line->dev) ||
        take_number(&text, 10, UINT32_MAX, &pid) || take_number(&text, 10, UINT64_MAX, &seq) ||
        take_number(&text, 10, UINT64_MAX, &r->a) || take_number(&text, 10, UINT64_MAX, &r->b))
        return -1;
    while (*text == ' ')
        text++;
    if (*text)
        return -1;
    line->cpu = (uint32_t)cpu;
    line->pid = (uint32_t)pid;
    r->id = (uint16_t)id;
    r->vq = (uint8_t)vq;
    r->flags = (uint8_t)flags;
    r->seq = (uint32_t)seq; /* an eventfd's count is 64 bits wide; a boot makes fewer than 2^32 */
    return 0;
}

static int append(struct hostlog *log, const struct host_line *line, size_t *room)
{
    if (log->count == *room) {
        size_t more = *room ? 2 * *room : 4096;
        void *lines = realloc(log->lines, more * sizeof *log->lines);
        if (!lines)
            return complain("%s: no memory for %zu records", log->path, more);
        log->lines = lines;
        *room = more;
    }
    log->lines[log->count++] = *line;
    return 0;
}

static int read_lines(struct hostlog *log, FILE *f)
{
    char *text = NULL;
    size_t size = 0, room = 0;
    ssize_t length;
    int bad = 0;
    for (uint64_t number = 1; !bad && (length = getline(&text, &size, f)) > 0; number++) {
        struct host_line line = { 0 };
        unsigned long long lost;
        int whole = text[length - 1] == '\n';
        text[length - whole] = 0;
        if (sscanf(text, "Lost %llu events", &lost) == 1)
            log->reported_lost += lost;
        if (!whole || strncmp(text, "R ", 2))
            log->noise++; /* a last line without its end was still being written */
        else if (strlen(text) != (size_t)length - 1 || parse_record(text + 2, &line))
            bad = complain("%s:%" PRIu64 ": not `R cpu n ns id vq flags dev pid seq a b`: record "
                           "with the probes of this tree",
                           log->path, number);
        else
            bad = append(log, &line, &room);
    }
    free(text);
    if (!bad && ferror(f))
        bad = complain("%s: %s", log->path, strerror(errno));
    return bad;
}

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_cpu_and_n(const void *left, const void *right)
{
    const struct host_line *a = left, *b = right;
    int c = order(a->cpu, b->cpu);
    return c ? c : order(a->n, b->n);
}

static int by_time(const void *left, const void *right)
{
    const struct host_line *a = left, *b = right;
    int c = order(a->record.time, b->record.time);
    return c ? c : by_cpu_and_n(left, right);
}

static int find_gaps(struct hostlog *log)
{
    qsort(log->lines, log->count, sizeof *log->lines, by_cpu_and_n);
    for (size_t i = 1; i < log->count; i++) {
        const struct host_line *before = &log->lines[i - 1];
        struct host_line *line = &log->lines[i];
        if (line->cpu != before->cpu)
            continue;
        if (line->record.time + DISORDER_NS < before->record.time)
            return complain("%s: line %" PRIu64 " of CPU %u is older than line %" PRIu64
                            ": two tracer runs in one log, keep one",
                            log->path, line->n, line->cpu, before->n);
        if (line->n > before->n + 1) {
            line->lost_before = line->n - before->n - 1;
            line->lost_since = before->record.time;
            log->gaps += line->lost_before;
        }
    }
    qsort(log->lines, log->count, sizeof *log->lines, by_time);
    return 0;
}

int hostlog_read(struct hostlog *log, const char *path)
{
    memset(log, 0, sizeof *log);
    log->path = path;
    FILE *f = fopen(path, "r");
    if (!f)
        return complain("%s: %s", path, strerror(errno));
    int bad = read_lines(log, f);
    fclose(f);
    if (!bad && !log->count)
        bad =
            complain("%s: no record in it: did the probes attach? see the tracer's messages", path);
    return bad ? bad : find_gaps(log);
}

void hostlog_free(struct hostlog *log)
{
    free(log->lines);
    log->lines = NULL;
    log->count = 0;
}

/* What a dropped line says about lost lines before it passes on to the next line of its CPU. */
static void pass_on_loss(struct host_line *lines, size_t count, const struct host_line *dropped)
{
    if (!dropped->lost_before)
        return;
    for (const struct host_line *end = lines + count; lines < end; lines++) {
        if (lines->cpu != dropped->cpu)
            continue;
        if (!lines->lost_before)
            lines->lost_since = dropped->lost_since;
        lines->lost_before += dropped->lost_before;
        return;
    }
}

void hostlog_keep_pid(struct hostlog *log, uint32_t pid)
{
    uint64_t *devs = NULL;
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < log->count; i++) {
        const struct host_line *l = &log->lines[i];
        if (l->record.id != TRACE_EV_host_kick || l->pid != pid || (n && devs[n - 1] == l->dev))
            continue;
        uint64_t *more = realloc(devs, (n + 1) * sizeof *devs);
        if (!more)
            abort();
        devs = more;
        devs[n++] = l->dev;
    }
    for (size_t i = 0; i < log->count; i++) {
        struct host_line line = log->lines[i];
        int keep = line.record.id == TRACE_EV_mark || (!line.dev && line.pid == pid);
        for (size_t d = 0; !keep && d < n; d++)
            keep = devs[d] == line.dev;
        if (keep)
            log->lines[kept++] = line;
        else
            pass_on_loss(log->lines + i + 1, log->count - i - 1, &line);
        log->other_devices += !keep;
    }
    log->count = kept;
    free(devs);
}

/* One 16-bit index of one queue, followed through the log. It goes back by a little when the
 * worker gives a descriptor back, hence the signed step. */
struct follower {
    uint64_t dev, value;
    uint8_t vq;
    char known;
};

static uint64_t follow(struct follower *f, uint64_t raw)
{
    uint64_t step = f->known ? (uint64_t)(int64_t)(int16_t)(uint16_t)(raw - f->value) : 0;
    f->value = f->known ? f->value + step : raw;
    f->known = 1;
    return f->value;
}

static struct follower *follower_of(struct follower *table, size_t size, uint64_t dev, uint8_t vq)
{
    size_t i = 0;
    while (i < size && table[i].known && (table[i].dev != dev || table[i].vq != vq))
        i++;
    if (i == size)
        return NULL;
    table[i].dev = dev;
    table[i].vq = vq;
    return &table[i];
}

void hostlog_unwrap(struct hostlog *log)
{
    enum { QUEUES = 64 };
    static const struct follower none;
    struct follower avail[QUEUES], used[QUEUES];
    for (int i = 0; i < QUEUES; i++)
        avail[i] = used[i] = none;
    for (size_t i = 0; i < log->count; i++) {
        struct host_line *l = &log->lines[i];
        struct trace_record *r = &l->record;
        struct follower *a = follower_of(avail, QUEUES, l->dev, r->vq);
        struct follower *u = follower_of(used, QUEUES, l->dev, r->vq);
        int run = r->id == TRACE_EV_run_begin || r->id == TRACE_EV_run_end;
        int notify = r->id == TRACE_EV_notify_off || r->id == TRACE_EV_notify_on;
        if (a && (run || notify || r->id == TRACE_EV_host_kick))
            r->a = follow(a, r->a);
        if (u && run)
            r->b = follow(u, r->b);
        if (u && r->id == TRACE_EV_used)
            r->a = follow(u, r->a);
    }
}

/* Last line of mark `number` if `last`, else the first; NULL if there is none. */
static const struct host_line *find_mark(const struct hostlog *log, uint64_t number, int last)
{
    const struct host_line *found = NULL;
    for (size_t i = 0; i < log->count && (last || !found); i++)
        if (log->lines[i].record.id == TRACE_EV_mark && log->lines[i].record.a == number)
            found = &log->lines[i];
    return found;
}

int hostlog_slice(struct hostlog *log, uint64_t begin, uint64_t end)
{
    const struct host_line *b = find_mark(log, begin, 1), *e = find_mark(log, end, 0);
    if (!b || !e || e < b)
        return complain("%s: no slice from mark %" PRIu64 " (%s) to mark %" PRIu64 " (%s): give "
                        "two marks that the log holds in this order",
                        log->path, begin, b ? "found" : "missing", end, e ? "found" : "missing");
    size_t first = (size_t)(b - log->lines), last = (size_t)(e - log->lines);
    uint64_t from = b->record.time, to = e->record.time;
    /* A gap counts if any part of it can lie inside; the line after it may lie outside. */
    struct host_line *tail = &log->lines[last];
    for (size_t i = last + 1; i < log->count; i++) {
        struct host_line *l = &log->lines[i];
        if (l->lost_before && l->lost_since < to) {
            tail->lost_since = tail->lost_before && tail->lost_since < l->lost_since
                                   ? tail->lost_since
                                   : l->lost_since;
            tail->lost_before += l->lost_before;
        }
    }
    log->outside = log->count - (last - first + 1);
    log->count = last - first + 1;
    memmove(log->lines, &log->lines[first], log->count * sizeof *log->lines);
    for (size_t i = 0; i < log->count; i++)
        if (log->lines[i].lost_before && log->lines[i].lost_since < from)
            log->lines[i].lost_since = from;
    log->lines[0].lost_before = 0;
    return 0;
}
