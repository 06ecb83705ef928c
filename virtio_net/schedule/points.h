/* Forced into every object of the driver and of the model device (gcc -include): each access to
 * memory that the other side sees, and each barrier, goes through memory.c, where the party that
 * makes it stops until the schedule lets it go on.
 *
 * Stores are of 16 bits wherever they are atomic: positions, flags and events. */
#ifndef VNET_SCHEDULE_POINTS_H
#define VNET_SCHEDULE_POINTS_H

#include <stdint.h>

uint32_t schedule_load(const volatile void *at, unsigned bytes);
void schedule_store(volatile uint16_t *at, uint16_t value);
void schedule_fence(int order);

#define __atomic_load_n(p, order)     schedule_load((p), sizeof(*(p)))
#define __atomic_store_n(p, v, order) schedule_store((p), (uint16_t)(v))
#define __atomic_thread_fence(order)  schedule_fence(order)

#endif
