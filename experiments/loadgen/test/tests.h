/* What the unit tests share. */
#ifndef RINGSCOPE_LOADGEN_TESTS_H
#define RINGSCOPE_LOADGEN_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../options.h"

extern const char *tests_dir;     /* holds golden.hgrm */
extern const char *tests_loadgen; /* the program under test */

/* Each runs one group and returns its number of failures. */
int test_frame(void);
int test_hgrm(void);
int test_options(void);
int test_packet(void);
int test_program(void);
int test_report(void);
int test_roles(void);
int test_schedule(void);
int test_tracker(void);
int test_udp(void);

/* Knuth's MMIX generator: any other implementation can repeat it exactly. */
static inline uint64_t tests_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11;
}

/* Parses a command line without the program's name, separated by single blanks. */
enum options_result tests_parse(struct options *o, const char *line, FILE *err);

/* A UDP socket on a free port of 127.0.0.1; returns the descriptor. */
int tests_udp_socket(unsigned *port);

/* A port number nobody uses at the moment. */
unsigned tests_free_port(void);

/* The value of one line of loadgen.tsv text; fails the test if the name is absent. */
const char *tests_tsv(const char *text, const char *name, char value[64]);

/* A whole file as a string to be freed; fails the test if it cannot be read. */
char *tests_read_file(const char *path);

#endif
