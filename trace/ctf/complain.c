#include "complain.h"

#include <stdarg.h>
#include <stdio.h>

const char *complain_program = "trace";

int complain(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    /* A file name or a damaged input must not be able to fake a second line. */
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
    fprintf(stderr, "%s: %s\n", complain_program, line);
    return -1;
}
