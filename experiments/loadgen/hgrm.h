/* Log-linear histogram of nanoseconds, with the bucket layout and the text format of HdrHistogram
 * at 3 significant digits. Recording touches one counter and never allocates. */
#ifndef RINGSCOPE_LOADGEN_HGRM_H
#define RINGSCOPE_LOADGEN_HGRM_H

#include <stdint.h>
#include <stdio.h>

#define HGRM_HIGHEST_NS       60000000000ull
#define HGRM_SUB_BUCKETS      2048u
#define HGRM_SUB_BUCKETS_HALF 1024u
#define HGRM_BUCKETS          26u
#define HGRM_SLOTS            ((HGRM_BUCKETS + 1) * HGRM_SUB_BUCKETS_HALF)

struct hgrm {
    uint64_t count[HGRM_SLOTS];
    uint64_t total;
    uint64_t max_ns;  /* exact, not rounded to a bucket */
    uint64_t clamped; /* values above HGRM_HIGHEST_NS, recorded as HGRM_HIGHEST_NS */
};

/* An all-zero struct hgrm is an empty histogram. */
void hgrm_record(struct hgrm *h, uint64_t ns);

/* The largest value that shares a bucket with the value at `percent` (0 to 100) of all records: at
 * most one unit of the third significant digit above the exact one. 0 if empty. */
uint64_t hgrm_percentile(const struct hgrm *h, double percent);

/* Both from bucket midpoints, in ns; 0 if empty. */
double hgrm_mean(const struct hgrm *h);
double hgrm_stddev(const struct hgrm *h);

/* Writes the percentile table in microseconds, 5 ticks per half distance to 100 %. Write errors are
 * left in the stream for the caller's ferror/fclose. */
void hgrm_write(const struct hgrm *h, FILE *out);

#endif
