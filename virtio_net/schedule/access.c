/* The driver's plain accesses, which gcc -fsanitize=thread makes calls of. An interrupt may come
 * before each of them; it makes a difference only where both have to do with the same word, so only
 * there it is a stop. To touch what the device owns is a fault. */
#include "world.h"
#include <stdio.h>
#include <stdlib.h>

/* What the interrupt of mode hybrid reads of what the calls below it write, or writes. */
static const struct {
    size_t offset, bytes;
    bool written;
} shared[] = {
#define FIELD(name) offsetof(struct vnet_q, name), sizeof(((struct vnet_q *)0)->name)
    { FIELD(ring.broken), true },       { FIELD(ring.masked), true },
    { FIELD(ring.s.parked_idx), true }, { FIELD(ring.published), false },
    { FIELD(ring.harvested), false },   { FIELD(ring.p.used_at), false },
#undef FIELD
};

static bool within(const void *at, const void *object, size_t bytes)
{
    return (uintptr_t)at - (uintptr_t)object < bytes;
}

/* Whether the calls and the interrupt meet there, given what the calls do. */
static bool meets(const void *at, bool writes)
{
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        if (within(at, (const uint8_t *)queue + shared[i].offset, shared[i].bytes))
            return writes || shared[i].written;
    }
    /* In a packed ring it counts what is used by the descriptors of each. */
    size_t offset = ((uintptr_t)at - (uintptr_t)world.shadow) % sizeof(world.shadow[0]);
    return scene.packed && writes && within(at, world.shadow, sizeof(world.shadow)) &&
           offset == offsetof(struct vring_shadow, descs);
}

/* The table is complete: what else the interrupt writes, or reads of what its calls have written,
 * ends the program. */
static void guard(const void *at, bool writes)
{
    static bool written[sizeof(struct vnet_q) + sizeof(world.shadow)];
    size_t byte = (uintptr_t)at - (uintptr_t)queue;
    if (byte >= sizeof(*queue)) {
        byte = (uintptr_t)at - (uintptr_t)world.shadow + sizeof(*queue);
        if (byte < sizeof(*queue) || byte >= sizeof(written))
            return;
    } else if (byte >= offsetof(struct vnet_q, stats)) {
        return;
    }
    if (world.running == TASK) {
        written[byte] |= writes;
    } else if (!vnet_mode.works_in_irq && (writes || written[byte]) && !meets(at, !writes)) {
        fprintf(stderr, "schedule: the interrupt meets its calls at byte %zu of the queue\n", byte);
        exit(2);
    }
}

/* Between publication and pop. A used buffer that the driver may see it may have popped. */
static bool is_lent(const void *at)
{
    for (unsigned i = 0; i < world_pool(); i++) {
        const struct buffer *b = &world.buffer[i];
        if (within(at, b->buf.data, CONTENT))
            return b->owner >= OWNER_PUBLISHED && b->owner < OWNER_SHOWN;
        if (b->owner == OWNER_PUBLISHED && within(at, b->desc, sizeof(*b->desc)))
            return true;
    }
    return false;
}

static void touch(const void *at, bool writes)
{
    if (!coroutine_runs() || world.running == DEVICE)
        return;
    if (meets(at, writes))
        party_stop_for_irq(at);
    guard(at, writes);
    if (is_lent(at))
        violate(VERDICT_handed_over);
}

#define TOUCH(name, writes)                                                                        \
    void __tsan_##name(void *at);                                                                  \
    void __tsan_##name(void *at)                                                                   \
    {                                                                                              \
        touch(at, writes);                                                                         \
    }
TOUCH(read1, false)
TOUCH(read2, false)
TOUCH(read4, false)
TOUCH(read8, false)
TOUCH(read16, false)
TOUCH(write1, true)
TOUCH(write2, true)
TOUCH(write4, true)
TOUCH(write8, true)
TOUCH(write16, true)
TOUCH(unaligned_read2, false)
TOUCH(unaligned_read4, false)
TOUCH(unaligned_read8, false)
TOUCH(unaligned_write2, true)
TOUCH(unaligned_write4, true)
TOUCH(unaligned_write8, true)

void __tsan_read_range(void *at, size_t bytes);
void __tsan_read_range(void *at, size_t bytes)
{
    if (bytes)
        touch(at, false);
}

void __tsan_write_range(void *at, size_t bytes);
void __tsan_write_range(void *at, size_t bytes)
{
    if (bytes)
        touch(at, true);
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}
