/* The seeds of a target: inputs written by its own names, so that a change of them changes the
 * corpus. `TARGET --seeds DIRECTORY` writes each to a file of its name. */
#ifndef VNET_FUZZ_SEEDS_H
#define VNET_FUZZ_SEEDS_H

#include <stddef.h>
#include <stdint.h>

struct seed {
    const char *name;
    size_t bytes;
    const uint8_t *data;
};
#define SEED(name, ...)                                                                            \
    {                                                                                              \
        name, sizeof((uint8_t[]){ __VA_ARGS__ }), (const uint8_t[])                                \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
extern const struct seed seeds[];
extern const unsigned seeds_used;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
