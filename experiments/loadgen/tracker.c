#include "tracker.h"

#include <stddef.h>
#include <sys/mman.h>

static size_t bitmap_bytes(uint64_t capacity)
{
    return (size_t)(capacity / 64 + 1) * sizeof(uint64_t);
}

bool tracker_init(struct tracker *t, uint64_t capacity)
{
    void *map = mmap(NULL, bitmap_bytes(capacity), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *t = (struct tracker){ .capacity = capacity };
    if (map == MAP_FAILED)
        return false;
    t->seen = map;
    return true;
}

void tracker_free(struct tracker *t)
{
    if (t->seen != NULL)
        munmap(t->seen, bitmap_bytes(t->capacity));
    t->seen = NULL;
}

enum tracker_verdict tracker_arrive(struct tracker *t, uint64_t seq)
{
    uint64_t bit = 1ull << (seq % 64);

    if (seq >= t->capacity)
        return TRACKER_OUT_OF_RANGE;
    if (t->seen[seq / 64] & bit) {
        t->duplicates++;
        return TRACKER_DUPLICATE;
    }
    t->seen[seq / 64] |= bit;
    t->delivered++;
    if (seq >= t->highest_end) {
        t->highest_end = seq + 1;
    } else {
        uint64_t distance = t->highest_end - 1 - seq;

        t->reordered++;
        if (distance > t->reorder_max)
            t->reorder_max = distance;
    }
    return TRACKER_FIRST;
}
