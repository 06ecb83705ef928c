#include "schedule.h"

#include <math.h>

#define NS_PER_S 1000000000ull

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15ull;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* xoshiro256** of Blackman and Vigna */
static uint64_t random_next(uint64_t s[4])
{
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* Uniform in (0, 1]: zero is left out because its logarithm is not finite. */
static double random_unit(uint64_t s[4])
{
    return (double)((random_next(s) >> 11) + 1) * 0x1p-53;
}

void schedule_init(struct schedule *s, enum arrival arrival, uint64_t rate_pps, uint64_t count,
                   uint64_t seed)
{
    *s = (struct schedule){ .arrival = arrival, .rate_pps = rate_pps, .count = count };
    for (int i = 0; i < 4; i++)
        s->random[i] = splitmix64(&seed);
}

/* Split so that no product leaves 64 bits; every offset is exact, so errors do not add up. */
static uint64_t constant_offset(uint64_t index, uint64_t rate_pps)
{
    return index / rate_pps * NS_PER_S + index % rate_pps * NS_PER_S / rate_pps;
}

bool schedule_next(struct schedule *s, uint64_t *offset_ns)
{
    if (s->next == s->count)
        return false;
    if (s->arrival == ARRIVAL_CONSTANT) {
        *offset_ns = constant_offset(s->next, s->rate_pps);
    } else {
        s->poisson_ns += -log(random_unit(s->random)) * (double)NS_PER_S / (double)s->rate_pps;
        *offset_ns = (uint64_t)s->poisson_ns;
    }
    s->next++;
    return true;
}
