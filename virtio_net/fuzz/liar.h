/* The device side of a queue that writes what it likes. It knows the driver's own view of the ring,
 * so that it can be right when it wants to: an entry that is wrong in one respect only gets further
 * than noise. */
#ifndef VNET_FUZZ_LIAR_H
#define VNET_FUZZ_LIAR_H

#include "kit.h"

struct liar {
    struct vring *ring;
    uint64_t written;       /* used entries, from the same start as vring.harvested */
    uint16_t at;            /* packed: slot and lap of the next */
    uint64_t sequence[256]; /* of the last entry that named the id, from 1 */
    uint16_t next_id;       /* where to look for one in flight */
};

void liar_init(struct liar *l, struct vring *ring);

/* Uses a buffer that is the device's, as the specification wants it but for the length. Its cookie;
 * NULL: there is none. */
void *liar_use(struct liar *l, uint32_t skip, uint32_t bytes);
/* The driver may see all of it. Packed: it does already. */
void liar_show(struct liar *l);

/* One deed of the input's choice. The first that LIAR_HONEST counts keep to the rules. */
enum liar_deed {
    LIAR_USE,  /* skip, length: any buffer of those in flight */
    LIAR_MANY, /* count: in turn, with plausible lengths */
    LIAR_SHOW,
    LIAR_KICKS, /* value: whether, or at which position, a kick is wanted */
    LIAR_ENTRY, /* id, length: whatever they name */
    LIAR_INDEX, /* value: used.idx, or the flags of a packed slot */
    LIAR_BYTES, /* offset, count, bytes: anywhere in the ring's memory */
    LIAR_DEEDS,
};
void liar_deed(struct liar *l, enum liar_deed deed);

#endif
