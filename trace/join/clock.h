/* Two clocks from events that both sides saw: the guest's TSC against the host's nanoseconds.
 *
 * The relation is a line, host = a * tsc + b. An event that bounds it is a point (tsc, host) that
 * the line passes below (the host saw it after the guest did) or above. A kick gives one of each,
 * from the stamps before and after the doorbell: a window that the host's probe lies in. The middle
 * of all lines between the points is the estimate, the furthest of them the guarantee.
 *
 * Where no one line passes, it is a record that contradicts the rest, which is left out and named,
 * or the clocks changed their rates: then the relation is cut there, and each piece has its line.
 */
#ifndef TRACE_CLOCK_H
#define TRACE_CLOCK_H

#include "line.h"
#include "window.h"

struct bound_point {
    uint64_t tsc;
    uint64_t host; /* ns */
    uint32_t who;  /* CLOCK_WHO of the guest's event; both points of a kick have the same */
    uint8_t below; /* the line lies at or above this point; else at or below */
};

/* An event's name in a clock: a kick by queue and ordinal, anything else by its queue alone. */
#define CLOCK_WHO(vq, seq) ((uint32_t)((vq)&1u) << 31 | ((seq)&0x3fffffffu))
#define CLOCK_WHO_RING(vq) ((uint32_t)((vq)&1u) << 31 | 0x40000000u)
#define CLOCK_MAX_SUSPECTS 16
#define CLOCK_MAX_PIECES   256
#define CLOCK_BEND_MAX     1e7 /* ns per s: no clock runs off faster where it bends */
#define CLOCK_SLOPE_LIMITS 3   /* see clock.c */

struct clock_piece {
    uint64_t from, to; /* TSC of its first and last kick */
    struct line line;  /* owned; all lines that fit */
    struct corner middle;
    double slope_max; /* ns per s: rates further from nominal were not considered; 0: nominal */
    double sway;      /* ns that the estimate can be off by if the clock bent inside the piece */
    size_t kicks;
    uint32_t cut_by; /* the event that no line of the piece before passes; 0 for the first */
};

struct clock {
    int valid;     /* 0: nothing bounds the clocks from both sides; nothing else is set */
    double hz;     /* nominal frequency of the TSC */
    double tick;   /* ns of a cycle of it */
    uint64_t tsc0; /* host = host0 + x * 1e9 + slope * x + offset, x = (tsc - tsc0) / hz in s */
    uint64_t host0;
    int bent; /* the clocks are not straight: this one was cut, or another CPU's was */
    struct clock_piece *pieces; /* owned; in order of time */
    size_t piece_count;
    struct bound_point
        suspects[CLOCK_MAX_SUSPECTS]; /* left out: no line passes them and the rest */
    size_t suspect_count;
};
void clock_free(struct clock *clock);

/* Host time of a TSC value, in ns after host0 (may be negative). Needs valid. */
double clock_host_ns(const struct clock *clock, uint64_t tsc);

/* TSC value of ns after host0, by the piece that it falls in. Needs valid. */
uint64_t clock_tsc(const struct clock *clock, double ns);

/* Distance in ns that the estimate and the truth cannot exceed at this TSC. Needs valid. */
double clock_bound_ns(const struct clock *clock, uint64_t tsc);

/* The same for the least and the most of a stretch. */
double clock_bound_most_ns(const struct clock *clock, uint64_t from, uint64_t to);

struct clock_piece *clock_piece_at(const struct clock *clock, uint64_t tsc);

/* Makes a clock of points that come roughly in the order of time. Memory stays small. */
struct clock_builder {
    struct clock *clock;
    struct window points; /* struct bound_point that the current piece's line rests on */
    struct window held;   /* points since the first that no line passes, until it is settled why */
    struct line line;
    int limit; /* index of the slope limit in force */
    size_t kicks, held_kicks, violators;
    struct bound_point first_violator;
    uint32_t cut_by;
    uint64_t from, to;
    struct window high, low; /* struct corner: where brackets and the rate's limit leave room */
    double room_x, room_high, room_low, gap; /* gap: s, the longest between two kicks */
};
void clock_begin(struct clock_builder *builder, struct clock *clock, double hz);
/* One point, or the two of a kick. */
void clock_add(struct clock_builder *builder, uint64_t tsc, uint64_t host, int below, uint32_t who);
void clock_add_kick(struct clock_builder *builder, uint64_t before, uint64_t after, uint64_t host,
                    uint32_t who);
/* Ends the last piece; frees the builder's own memory. */
void clock_end(struct clock_builder *builder);

#endif
