/* What ringjoin writes and prints. */
#ifndef TRACE_EXPORT_H
#define TRACE_EXPORT_H

#include <stdio.h>

#include "digest.h"

/* chains.tsv, row by row while the chains go by. */
struct rows {
    FILE *file;
    char path[4096];
    uint64_t max, next; /* rows wanted; number of the next one in order */
    struct window late; /* struct late_row: that came after later ones, and where they belong */
};
struct late_row {
    uint64_t number;
    char *text; /* owned */
};

/* Opens dir/chains.tsv; the directory is made if need be. 0, or -1 after complaining. */
int rows_begin(struct rows *rows, const char *dir, uint64_t max);
void rows_take(struct rows *rows, const struct join *join, const struct chain *chain);
/* Puts the late rows in their places and closes. 0, or -1 after complaining; frees either way. */
int rows_end(struct rows *rows);

/* Writes classes.tsv, join.tsv, align.json and a stages/NAME.hgrm each into `dir`, which is there.
 * Returns 0, or -1 after complaining. */
int export_all(const struct join *join, const struct digest *digest, const char *dir);

/* Whether every record read was given exactly one class; says of which side that does not hold. */
int export_adds_up(const struct join *join);

/* Writes one chain's lanes for the plotter. Returns 0, or -1 after complaining. Without aligned
 * clocks or without a chain (NULL) there is nothing to draw: says so, writes nothing, 0. */
int export_timeline(const struct join *join, const struct chain *chain, const char *path);

/* One chain, or the stalls, the summary and the classes, as text for a person. */
void print_chain(FILE *out, const struct join *join, const struct chain *chain);
void print_summary(FILE *out, const struct join *join, const struct digest *digest);

/* Largest distance in us that the aligned clocks can be wrong by in this slice. Needs the clock. */
double export_bound_us(const struct join *join);

/* Calls with name and value of every number of join.tsv; value is empty where not measured. */
void export_numbers(const struct join *join, const struct digest *digest,
                    void (*emit)(void *context, const char *name, const char *value),
                    void *context);

/* Opens dir/name for writing, its path in `path`; closes and checks. NULL or -1 after complaining.
 */
FILE *export_open(const char *dir, const char *name, char *path, size_t size);
int export_close(FILE *file, const char *path);

#endif
