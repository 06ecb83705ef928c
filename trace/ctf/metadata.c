/* ctf-metadata: prints the CTF metadata of one side, for a trace whose packets were copied by
 * other means than our own writers. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "tsdl.h"

static int usage(void)
{
    complain("usage: ctf-metadata guest --tsc-hz N [--cpu-count N] | host [--cpu-count N]");
    return 2;
}

static int number(const char *text, uint64_t max, uint64_t *value)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || v > max || !v)
        return complain("'%s' is not a number from 1 to %" PRIu64, text, max);
    *value = v;
    return 0;
}

int main(int argc, char **argv)
{
    complain_program = "ctf-metadata";
    uint64_t tsc_hz = 0, cpus = 0;
    if (argc < 2 || (strcmp(argv[1], "guest") && strcmp(argv[1], "host")))
        return usage();
    enum trace_side side = argv[1][0] == 'g' ? TRACE_SIDE_GUEST : TRACE_SIDE_HOST;
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 == argc)
            return usage();
        if (!strcmp(argv[i], "--tsc-hz")) {
            if (number(argv[i + 1], UINT64_MAX, &tsc_hz))
                return 2;
        } else if (!strcmp(argv[i], "--cpu-count")) {
            if (number(argv[i + 1], UINT32_MAX, &cpus))
                return 2;
        } else {
            return usage();
        }
    }
    if (side == TRACE_SIDE_GUEST && !tsc_hz) {
        complain(
            "guest needs --tsc-hz N: the frequency of its clock, see `ringsnap RAMFILE state`");
        return 2;
    }
    if (tsdl_write(stdout, side, tsc_hz, (unsigned)cpus) || fflush(stdout)) {
        complain("standard output: %s", strerror(errno));
        return 2;
    }
    return 0;
}
