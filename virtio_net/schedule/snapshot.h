/* A state as bytes: what changes of the world, of the queue and of the stacks. */
#ifndef VNET_SCHEDULE_SNAPSHOT_H
#define VNET_SCHEDULE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

struct snapshot { /* packed: what differs from the first state of the scene */
    uint32_t words;
    uint32_t *word;
};

/* Remembers the state as the first of a scene. */
void snapshot_first(void);

/* Of the state as it is: equal states have equal hashes. */
uint64_t snapshot_hash(void);

/* Copies the state as it was at the last snapshot_hash. The caller frees it with snapshot_free. */
void snapshot_keep(struct snapshot *s);
void snapshot_restore(const struct snapshot *s);
void snapshot_free(struct snapshot *s);

#endif
