#include "options.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "../../experiments/loadgen/frame.h"
#include "../vnet.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_SECONDS, KIND_FLAG };

struct spec {
    const char *name, *argument, *text;
    enum option_program programs;
    enum kind kind;
    uint64_t low, high;
    size_t at;
};

static const struct spec specs[] = {
#define OPTION(field, name, argument, programs, kind, low, high, text)                             \
    { name,        argument, text, (enum option_program)(programs),                                \
      KIND_##kind, low,      high, offsetof(struct options, field) },
#include "options.def"
};
#define SPECS (sizeof(specs) / sizeof(specs[0]))

struct complaint { /* where to, and in whose name */
    FILE *to;
    const char *name;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct complaint *c,
                                                          const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(c->to, "%s: ", c->name);
    vfprintf(c->to, format, args);
    fputc('\n', c->to);
    va_end(args);
    return -1;
}

static int number(const char *text, const struct spec *s, uint64_t *value)
{
    char *end;
    /* strtoull would take a sign or leading blanks. */
    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno || *end || *value < s->low || *value > s->high ? -1 : 0;
}

static int seconds(const char *text, const struct spec *s, uint64_t *ns)
{
    char *end;
    double value = strtod(text, &end);
    if (strspn(text, "0123456789.") != strlen(text) || end == text || *end ||
        !(value >= 0.001 && value <= (double)s->high))
        return -1;
    *ns = (uint64_t)(value * 1e9 + 0.5);
    return 0;
}

static int refuse_value(const struct spec *s, const char *value, const struct complaint *c)
{
    if (s->kind == KIND_SECONDS)
        return complain(c, "--%s %s: give 0.001 to %llu seconds", s->name, value,
                        (unsigned long long)s->high);
    return complain(c, "--%s %s: give a whole number, %llu to %llu", s->name, value,
                    (unsigned long long)s->low, (unsigned long long)s->high);
}

static int take(struct options *o, const struct spec *s, const char *value,
                const struct complaint *c)
{
    void *field = (char *)o + s->at;
    int wrong = 0;
    switch (s->kind) {
    case KIND_TEXT:
        *(const char **)field = value;
        break;
    case KIND_FLAG:
        *(bool *)field = true;
        break;
    case KIND_NUMBER:
        wrong = number(value, s, field);
        break;
    case KIND_SECONDS:
        wrong = seconds(value, s, field);
        break;
    }
    return wrong ? refuse_value(s, value, c) : 0;
}

static int check(const struct options *o, enum option_program program, const struct complaint *c)
{
    const char *wrong = NULL;
    if (!o->vhost_user == !o->vhost_net)
        wrong = "give the backend: one of --vhost-user SOCKET and --vhost-net TAP";
    else if (!o->packed && o->ring & (o->ring - 1))
        wrong = "--ring: a split ring has a power of 2 of descriptors; --packed takes any number";
    else if (program == PCAP && !o->read && !o->write)
        wrong = "give --read FILE to send a capture, --write FILE to record one, or both";
    else if (program == PCAP && !o->read && (o->rate || o->paced))
        wrong = "--rate and --paced go with --read FILE: there is nothing to send";
    else if (o->rate && o->paced)
        wrong = "--rate and --paced exclude each other: give one";
    else if (program == PCAP && o->pairs > 1)
        wrong = "--pairs: a capture has one order, so pcap has one pair";
    else if (o->window && (o->queue_resets || o->restarts || o->mend))
        wrong = "--window waits for every frame, and a reset loses some: leave one of them out";
    else if (o->window > o->ring)
        wrong = "--window: give no more than the ring has descriptors";
    return wrong ? complain(c, "%s", wrong) : 0;
}

int options_parse(struct options *o, enum option_program program, const char *name, int argc,
                  char **argv, FILE *err)
{
    const struct complaint complaint = { err, name }, *c = &complaint;
    struct option table[SPECS + 2] = { 0 };
    int n = 0, which;
    for (size_t i = 0; i < SPECS; i++)
        if (specs[i].programs & program)
            table[n++] = (struct option){ specs[i].name, specs[i].kind != KIND_FLAG, NULL, (int)i };
    table[n] = (struct option){ "help", no_argument, NULL, SPECS };
    *o = (struct options){
        .pairs = 1, .ring = 256, .size = FRAME_MIN_BYTES, .budget = 64, .timeout = 5000
    };
    optind = 0;
    opterr = 0;
    while ((which = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (which == SPECS)
            return 1;
        if (which == ':' || which == '?')
            return complain(c, "%s: %s; see --help", argv[optind - 1],
                            which == ':' ? "needs a value" : "no such option");
        if (take(o, &specs[which], optarg, c))
            return -1;
    }
    if (optind < argc)
        return complain(c, "%s: every argument is an option; see --help", argv[optind]);
    return check(o, program, c);
}

void options_help(enum option_program program, const char *usage, FILE *out)
{
    fprintf(out, "%s\n\n", usage);
    for (size_t i = 0; i < SPECS; i++) {
        char left[40];
        if (!(specs[i].programs & program))
            continue;
        snprintf(left, sizeof(left), "--%s %s", specs[i].name, specs[i].argument);
        fprintf(out, "  %-20s %s\n", left, specs[i].text);
    }
}
