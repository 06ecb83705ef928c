/* Builds a clock from points as they come: one piece at a time, cut where no line passes. */
#include <math.h>

#include "clock.h"
#include "hull.h"

/* Rates further than this from nominal are considered only when nothing nearer fits: a guest
 * measures its TSC to a few hundred ppm, under emulation on a busy machine much worse. In ppb. */
static const double slope_limits[CLOCK_SLOPE_LIMITS] = { 1e6, 1e7, 1e8 };

/* This many events that no line passes, amid few that one does, are a bend in the clock; fewer are
 * damaged records or wrong matches. */
#define BEND_VIOLATORS 4
#define FORGIVE_KICKS  64
#define YOUNG_KICKS    16 /* in so young a piece it may be an earlier record that was wrong */
#define HELD_MAX       65536
#define ROOM_POINTS    4096

void clock_begin(struct clock_builder *b, struct clock *c, double hz)
{
    *b = (struct clock_builder){ .clock = c };
    *c = (struct clock){ .hz = hz, .tick = 1e9 / hz };
    b->points.size = b->held.size = sizeof(struct bound_point);
    b->high.size = b->low.size = sizeof(struct hull_point);
    line_any(&b->line, slope_limits[0]);
}

/* Relative to the reference and with the nominal rate taken out: what is left fits a double to far
 * below a nanosecond. */
static void scale(const struct clock *c, const struct bound_point *p, double *x, double *y)
{
    double ns = (double)(int64_t)(p->tsc - c->tsc0) * c->tick;
    *x = ns / 1e9;
    *y = (double)(int64_t)(p->host - c->host0) - ns;
}

/* Lines within a slope limit that pass all points but those of `without`. 0 if there are none. */
static int fit(const struct clock_builder *b, struct line *line, double slope_max,
               const struct window *more, const uint32_t *without)
{
    const struct window *sets[] = { &b->points, more };
    line_any(line, slope_max);
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; sets[s] && i < sets[s]->n; i++) {
            const struct bound_point *p = window_at(sets[s], i);
            double x, y;
            scale(b->clock, p, &x, &y);
            if (without && p->who == *without)
                continue;
            if (line_add(line, x, y, p->below) == LINE_empty)
                return 0;
        }
    return 1;
}

/* Adds a point to the line of the piece; 0 if no line would be left. */
static int add_point(struct clock_builder *b, const struct bound_point *p)
{
    double x, y;
    scale(b->clock, p, &x, &y);
    enum line_verdict v = line_add(&b->line, x, y, p->below);
    if (v == LINE_cut)
        *(struct bound_point *)window_add(&b->points) = *p;
    return v != LINE_empty;
}

static int passes(const struct clock_builder *b, const struct bound_point *p)
{
    double x, y;
    scale(b->clock, p, &x, &y);
    return line_passes(&b->line, x, y, p->below);
}

static void thin_room(struct window *w, int sign)
{
    w->n = hull_keep((struct hull_point *)(w->memory + w->head * w->size), w->n, sign);
}

/* Whatever the clock does, it is inside each bracket, and off between them by the limit of its
 * rate: what that leaves above and below is kept as the hulls of its corners. */
static void note_room(struct clock_builder *b, const struct bound_point *above,
                      const struct bound_point *below)
{
    double x, top, x_below, bottom;
    scale(b->clock, above, &x, &top);
    scale(b->clock, below, &x_below, &bottom);
    double run = b->kicks > 1 ? fabs(x - b->room_x) * CLOCK_BEND_MAX : INFINITY;
    b->gap = b->kicks > 1 ? fmax(b->gap, fabs(x - b->room_x)) : 0;
    b->room_high = fmin(b->room_high + run, top);
    b->room_low = fmax(b->room_low - run, bottom);
    if (b->kicks <= 1) {
        b->room_high = top;
        b->room_low = bottom;
    }
    b->room_x = x;
    *(struct hull_point *)window_add(&b->high) = (struct hull_point){ x, b->room_high, 0 };
    *(struct hull_point *)window_add(&b->low) = (struct hull_point){ x, b->room_low, 0 };
    if (b->high.n >= ROOM_POINTS) {
        thin_room(&b->high, -1);
        thin_room(&b->low, 1);
    }
}

static double sway(struct clock_builder *b, struct corner m)
{
    double most = 0;
    for (size_t i = 0; i < b->high.n; i++) {
        const struct hull_point *h = window_at(&b->high, i), *l = window_at(&b->low, i);
        most = fmax(most, h->y - (m.offset + m.slope * h->x));
        if (i < b->low.n)
            most = fmax(most, m.offset + m.slope * l->x - l->y);
    }
    for (size_t i = b->high.n; i < b->low.n; i++) {
        const struct hull_point *l = window_at(&b->low, i);
        most = fmax(most, m.offset + m.slope * l->x - l->y);
    }
    return most;
}

static void end_piece(struct clock_builder *b)
{
    struct clock *c = b->clock;
    struct clock_piece *p;
    int bounded;
    c->pieces = realloc(c->pieces, (c->piece_count + 1) * sizeof *c->pieces);
    if (!c->pieces)
        abort();
    p = &c->pieces[c->piece_count];
    *p = (struct clock_piece){ .from = b->from,
                               .to = b->to,
                               .line = b->line,
                               .slope_max = slope_limits[b->limit],
                               .kicks = b->kicks,
                               .cut_by = b->cut_by };
    if (b->kicks < 2 &&
        !c->piece_count) { /* nothing tells the rate: the nominal one is the truth */
        struct line nominal = { 0 };
        if (fit(b, &nominal, 0, NULL, NULL)) {
            line_free(&p->line);
            p->line = nominal;
            p->slope_max = 0;
        } else {
            line_free(&nominal);
        }
    }
    p->middle = line_middle(&p->line, &bounded);
    /* Between two kicks a line that bends is off its chord by a quarter of what the rates differ.
     */
    p->sway = sway(b, p->middle) + 2 * CLOCK_BEND_MAX * b->gap / 4;
    if (bounded)
        c->piece_count++;
    else
        line_free(&p->line);
    window_free(&b->points);
    window_free(&b->high);
    window_free(&b->low);
    b->line = (struct line){ 0 };
    line_any(&b->line, slope_limits[0]);
    b->limit = 0;
    b->kicks = 0;
}

static void leave_out(struct clock *c, const struct bound_point *p)
{
    for (size_t i = 0; i < c->suspect_count && i < CLOCK_MAX_SUSPECTS; i++)
        if (c->suspects[i].who == p->who)
            return;
    if (c->suspect_count < CLOCK_MAX_SUSPECTS)
        c->suspects[c->suspect_count] = *p;
    c->suspect_count++;
}

static void take_kick(struct clock_builder *b, const struct bound_point *above,
                      const struct bound_point *below);

/* Both points of a kick, or none: 0 if no line would be left. */
static int add_both(struct clock_builder *b, const struct bound_point *above,
                    const struct bound_point *below)
{
    double x, y, x_below, y_below;
    scale(b->clock, above, &x, &y);
    scale(b->clock, below, &x_below, &y_below);
    if (line_behind(&b->line, x, y, 0) && line_behind(&b->line, x_below, y_below, 1))
        return 1;
    struct line before = line_copy(&b->line);
    size_t points = b->points.n;
    if (add_point(b, above) && add_point(b, below)) {
        line_free(&before);
        return 1;
    }
    line_free(&b->line);
    b->line = before;
    b->points.n = points;
    return 0;
}

static int is_kick(const struct window *w, size_t i)
{
    const struct bound_point *p = window_at(w, i), *q = i + 1 < w->n ? window_at(w, i + 1) : NULL;
    return q && q->who == p->who && !(p->who & 0x40000000u) && p->below != q->below;
}

/* Takes what was held in, leaving out what no line passes. */
static void forgive(struct clock_builder *b)
{
    struct window held = b->held;
    b->held = (struct window){ .size = held.size };
    b->violators = b->held_kicks = 0;
    for (size_t i = 0; i < held.n; i++) {
        const struct bound_point *p = window_at(&held, i);
        if (is_kick(&held, i)) {
            const struct bound_point *q = window_at(&held, ++i);
            if (add_both(b, p, q)) {
                b->kicks++;
                b->to = p->tsc;
                note_room(b, p, q);
            } else {
                leave_out(b->clock, p);
            }
        } else if (!add_point(b, p)) {
            leave_out(b->clock, p);
        }
    }
    window_free(&held);
}

/* Begins a new piece with what was held. */
static void cut(struct clock_builder *b)
{
    struct window held = b->held;
    b->held = (struct window){ .size = held.size };
    b->violators = b->held_kicks = 0;
    end_piece(b);
    b->cut_by = b->first_violator.who;
    for (size_t i = 0; i < held.n; i++) {
        const struct bound_point *p = window_at(&held, i);
        if (is_kick(&held, i)) {
            take_kick(b, p, window_at(&held, i + 1));
            i++;
        } else {
            clock_add(b, p->tsc, p->host, p->below, p->who);
        }
    }
    window_free(&held);
}

/* Whether lines of rates further from nominal pass everything. */
static int consider_more(struct clock_builder *b)
{
    for (int limit = b->limit + 1; limit < CLOCK_SLOPE_LIMITS; limit++) {
        struct line wider = { 0 };
        if (fit(b, &wider, slope_limits[limit], &b->held, NULL)) {
            fit(b, &wider, slope_limits[limit], NULL, NULL);
            line_free(&b->line);
            b->line = wider;
            b->limit = limit;
            forgive(b);
            return 1;
        }
        line_free(&wider);
    }
    return 0;
}

/* Whether leaving out one record of a young piece lets a line pass all the rest. */
static int blame_earlier(struct clock_builder *b)
{
    struct line without = { 0 };
    if (b->kicks >= YOUNG_KICKS)
        return 0;
    for (size_t i = 0; i < b->points.n; i++) {
        struct bound_point suspect = *(struct bound_point *)window_at(&b->points, i);
        size_t kept = 0;
        if (!fit(b, &without, slope_limits[b->limit], &b->held, &suspect.who))
            continue;
        for (size_t k = 0; k < b->points.n; k++) {
            struct bound_point *p = window_at(&b->points, k);
            if (p->who != suspect.who)
                *(struct bound_point *)window_at(&b->points, kept++) = *p;
        }
        b->points.n = kept;
        leave_out(b->clock, &suspect);
        line_free(&b->line);
        fit(b, &without, slope_limits[b->limit], NULL, NULL);
        b->line = without;
        forgive(b);
        return 1;
    }
    line_free(&without);
    return 0;
}

static void settle(struct clock_builder *b, int at_end)
{
    int most = b->violators > 1 && 2 * b->violators > b->held_kicks;
    int bend = b->violators >= BEND_VIOLATORS || (at_end && most);
    int over = at_end || b->held_kicks >= FORGIVE_KICKS || b->held.n >= HELD_MAX;
    if (!b->violators || (!bend && !over) || ((bend || at_end) && consider_more(b)))
        return;
    if (bend && blame_earlier(b))
        return;
    if (bend && b->kicks && b->clock->piece_count < CLOCK_MAX_PIECES)
        cut(b);
    else
        forgive(b);
}

static void hold(struct clock_builder *b, const struct bound_point *p, int violates)
{
    if (violates && !b->violators++)
        b->first_violator = *p;
    *(struct bound_point *)window_add(&b->held) = *p;
}

static void refer_to(struct clock *c, uint64_t tsc, uint64_t host)
{
    if (!c->tsc0 && !c->host0) {
        c->tsc0 = tsc;
        c->host0 = host;
    }
}

void clock_add(struct clock_builder *b, uint64_t tsc, uint64_t host, int below, uint32_t who)
{
    struct bound_point p = { tsc, host, who, !!below };
    refer_to(b->clock, tsc, host);
    if (b->violators) {
        hold(b, &p, 0);
        settle(b, 0);
    } else if (!add_point(b, &p)) {
        hold(b, &p, 1);
    }
}

static void take_kick(struct clock_builder *b, const struct bound_point *above,
                      const struct bound_point *below)
{
    if (!b->violators && add_both(b, above, below)) {
        b->from = b->kicks++ ? b->from : above->tsc;
        b->to = above->tsc;
        note_room(b, above, below);
        return;
    }
    b->held_kicks++;
    hold(b, above, !passes(b, above) || !passes(b, below));
    hold(b, below, 0);
    settle(b, 0);
}

void clock_add_kick(struct clock_builder *b, uint64_t before, uint64_t after, uint64_t host,
                    uint32_t who)
{
    struct bound_point above = { before, host, who, 0 }, below = { after, host, who, 1 };
    refer_to(b->clock, after, host);
    take_kick(b, &above, &below);
}

void clock_end(struct clock_builder *b)
{
    /* A cut may leave a new piece with an open question of its own. */
    for (int i = 0; b->violators && i < CLOCK_MAX_PIECES; i++)
        settle(b, 1);
    end_piece(b);
    b->clock->valid = b->clock->piece_count > 0;
    b->clock->bent = b->clock->piece_count > 1;
    line_free(&b->line);
    window_free(&b->held);
}
