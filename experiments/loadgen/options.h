/* The command line of loadgen. */
#ifndef RINGSCOPE_LOADGEN_OPTIONS_H
#define RINGSCOPE_LOADGEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "frame.h"
#include "schedule.h"

enum role { ROLE_PINGPONG, ROLE_SOURCE, ROLE_SINK };

struct options {
    const char *port; /* as given, e.g. "packet:tap0" */
    const char *out;  /* directory for result files, NULL for none */
    enum role role;
    enum arrival arrival;
    uint64_t rate_pps;
    uint64_t count;       /* frames of the schedule; for a sink those expected, 0 if unknown */
    uint64_t duration_ns; /* from --seconds, 0 if not given */
    uint64_t seed;
    uint64_t drain_ns;
    uint64_t spin_ns;
    uint32_t frame_bytes;
    uint32_t run;
    bool run_given;
    bool src_given;
    bool fifo;
    uint8_t dst[FRAME_MAC_BYTES];
    uint8_t src[FRAME_MAC_BYTES];
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_BAD };

/* Fills `o`, defaults included; strings point into argv. On OPTIONS_BAD one line naming the flag
 * and the remedy went to `err`. */
enum options_result options_parse(struct options *o, int argc, char **argv, FILE *err);

void options_help(FILE *out);

const char *role_name(enum role role);
const char *arrival_name(enum arrival arrival);

#endif
