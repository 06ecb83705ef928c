/* The end of the road: print what is known, mark the trace region, halt or leave QEMU. */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include <stdint.h>
#include "console.h"

/* Never returns. Callable from any context. Stops all CPUs. A panic inside a panic halts at once.
 */
_Noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Stays in every build: the kernel is an instrument, a wrong number is worse than a slow one. */
#define kassert(cond)                                                                              \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond);                       \
    } while (0)

/* The steps of a panic, for the trap code that has registers to print in between. begin returns
 * only once per boot. */
void panic_begin(void);
_Noreturn void panic_end(void);

/* Prints one line per frame, function+offset, from frame pointer rbp outwards. pc is the innermost
 * address, 0 to start with the return address at rbp. */
void backtrace(uint64_t pc, uint64_t rbp);

#endif
