/* Result files of one run, and its summary for people. */
#ifndef RINGSCOPE_LOADGEN_REPORT_H
#define RINGSCOPE_LOADGEN_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "options.h"
#include "run.h"

/* Writes loadgen.tsv and the histograms that the role measures into the directory, which is made
 * if its parent exists. Each file is written aside and renamed, loadgen.tsv last. On failure one
 * line went to `err`, and no file is left half written. */
bool report_write(const char *directory, const struct options *o, const struct run_result *result,
                  FILE *err);

/* One line. */
void report_summary(FILE *out, const struct options *o, const struct run_result *result);

#endif
