/* All straight lines host = a * tsc + b that pass between points, as a polygon of slopes and
 * offsets.
 *
 * A point that the line must pass below or above cuts a half plane off the polygon: what is left is
 * what the convex hulls of both sets of points leave, kept as its corners. Most points cut nothing
 * off, which is told in a few multiplications; memory is that of the corners.
 */
#ifndef TRACE_LINE_H
#define TRACE_LINE_H

#include <stddef.h>

#define LINE_OFFSET_MAX 1e12 /* ns: offsets further from the reference are not considered */

struct corner {
    double slope;  /* ns per s that the nominal rate is wrong by */
    double offset; /* ns */
};

struct line {
    struct corner *corners; /* owned; in order around the polygon */
    size_t n, room;
};

/* Every line with |slope| <= slope_max (ns per s; at least a hair, so that there is a polygon). */
void line_any(struct line *line, double slope_max);
void line_free(struct line *line);

enum line_verdict {
    LINE_behind, /* every line passes the point already */
    LINE_cut,    /* some lines were cut off */
    LINE_empty,  /* no line passes: nothing was changed */
};

/* Demands that at x (s) the line lies at or above (below != 0) or at or below y (ns). */
enum line_verdict line_add(struct line *line, double x, double y, int below);

/* Whether every line passes the point already. */
int line_behind(const struct line *line, double x, double y, int below);

struct line line_copy(const struct line *line);

/* Whether some line passes the point as it is; changes nothing. */
int line_passes(const struct line *line, double x, double y, int below);

/* The line in the middle of the slopes and then of the offsets; *bounded: whether points bound it
 * from both sides. */
struct corner line_middle(const struct line *line, int *bounded);

/* How far any of the lines is from `from` at x, in ns. */
double line_spread(const struct line *line, struct corner from, double x);

#endif
