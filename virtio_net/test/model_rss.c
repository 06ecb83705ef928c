#include "model_rss.h"
#include <string.h>

#define RESERVED 0x8000u /* struct rss_rq_id */

struct reader {
    const uint8_t *at;
    uint32_t left;
    bool short_of;
};

static uint32_t get(struct reader *r, unsigned bytes)
{
    uint32_t value = 0;
    if (r->left < bytes) {
        r->short_of = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint32_t)r->at[i] << 8 * i;
    r->at += bytes;
    r->left -= bytes;
    return value;
}

static uint16_t get_queue(struct model *m, struct reader *r)
{
    uint32_t id = get(r, 2), queue = VNET_QUEUES * id + VNET_RX;
    if (id & RESERVED)
        model_blame(m, "RSS: the reserved bit of a queue is set");
    else if (id >= m->config.max_virtqueue_pairs || !m->queue[queue].enable ||
             m->queue[queue].resetting)
        model_blame(m, "CV-12B: RSS with a receive queue that is not enabled");
    return (uint16_t)id;
}

static void get_key(struct model *m, struct model_rss *rss, struct reader *r)
{
    rss->key_bytes = (uint8_t)get(r, 1);
    if (rss->key_bytes > m->config.rss_max_key_size)
        model_blame(m, "RSS: a key longer than rss_max_key_size");
    for (unsigned i = 0; i < rss->key_bytes; i++)
        rss->key[i] = (uint8_t)get(r, 1);
}

void model_rss_config(struct model *m, struct model_rss *rss, const uint8_t *data, uint32_t bytes)
{
    struct reader r = { data, bytes, false };
    memset(rss, 0, sizeof(*rss));
    if (!(m->accepted & VNET_F(RSS)))
        model_blame(m, "CV-12A: RSS configured, which was not negotiated");
    rss->hash_types = get(&r, 4);
    if (rss->hash_types & ~m->config.supported_hash_types)
        model_blame(m, "CV-12E: RSS with a hash type that is not supported");
    rss->entries = get(&r, 2) + 1;
    if (rss->entries & (rss->entries - 1))
        model_blame(m, "CV-12C: RSS with a table of no power of two");
    if (rss->entries > m->config.rss_max_indirection_table_length)
        model_blame(m, "CV-12D: RSS with a table longer than the device's");
    rss->unclassified = get_queue(m, &r);
    for (uint32_t i = 0; i < rss->entries && i < MODEL_RSS_ENTRIES; i++)
        rss->table[i] = get_queue(m, &r);
    rss->max_tx = (uint16_t)get(&r, 2);
    if (!rss->max_tx || rss->max_tx > m->config.max_virtqueue_pairs)
        model_blame(m, "RSS: transmit queues that there are not");
    get_key(m, rss, &r);
    if (r.short_of || r.left)
        model_blame(m, "RSS: a configuration that is not as long as it says");
}
