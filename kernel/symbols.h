/* Names of functions by address, from the table that the second link pass embeds. */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <stdint.h>

struct symbol {
    uint64_t address;
    const char *name;
};

/* The function that holds pc and the offset into it, or NULL when pc is not in the kernel's text.
 */
const char *symbol_find(uint64_t pc, uint64_t *offset);

#endif
