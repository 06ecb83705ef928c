/* One clear line on stderr. Every program here reports bad input this way and then exits. */
#ifndef TRACE_COMPLAIN_H
#define TRACE_COMPLAIN_H

/* Name printed before each line: set once by main. */
extern const char *complain_program;

/* Prints "program: message\n". Returns -1, so that a reader can say `return complain(...)`. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
