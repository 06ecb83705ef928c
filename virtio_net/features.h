/* Which features there are, which of them a configuration wants, and the settlement with the
 * device. */
#ifndef VNET_FEATURES_H
#define VNET_FEATURES_H

#include "transport.h"

#define VNET_F(name) (1ull << VNET_BIT_##name)
enum vnet_feature_bit {
#define FEATURE(bit, name, want, needs, text) VNET_BIT_##name = bit,
#include "features.def"
};

struct vnet_features { /* kept for diagnosis */
    uint64_t offered, wanted, accepted, missing;
};

/* What a driver wants that has been told nothing, and all that it could want. */
uint64_t vnet_features_default(void);
uint64_t vnet_features_able(void);

/* Applies "+NAME,-NAME,..." to *want. 0; or a negative enum vnet_error, *word is where in the list
 * the mistake begins, and *want is as it was. */
int vnet_features_edit(uint64_t *want, const char *list, const char **word);

/* `want` without the bits whose prerequisites are not in `have`, nor in what remains of `want`. */
uint64_t vnet_features_supported(uint64_t want, uint64_t have);

/* "Device Initialization", steps 4 to 6, of what the device offered when it was asked. Fills *f as
 * far as it got. 0 or a negative enum vnet_error. */
int vnet_features_negotiate(struct vnet_features *f, struct vnet_transport *t, uint64_t offered,
                            uint64_t want);

const char *vnet_feature_name(unsigned bit); /* NULL: not a bit we know */

#endif
