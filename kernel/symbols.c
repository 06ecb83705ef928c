#include "symbols.h"
#include <stddef.h>
#include "layout.h"

extern const struct symbol ksyms[];
extern const uint64_t ksyms_count;

const char *symbol_find(uint64_t pc, uint64_t *offset)
{
    uint64_t low = 0, high = ksyms_count;

    if (pc < (uint64_t)__text_start || pc >= (uint64_t)__text_end || !high || pc < ksyms[0].address)
        return NULL;
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (ksyms[middle].address <= pc)
            low = middle;
        else
            high = middle;
    }
    *offset = pc - ksyms[low].address;
    return ksyms[low].name;
}
