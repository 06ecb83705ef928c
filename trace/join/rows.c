/* chains.tsv: one row a kick. Numbers are written by hand, for there are thirty in each row. */
#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ctf/complain.h"
#include "export.h"

#define ROW_BYTES 1024 /* 30 numbers of at most 20 digits, and names */

static char *put_text(char *to, const char *text)
{
    size_t n = strlen(text);
    memcpy(to, text, n);
    return to + n;
}

static char *put_number(char *to, uint64_t value)
{
    char digits[20];
    size_t n = sizeof digits;
    do
        digits[--n] = (char)('0' + value % 10);
    while (value /= 10);
    memcpy(to, digits + n, sizeof digits - n);
    return to + sizeof digits - n;
}

static char *put_column(char *to, int there, uint64_t value)
{
    *to++ = '\t';
    return there ? put_number(to, value) : to;
}

static char *put_signed(char *to, int there, double value)
{
    *to++ = '\t';
    if (!there)
        return to;
    long long n = llround(value);
    if (n < 0)
        *to++ = '-';
    return put_number(to, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

static char *put_raw(char *to, const struct join *j, const struct chain *c, enum stage stage)
{
    uint64_t time = 0;
    int there = stage_raw(j, c, stage, &time);
    return put_column(to, there, time);
}

/* The stages that the clocks do not put after the one before, by name. */
static char *put_unsettled(char *to, const struct join *j, const struct chain *c)
{
    int before = -1, any = 0;
    *to++ = '\t';
    for (int s = 0; s < STAGE_COUNT; s++) {
        if (!stage_is_told((enum stage)s) || !stage_has(c, (enum stage)s))
            continue;
        if (before >= 0 && stage_unsettled(j, c, (enum stage)before, (enum stage)s)) {
            if (any++)
                *to++ = ',';
            to = put_text(to, stage_name((enum stage)s));
        }
        before = s;
    }
    return to;
}

static size_t put_row(char *row, const struct join *j, const struct chain *c)
{
    const struct event *kick = &c->link[LINK_kick], *host = chain_event(c, LINK_host_kick),
                       *begin = chain_event(c, LINK_run_begin), *end = chain_event(c, LINK_run_end),
                       *used = chain_event(c, LINK_used);
    char *to = put_number(row, kick->seq);
    *to++ = '\t';
    to = put_text(to, queue_name(c->vq));
    to = put_column(to, 1, kick->a);
    *to++ = '\t';
    to = put_text(to, chain_class_name(c->class));
    to = put_raw(to, j, c, STAGE_publish);
    to = put_raw(to, j, c, STAGE_kick_before);
    to = put_raw(to, j, c, STAGE_kick_after);
    to = put_raw(to, j, c, STAGE_host_kick);
    to = put_column(to, host != NULL, host ? host->seq : 0);
    to = put_column(to, host != NULL, host && host->flags & TRACE_F_MERGED);
    to = put_raw(to, j, c, STAGE_run_begin);
    to = put_raw(to, j, c, STAGE_run_end);
    to = put_column(to, begin != NULL, begin ? begin->a : 0);
    to = put_column(to, end != NULL, end ? end->a : 0);
    to = put_raw(to, j, c, STAGE_used);
    to = put_column(to, used != NULL, used ? used->a : 0);
    to = put_column(to, used != NULL, used && used->flags & TRACE_F_SIGNALLED);
    to = put_raw(to, j, c, STAGE_call_read);
    to = put_raw(to, j, c, STAGE_irq);
    to = put_raw(to, j, c, STAGE_harvest);
    for (int s = 0; s < STAGE_COUNT; s++) {
        double ns = 0;
        int there = j->clock.valid && stage_ns(j, c, (enum stage)s, &ns);
        to = put_signed(to, there, ns);
    }
    to = put_unsettled(to, j, c);
    *to++ = '\n';
    return (size_t)(to - row);
}

static void put_head(FILE *f)
{
    fputs("kick\tqueue\tavail_idx\tclass\tpublish_tsc\tkick_before_tsc\tkick_after_tsc\t"
          "host_kick_ns\thost_count\tmerged\trun_begin_ns\trun_end_ns\trun_avail_begin\t"
          "run_avail_end\tused_ns\tused_idx\tsignalled\tcall_read_ns\tirq_tsc\tharvest_tsc",
          f);
    for (int s = 0; s < STAGE_COUNT; s++)
        fprintf(f, "\tt_%s_ns", stage_name((enum stage)s));
    fputs("\tunsettled\n", f);
}

int rows_begin(struct rows *r, const char *dir, uint64_t max)
{
    *r = (struct rows){ .max = max, .late.size = sizeof(struct late_row) };
    if (mkdir(dir, 0777) && errno != EEXIST)
        return complain("%s: %s", dir, strerror(errno));
    r->file = export_open(dir, "chains.tsv", r->path, sizeof r->path);
    if (!r->file)
        return -1;
    put_head(r->file);
    return 0;
}

void rows_take(struct rows *r, const struct join *j, const struct chain *c)
{
    char row[ROW_BYTES];
    if (c->number >= r->max)
        return;
    size_t bytes = put_row(row, j, c);
    if (c->number >= r->next) {
        fwrite(row, bytes, 1, r->file);
        r->next = c->number + 1;
        return;
    }
    struct late_row *late = window_add(&r->late);
    *late = (struct late_row){ c->number, malloc(bytes + 1) };
    if (!late->text)
        abort();
    memcpy(late->text, row, bytes);
    late->text[bytes] = 0;
}

static int by_number(const void *left, const void *right)
{
    const struct late_row *a = left, *b = right;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Copies the rows from one file to the other, the late ones where their numbers put them. */
static void merge_late(const struct rows *r, FILE *from, FILE *to)
{
    char *line = NULL;
    size_t room = 0, late = 0;
    ssize_t bytes;
    uint64_t number = 0;
    if ((bytes = getline(&line, &room, from)) > 0)
        fwrite(line, (size_t)bytes, 1, to);
    while ((bytes = getline(&line, &room, from)) > 0) {
        for (; late < r->late.n; late++, number++) {
            const struct late_row *l = window_at(&r->late, late);
            if (l->number != number)
                break;
            fputs(l->text, to);
        }
        fwrite(line, (size_t)bytes, 1, to);
        number++;
    }
    for (; late < r->late.n; late++)
        fputs(((struct late_row *)window_at(&r->late, late))->text, to);
    free(line);
}

static int put_late_in(const struct rows *r)
{
    char path[4100];
    snprintf(path, sizeof path, "%s+", r->path);
    FILE *from = fopen(r->path, "r"), *to = fopen(path, "w");
    if (!from || !to) {
        if (from)
            fclose(from);
        if (to)
            fclose(to);
        return complain("%s: %s", path, strerror(errno));
    }
    qsort(window_at(&r->late, 0), r->late.n, sizeof(struct late_row), by_number);
    merge_late(r, from, to);
    fclose(from);
    if (export_close(to, path))
        return -1;
    return rename(path, r->path) ? complain("%s: %s", r->path, strerror(errno)) : 0;
}

int rows_end(struct rows *r)
{
    int bad = r->file ? export_close(r->file, r->path) : 0;
    if (!bad && r->late.n)
        bad = put_late_in(r);
    for (size_t i = 0; i < r->late.n; i++)
        free(((struct late_row *)window_at(&r->late, i))->text);
    window_free(&r->late);
    return bad;
}
