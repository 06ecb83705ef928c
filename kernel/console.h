/* The serial console (COM1, polled) and formatted printing. */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

void console_init(void);
void console_write(const char *s, size_t n);

/* From now on text is kept in memory (its first 8 KiB) instead of printed; release prints what was
 * kept and everything after it. A character costs an exit, under nested emulation near a
 * millisecond: a sweep that boots many guests has better use for them. */
void console_hold(void);
void console_release(void);

/* The same for a panic: whoever was printing has been stopped. */
void console_break(void);

/* The next character typed, or -1 when there is none. Never waits. */
int console_getc(void);

/* Prints at most 511 characters of one call; longer output ends in "...\n". Every character is a
 * VM exit, so print lines, not streams. May be called from anywhere, interrupt handlers included;
 * interrupts are off meanwhile. */
void kprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* %d %i %u %x %X %p %c %s %% with - 0, width, precision for %s, * and h hh l ll z; no floating
 * point. Always terminates when size > 0; returns the length the whole text would have had. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
