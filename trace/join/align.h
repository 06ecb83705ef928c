/* Two clocks from events that both sides saw: the guest's TSC against the host's nanoseconds.
 *
 * The relation is a line, host = a * tsc + b. An event that bounds it is a point (tsc, host) that
 * the line passes below (the host saw it after the guest did) or above. A kick gives one of each,
 * from the stamps before and after the doorbell, and so a window that the host's probe lies in.
 * All lines between the points form a polygon in (a, b). The middle of it is the estimate, and its
 * corners are the guarantee: the truth cannot be further away than the furthest corner.
 */
#ifndef TRACE_ALIGN_H
#define TRACE_ALIGN_H

#include <stddef.h>
#include <stdint.h>

struct bound_point {
    uint64_t tsc;
    uint64_t host; /* ns */
    uint32_t who;  /* caller's name of the event; both points of a kick have the same */
    uint8_t below; /* the line lies at or above this point; else at or below */
    uint8_t dropped;
};

/* Growing array of points; zero it to begin, free(at) to end. */
struct bound_points {
    struct bound_point *at;
    size_t n, room;
};
void bound_add(struct bound_points *points, uint64_t tsc, uint64_t host, int below, uint32_t who);

/* Adds to `thin` those points that alone hold the line where it is: the rest lies behind them. */
void bounds_thin(struct bound_points *thin, const struct bound_points *points, double hz);

#define ALIGN_MAX_SUSPECTS 16

struct clock {
    int valid;        /* 0: nothing bounds the clocks from both sides; nothing else is set */
    double hz;        /* nominal frequency of the TSC */
    uint64_t tsc0;    /* the line is host0 + (tsc - tsc0) / hz + slope * x + offset, */
    uint64_t host0;   /* x = (tsc - tsc0) / hz in seconds */
    double slope;     /* ns per s: what the nominal rate is wrong by */
    double offset;    /* ns */
    double slope_max; /* ns per s: rates further from nominal were not considered; 0: nominal */
    double widened;   /* ns by which every point had to give way: not 0 = no line fits them all */
    double *corners;  /* owned: slope, offset pairs */
    size_t corner_count;
    uint32_t suspects[ALIGN_MAX_SUSPECTS]; /* events left out because no line fits with them */
    size_t suspect_count;
};

/* Fits a line between the points (marks those it drops). kicks: how many kicks gave points; below
 * two, nothing tells the rate and the nominal one is taken as true. Frees nothing of *clock: zero
 * it first. The caller ends with clock_free. */
void clock_fit(struct clock *clock, struct bound_points *points, double hz, size_t kicks);
void clock_free(struct clock *clock);

/* ns by which the points would have to give way for a line to fit: 0 if one fits as they are.
 * For judging a candidate matching without keeping its clock. */
double clock_misfit(const struct bound_points *points, double hz);

/* Host time of a TSC value, in ns after host0 (may be negative). Needs valid. */
double clock_host_ns(const struct clock *clock, uint64_t tsc);

/* Distance in ns that the estimate and the truth cannot exceed at this TSC. Needs valid. */
double clock_bound_ns(const struct clock *clock, uint64_t tsc);

#endif
