#include "metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ctf/complain.h"
#include "reader.h"

/* A rate above this is damage, and products with it would overflow. */
#define HZ_MAX 1000000000000ull

static int check(const char *path, const char *text, enum trace_side side, uint64_t *hz)
{
    char domain[64];
    snprintf(domain, sizeof domain, "domain = \"%s\"", trace_side_name(side));
    if (strncmp(text, "/* CTF 1.8 */", 13))
        return complain("%s: offset 0: does not begin with /* CTF 1.8 */: not a trace of ours",
                        path);
    if (!strstr(text, "tracer_name = \"" TSDL_TRACER "\"") || !strstr(text, domain))
        return complain("%s: not the %s trace of " TSDL_TRACER ": give the directory that %s wrote",
                        path, trace_side_name(side),
                        side == TRACE_SIDE_GUEST ? "ringsnap" : "hostlog2ctf");
    const char *freq = strstr(text, "freq = ");
    *hz = freq ? strtoull(freq + strlen("freq = "), NULL, 10) : 0;
    if (!*hz || *hz > HZ_MAX)
        return complain("%s: no clock frequency: cut the trace again", path);
    return 0;
}

int metadata_read(const char *dir, enum trace_side side, uint64_t *hz)
{
    char path[4096];
    struct mapped f;
    if ((size_t)snprintf(path, sizeof path, "%s/metadata", dir) >= sizeof path)
        return complain("%s: path too long", dir);
    if (mapped_open(&f, path))
        return -1;
    char *text = calloc(1, f.size + 1);
    if (!text)
        abort();
    if (f.size)
        memcpy(text, f.bytes, f.size);
    int bad = check(path, text, side, hz);
    free(text);
    mapped_close(&f);
    return bad;
}
