#include "digest.h"

#include <math.h>

static void *zeroed(size_t n, size_t size)
{
    void *memory = calloc(n, size);
    if (!memory)
        abort();
    return memory;
}

struct digest *digest_new(size_t slowest_max)
{
    struct digest *d = zeroed(1, sizeof *d);
    d->slowest_max = slowest_max ? slowest_max : 1;
    d->slowest = zeroed(d->slowest_max, sizeof *d->slowest);
    d->slowest_ns = zeroed(d->slowest_max, sizeof *d->slowest_ns);
    for (int i = 0; i < 2; i++)
        d->typical[i] = zeroed(DIGEST_SIZES, sizeof *d->typical[i]);
    return d;
}

void digest_free(struct digest *d)
{
    free(d->slowest);
    free(d->slowest_ns);
    free(d->typical[0]);
    free(d->typical[1]);
    free(d);
}

static void spread_add(struct spread *s, double ns)
{
    if (ns >= 0)
        hgrm_record(&s->forward, (uint64_t)(ns + .5));
    else
        hgrm_record(&s->backward, (uint64_t)(-ns + .5));
    s->most = spread_count(s) == 1 ? ns : fmax(s->most, ns);
}

uint64_t spread_count(const struct spread *s)
{
    return s->forward.total + s->backward.total;
}

double spread_percentile(const struct spread *s, double percent)
{
    double n = (double)spread_count(s), rank = ceil(percent / 100 * n), below;
    below = (double)s->backward.total;
    if (!n)
        return 0;
    if (rank < 1)
        rank = 1;
    if (rank <= below) /* the largest size is the least value */
        return -(double)hgrm_percentile(&s->backward, 100 * (below - rank + 1) / below);
    return fmin(
        (double)hgrm_percentile(&s->forward, 100 * (rank - below) / (double)s->forward.total),
        fmax(s->most, 0));
}

static void swap(struct digest *d, size_t a, size_t b)
{
    struct chain chain = d->slowest[a];
    double ns = d->slowest_ns[a];
    d->slowest[a] = d->slowest[b];
    d->slowest_ns[a] = d->slowest_ns[b];
    d->slowest[b] = chain;
    d->slowest_ns[b] = ns;
}

static void sift_down(struct digest *d, size_t n)
{
    for (size_t i = 0, child = 1; child < n; i = child, child = 2 * i + 1) {
        child += child + 1 < n && d->slowest_ns[child + 1] < d->slowest_ns[child];
        if (d->slowest_ns[i] <= d->slowest_ns[child])
            return;
        swap(d, i, child);
    }
}

static void keep_slow(struct digest *d, const struct chain *c, double ns)
{
    size_t i;
    if (d->slowest_count == d->slowest_max) {
        if (ns <= d->slowest_ns[0])
            return;
        d->slowest[0] = *c;
        d->slowest_ns[0] = ns;
        sift_down(d, d->slowest_count);
        return;
    }
    i = d->slowest_count++;
    d->slowest[i] = *c;
    d->slowest_ns[i] = ns;
    for (; i && d->slowest_ns[i] < d->slowest_ns[(i - 1) / 2]; i = (i - 1) / 2)
        swap(d, i, (i - 1) / 2);
}

void digest_sort(struct digest *d)
{
    for (size_t n = d->slowest_count; n > 1; n--) { /* the fastest goes to the end */
        swap(d, 0, n - 1);
        sift_down(d, n - 1);
    }
}

/* 24 classes for each doubling. */
static size_t size_of(double ns)
{
    double at = ns > 1 ? log2(ns) * 24 : 0;
    return at < DIGEST_SIZES - 1 ? (size_t)at : DIGEST_SIZES - 1;
}

static void keep_typical(struct digest *d, const struct chain *c, double ns)
{
    int own = c->class == CHAIN_irq;
    size_t size = size_of(ns);
    if (d->typical_there[own][size])
        return;
    d->typical_there[own][size] = 1;
    d->typical[own][size] = *c;
}

const struct chain *digest_typical(const struct digest *d)
{
    long middle = (long)size_of(spread_percentile(&d->spans[SPAN_kick_to_harvest], 50));
    for (int own = 1; own >= 0; own--)
        for (long away = 0; away < DIGEST_SIZES; away++)
            for (int side = -1; side <= 1; side += 2) {
                long at = middle + side * away;
                if (at >= 0 && at < DIGEST_SIZES && d->typical_there[own][at])
                    return &d->typical[own][at];
            }
    return NULL;
}

static int order_is_open(const struct join *j, const struct chain *c)
{
    int before = -1;
    for (int s = 0; s < STAGE_COUNT; s++) {
        if (!stage_is_told((enum stage)s) || !stage_has(c, (enum stage)s))
            continue;
        if (before >= 0 && stage_unsettled(j, c, (enum stage)before, (enum stage)s))
            return 1;
        before = s;
    }
    return 0;
}

void digest_take(struct digest *d, const struct join *j, const struct chain *c)
{
    double ns;
    for (int s = 0; s < SPAN_COUNT; s++)
        if (span_ns(j, c, (enum span)s, &ns))
            spread_add(&d->spans[s], ns);
    d->unsettled += (uint64_t)order_is_open(j, c);
    if (d->wanted_set && c->link[LINK_kick].seq == d->wanted &&
        (!d->found_there || c->vq == TRACE_VQ_TX)) {
        d->found = *c;
        d->found_there = 1;
    }
    if (!chain_complete(c))
        return;
    d->complete++;
    if (!span_ns(j, c, SPAN_kick_to_harvest, &ns))
        return;
    keep_slow(d, c, ns);
    keep_typical(d, c, ns);
}
