#include "snapshot.h"
#include "world.h"
#include <stdlib.h>
#include <string.h>

#define STATE_MAX                                                                                  \
    (sizeof(world) + sizeof(struct vnet_q) + sizeof(counts) + PARTIES * COROUTINE_STACK)

static _Alignas(8) uint8_t flat[STATE_MAX], first[STATE_MAX];
static size_t flat_bytes;

/* How far the first state serves for comparison: what follows are stacks, which shift. */
#define FIXED                                                                                      \
    (sizeof(struct vnet_stats) + sizeof(counts) + sizeof(world) + offsetof(struct vnet_q, stats))
/* Counts come first: they tell no states apart. */
#define COUNTED (sizeof(struct vnet_stats) + sizeof(counts))

_Static_assert(FIXED % 8 == 0 && COUNTED % 8 == 0, "whole words");

/* Copies each piece between where it lives and where `at` points. */
static void copy(uint8_t **at, void *piece, size_t bytes, bool out)
{
    memcpy(out ? *at : piece, out ? piece : *at, bytes);
    *at += bytes;
}

static void copy_state(bool out)
{
    uint8_t *at = flat;
    copy(&at, &queue->stats, sizeof(queue->stats), out);
    copy(&at, &counts, sizeof(counts), out);
    copy(&at, &world, sizeof(world), out);
    copy(&at, queue, offsetof(struct vnet_q, stats), out);
    for (int i = 0; i < PARTIES; i++) {
        struct coroutine *c = &world.party[i].run;
        copy(&at, c->sp, coroutine_live(c), out);
        if (!out)
            coroutine_clean(c);
    }
    flat_bytes = (size_t)(at - flat);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t snapshot_hash(void)
{
    copy_state(true);
    const uint64_t *word = (const uint64_t *)(const void *)flat;
    size_t n = flat_bytes / 8;
    uint64_t h = 0x9e3779b97f4a7c15ull ^ n;
    for (size_t i = COUNTED / 8; i < n; i++)
        h = mix(h ^ word[i], 0xa0761d6478bd642full) + 0xe7037ed1a0b428dbull;
    return h ? h : 1;
}

void snapshot_first(void)
{
    memset(first, 0, sizeof(first));
    copy_state(true);
    memcpy(first, flat, FIXED);
}

/* Pairs of a 32-bit word's place and the words themselves: place, count, words. */
void snapshot_keep(struct snapshot *s)
{
    static uint32_t out[STATE_MAX / 2];
    const uint32_t *now = (const uint32_t *)(const void *)flat,
                   *was = (const uint32_t *)(const void *)first;
    uint32_t n = (uint32_t)(flat_bytes / 4), used = 1;
    out[0] = n;
    for (uint32_t i = 0; i < n;) {
        if (now[i] == was[i]) {
            i++;
            continue;
        }
        uint32_t end = i + 1;
        while (end < n && now[end] != was[end])
            end++;
        out[used++] = i << 16 | (end - i);
        memcpy(out + used, now + i, (end - i) * 4);
        used += end - i;
        i = end;
    }
    s->words = used;
    s->word = malloc(used * 4);
    if (!s->word)
        abort();
    memcpy(s->word, out, used * 4);
}

void snapshot_restore(const struct snapshot *s)
{
    memcpy(flat, first, s->word[0] * 4);
    for (uint32_t i = 1; i < s->words; i += 1 + (s->word[i] & 0xffff))
        memcpy(flat + (s->word[i] >> 16) * 4, s->word + i + 1, (s->word[i] & 0xffff) * 4);
    copy_state(false);
}

void snapshot_free(struct snapshot *s)
{
    free(s->word);
    s->word = NULL;
}
