#include "classes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../record.h"
#include "complain.h"

static const char *const names[TRACE_CLASSES] = {
#define CLASS(name) [TRACE_CLASS_##name] = #name,
    TRACE_CLASS_LIST(CLASS)
#undef CLASS
};

const char *trace_class_name(unsigned class)
{
    return class < TRACE_CLASSES && names[class] ? names[class] : "?";
}

static int find(const char *name, size_t length)
{
    for (int i = 0; i < TRACE_CLASSES; i++)
        if (names[i] && strlen(names[i]) == length && !strncmp(names[i], name, length))
            return i;
    return -1;
}

static int change(const char *text, uint32_t *mask)
{
    int relative = *text == '+' || *text == '-';
    uint32_t m = relative ? *mask : 0;
    for (const char *at = text, *end; *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, ",");
        int off = *at == '-';
        if ((*at == '+' || off) != relative)
            return -1;
        int class = find(at + relative, (size_t)(end - at) - (size_t)relative);
        if (class < 0)
            return -1;
        m = off ? m & ~(1u << class) : m | 1u << class;
    }
    *mask = m;
    return 0;
}

int trace_mask_parse(const char *text, uint32_t *mask)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 0);
    if (!strcmp(text, "all")) {
        *mask = TRACE_MASK_ALL;
    } else if (!strcmp(text, "none")) {
        *mask = 0;
    } else if (*text >= '0' && *text <= '9' && !errno && !*end && number <= UINT32_MAX) {
        *mask = (uint32_t)number;
    } else if (!*text || change(text, mask)) {
        return complain("'%s' is not a mask: give a number, all, none, or classes separated by "
                        "commas, all or none of them with + or -:"
#define CLASS(name) " " #name
                        TRACE_CLASS_LIST(CLASS),
#undef CLASS
                        text);
    }
    return 0;
}
