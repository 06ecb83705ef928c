/* What ringjoin writes and prints. */
#ifndef TRACE_EXPORT_H
#define TRACE_EXPORT_H

#include <stdio.h>

#include "stages.h"

/* Writes chains.tsv (at most `chains_max` rows), classes.tsv, join.tsv and align.json into `dir`,
 * which is made if need be. Returns 0, or -1 after complaining. */
int export_all(const struct join *join, const char *dir, size_t chains_max);

/* Whether every record read was given exactly one class; complains about those that were not. */
int export_adds_up(const struct join *join);

/* Writes one chain's lanes for the plotter. Returns 0, or -1 after complaining. Without aligned
 * clocks or without a chain (NULL) there is nothing to draw: says so, writes nothing, 0. */
int export_timeline(const struct join *join, const struct chain *chain, const char *path);

/* One chain, or the summary and the classes, as text for a person. */
void print_chain(FILE *out, const struct join *join, const struct chain *chain);
void print_summary(FILE *out, const struct join *join);

/* Largest distance in us that the aligned clocks can be wrong by in this slice. Needs the clock. */
double export_bound_us(const struct join *join);

/* Calls with name and value of every number of join.tsv; value is empty where not measured. */
void export_numbers(const struct join *join,
                    void (*emit)(void *context, const char *name, const char *value),
                    void *context);

#endif
