/* The guest's trace region, read from outside through the guest's RAM file. The guest may be
 * running, dead, or never have existed: everything is checked before use, and nothing is written
 * but the mask, on request. */
#ifndef TRACE_REGION_VIEW_H
#define TRACE_REGION_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../record.h"

struct region {
    const char *path;
    const uint8_t *ram; /* the whole file, shared with the guest */
    size_t bytes;
    const struct trace_region *live; /* inside ram: only the fields that move are read from here */
    struct trace_region head;        /* checked copy: layout, names, frequency */
};

/* Maps `path` and checks the region. Returns 0, or -1 with the reason and remedy as one line in
 * `why`. `path` must outlive the region. On 0 the caller owns the map; region_close. */
int region_open(struct region *region, const char *path, char *why, size_t why_bytes);
void region_close(struct region *region);

/* enum trace_guest_state as the guest has it now; may be any number if the guest wrote one. */
uint32_t region_state(const struct region *region);
const char *region_state_name(uint32_t state); /* "?" for an unknown number */

/* Records reserved and lost so far on a CPU below head.cpus. */
uint64_t region_reserved(const struct region *region, unsigned cpu);
uint64_t region_lost(const struct region *region, unsigned cpu);
uint64_t region_lost_of(const struct region *region, unsigned cpu, enum trace_class class);

/* Records that a CPU refused because a trigger had stopped its buffer. */
uint64_t region_stopped(const struct region *region, unsigned cpu);

/* The trigger that fired, as a copy; fired is 0 if none has. */
struct trace_trigger_mark region_trigger(const struct region *region);
const char *region_trigger_name(uint32_t trigger); /* "none"; "?" for an unknown number */
const char *region_trigger_unit(uint32_t trigger); /* of its value; "" if it has none */

/* The event classes that are on: bits of enum trace_class. */
uint32_t region_mask(const struct region *region);

/* Switches classes on and off in a running guest. Returns 0, or -1 after complaining. */
int region_set_mask(const struct region *region, uint32_t mask);

/* Packet `number` (counted from the start, not a slot) of a CPU; it may be of another lap. */
const struct trace_packet *region_packet(const struct region *region, unsigned cpu,
                                         uint64_t number);

/* First record that no later lap has begun to overwrite. */
uint64_t region_oldest(const struct region *region, unsigned cpu);

/* Copies record `index` of a CPU. Returns 1, or 0 if the slot holds no committed record of the
 * lap. After copying, the caller checks with region_oldest that the guest has not come round. */
int region_record(const struct region *region, unsigned cpu, uint64_t index,
                  struct trace_record *record);

/* The live value of counter i below head.counters_used. Returns 0, or -1 if its address lies
 * outside the RAM file. */
int region_counter(const struct region *region, unsigned i, uint64_t *value);

/* The guest refused to run or panicked before it laid out its region: only the state word is there.
 * False also when the file cannot be read. */
bool region_died_early(const char *path);

#endif
