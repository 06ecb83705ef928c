/* Forced into every driver object of the fuzz targets: time passes only when the driver asks for
 * it, and then by leaps, so a deadline costs a few looks and no waiting. */
#ifndef VNET_FUZZ_CLOCK_H
#define VNET_FUZZ_CLOCK_H

#include <time.h>

int fuzz_clock(clockid_t id, struct timespec *now);
#define clock_gettime fuzz_clock

#endif
