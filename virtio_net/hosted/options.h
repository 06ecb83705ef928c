/* The command line of the hosted programs. options.def is the one list of what it may hold. */
#ifndef HOSTED_OPTIONS_H
#define HOSTED_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum option_program {
    SOURCE = 1,
    SINK = 2,
    ECHO = 4,
    PCAP = 8,
    EVERY = SOURCE | SINK | ECHO | PCAP,
};

#define FIELD_TEXT    const char *
#define FIELD_NUMBER  uint64_t
#define FIELD_SECONDS uint64_t
#define FIELD_FLAG    bool

struct options { /* 0 or NULL: not given and without a default */
#define OPTION(field, name, argument, programs, kind, low, high, text) FIELD_##kind field;
#include "options.def"
};

/* 0; 1: help was asked for; -1: one line, which begins with the name, was written to err. */
int options_parse(struct options *o, enum option_program program, const char *name, int argc,
                  char **argv, FILE *err);
void options_help(enum option_program program, const char *usage, FILE *out);

#endif
