/* hostlog2ctf: the host's log, one cell's slice of it, as a CTF trace in the host's clock. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ctf/complain.h"
#include "hostlog.h"

static int usage(void)
{
    complain("usage: hostlog2ctf --log FILE [--pid N] [--begin MARK --end MARK] --out DIR");
    return 2;
}

static int number(const char *name, const char *text, uint64_t max, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || *value > max)
        return complain("%s '%s' is not a number", name, text);
    return 0;
}

static int convert(struct hostlog *log, const char *pid, const char *begin, const char *end,
                   const char *out)
{
    uint64_t process = 0, first = 0, last = 0;
    if ((pid && number("--pid", pid, UINT32_MAX, &process)) ||
        (begin && number("--begin", begin, UINT64_MAX, &first)) ||
        (end && number("--end", end, UINT64_MAX, &last)))
        return -1;
    if (pid)
        hostlog_keep_pid(log, (uint32_t)process);
    hostlog_unwrap(log);
    if (begin && hostlog_slice(log, first, last))
        return -1;
    return hostlog_write(log, out);
}

int main(int argc, char **argv)
{
    complain_program = "hostlog2ctf";
    const char *path = NULL, *pid = NULL, *begin = NULL, *end = NULL, *out = NULL;
    for (int i = 1; i < argc; i += 2) {
        const char **value = !strcmp(argv[i], "--log")     ? &path
                             : !strcmp(argv[i], "--pid")   ? &pid
                             : !strcmp(argv[i], "--begin") ? &begin
                             : !strcmp(argv[i], "--end")   ? &end
                             : !strcmp(argv[i], "--out")   ? &out
                                                           : NULL;
        if (!value || i + 1 == argc)
            return usage();
        *value = argv[i + 1];
    }
    if (!path || !out || !begin != !end)
        return usage();
    struct hostlog log;
    int bad = hostlog_read(&log, path) || convert(&log, pid, begin, end, out);
    if (!bad) {
        uint64_t lost = 0;
        for (size_t i = 0; i < log.count; i++)
            lost += log.lines[i].lost_before;
        printf("records\t%zu\nlost\t%" PRIu64 "\nlost_in_log\t%" PRIu64 "\nlost_reported\t%" PRIu64
               "\nother_devices\t%" PRIu64 "\noutside\t%" PRIu64 "\nnoise_lines\t%" PRIu64 "\n",
               log.count, lost, log.gaps, log.reported_lost, log.other_devices, log.outside,
               log.noise);
    }
    hostlog_free(&log);
    return bad ? 2 : 0;
}
