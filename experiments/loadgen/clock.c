#include "clock.h"

#include <time.h>

#define MAP_AGE_MAX_NS (100 * NS_PER_MS)
#define MAP_SAMPLES    3

static uint64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Preemption between two clock reads shows as a wide bracket, so the narrowest of several wins. */
static void measure(struct clock_map *map)
{
    uint64_t narrowest = UINT64_MAX;

    for (int i = 0; i < MAP_SAMPLES; i++) {
        uint64_t before = clock_now();
        uint64_t real = read_clock(CLOCK_REALTIME);
        uint64_t after = clock_now();

        if (after - before < narrowest) {
            narrowest = after - before;
            map->real_minus_mono_ns = real - (before + narrowest / 2);
            map->measured_ns = after;
        }
    }
}

uint64_t clock_map_to_mono(struct clock_map *map, uint64_t real_ns, uint64_t now_ns)
{
    if (map->measured_ns == 0 || now_ns > map->measured_ns + MAP_AGE_MAX_NS)
        measure(map);
    return real_ns - map->real_minus_mono_ns;
}
