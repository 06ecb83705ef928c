/* Numbers that are the same on every run: xorshift64. */
#ifndef VNET_TEST_RANDOM_H
#define VNET_TEST_RANDOM_H

#include <stdint.h>

struct rng {
    uint64_t s; /* not 0 */
};

static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    r->s ^= r->s << 13;
    r->s ^= r->s >> 7;
    r->s ^= r->s << 17;
    return (uint32_t)((r->s >> 32) % n);
}

#endif
