/* The kernel command line, parsed once at boot into one struct that params.def generates: a
 * misspelt parameter in the code does not compile, one on the command line does not boot. */
#ifndef KERNEL_CMDLINE_H
#define KERNEL_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMDLINE_LIST_MAX 8 /* entries of a list; NULL ends it */

struct cmdline {
#define PARAM_CHOICE(name, def, choices, text) const char *name;
#define PARAM_U64(name, def, min, max, text)   uint64_t name;
#define PARAM_BOOL(name, def, text)            bool name;
#define PARAM_STR(name, def, text)             const char *name;
#define PARAM_LIST(name, spelling, text)       const char *name[CMDLINE_LIST_MAX + 1];
#include "params.def"
};

/* Read-only after boot. Strings live for ever and are never NULL. */
extern struct cmdline cmdline;

/* Sets every default, then applies text, which is cut up in place and must live as long as out:
 * strings point into it. Returns 0, or -1 with one line about the first mistake in err. The word
 * "help" sets *help. */
int cmdline_parse(struct cmdline *out, char *text, bool *help, char *err, size_t err_size);

void cmdline_help(void);

/* Parses a decimal or 0x hexadecimal number that fills s; false when it is not one. */
bool parse_u64(const char *s, uint64_t *value);

#endif
