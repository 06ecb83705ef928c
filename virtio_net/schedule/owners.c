/* Whose each buffer is. It moves along one way only, and whoever does not own it leaves it alone.
 */
#include "world.h"
#include <string.h>

void violate(enum verdict verdict)
{
    if (world.verdict == VERDICT_holds)
        world.verdict = (uint8_t)verdict;
}

struct buffer *buffer_of(const struct vnet_buf *buf)
{
    return (struct buffer *)(uintptr_t)((const uint8_t *)buf - offsetof(struct buffer, buf));
}

struct buffer *buffer_at(const uint8_t *data)
{
    for (unsigned i = 0; i < world_pool(); i++) {
        if (world.buffer[i].buf.data == data)
            return &world.buffer[i];
    }
    return NULL;
}

/* The first, so that schedules that differ in the order of returns alone meet again. */
struct buffer *buffer_take(void)
{
    for (unsigned i = 0; i < world_pool(); i++) {
        if (world.buffer[i].owner == OWNER_POOL) {
            world.buffer[i].owner = OWNER_DRIVER;
            return &world.buffer[i];
        }
    }
    return NULL;
}

void buffer_put(struct buffer *b)
{
    if (b->owner != OWNER_DRIVER)
        violate(VERDICT_twice);
    b->owner = OWNER_POOL;
    memset(b->buf.data, 0xdb, CONTENT);
    memset(b->kept, 0, CONTENT);
    b->buf.len = 0;
    b->buf.next = NULL;
}

void buffer_pass(struct buffer *b, enum owner from, enum owner to)
{
    if (b->owner != from)
        violate(to <= OWNER_TAKEN && to != OWNER_DRIVER ? VERDICT_handed_over : VERDICT_twice);
    b->owner = (uint8_t)to;
    b->desc = to == OWNER_PUBLISHED ? b->desc : NULL;
    if (to != OWNER_PUBLISHED)
        memset(&b->kept_desc, 0, sizeof(b->kept_desc));
}

static void publish(uint16_t id, const void *desc)
{
    struct buffer *b = buffer_of(world.shadow[id].cookie);
    b->desc = desc;
    buffer_pass(b, OWNER_DRIVER, OWNER_PUBLISHED);
    memcpy(b->kept, b->buf.data, CONTENT);
    memcpy(&b->kept_desc, desc, offsetof(struct pvirtq_desc, flags));
}

/* Split: the index hands over all that was added. Packed: the flags of a descriptor do, and the
 * device sees it once those before it are handed over too. */
void buffers_publish(const volatile uint16_t *at)
{
    const struct vring *r = &queue->ring;
    if (!r->packed) {
        for (uint16_t id = 0; at == &r->s.avail->idx && id < r->size; id++) {
            const struct vring_shadow *s = &world.shadow[id];
            if (s->descs && buffer_of(s->cookie)->owner == OWNER_DRIVER)
                publish(id, &r->s.desc[id]);
        }
        return;
    }
    for (uint16_t slot = 0; slot < r->size; slot++) {
        uint16_t id = le16(r->p.desc[slot].id);
        if (at == &r->p.desc[slot].flags && id < r->size && world.shadow[id].descs)
            publish(id, &r->p.desc[slot]);
    }
}

void buffers_shown(void)
{
    for (unsigned i = 0; i < world_pool(); i++) {
        if (world.buffer[i].owner == OWNER_USED)
            buffer_pass(&world.buffer[i], OWNER_USED, OWNER_SHOWN);
    }
}

bool buffers_untouched(void)
{
    for (unsigned i = 0; i < world_pool(); i++) {
        const struct buffer *b = &world.buffer[i];
        if (b->owner >= OWNER_PUBLISHED && memcmp(b->kept, b->buf.data, CONTENT))
            return false;
        if (b->owner == OWNER_PUBLISHED &&
            memcmp(&b->kept_desc, b->desc, offsetof(struct pvirtq_desc, flags)))
            return false;
    }
    return true;
}
