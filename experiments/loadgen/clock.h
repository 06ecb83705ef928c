/* Monotonic time, and the kernel's receive stamps expressed in it. */
#ifndef RINGSCOPE_LOADGEN_CLOCK_H
#define RINGSCOPE_LOADGEN_CLOCK_H

#include <stdint.h>

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

/* CLOCK_MONOTONIC in ns. */
uint64_t clock_now(void);

/* Maps CLOCK_REALTIME, which the kernel stamps packets with, to CLOCK_MONOTONIC. All zero means
 * not measured yet. */
struct clock_map {
    uint64_t real_minus_mono_ns;
    uint64_t measured_ns; /* monotonic time of the measurement */
};

/* The monotonic time of a CLOCK_REALTIME stamp. Measures the offset anew when it is older than
 * 100 ms at `now_ns`, so a step of the wall clock spoils at most the frames of that time. */
uint64_t clock_map_to_mono(struct clock_map *map, uint64_t real_ns, uint64_t now_ns);

#endif
