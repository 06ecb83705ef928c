/* The device's side of "Receive-side scaling (RSS)": takes a configuration apart, field by field,
 * and holds the driver to the rules about it. */
#ifndef VNET_TEST_MODEL_RSS_H
#define VNET_TEST_MODEL_RSS_H

#include "model.h"

#define MODEL_RSS_ENTRIES 512u

struct model_rss {
    uint32_t hash_types;
    uint32_t entries;
    uint16_t unclassified, max_tx; /* a queue by half its index; how many of them */
    uint16_t table[MODEL_RSS_ENTRIES];
    uint8_t key_bytes, key[UINT8_MAX];
};

/* `data` is what follows class and command. */
void model_rss_config(struct model *m, struct model_rss *rss, const uint8_t *data, uint32_t bytes);

#endif
