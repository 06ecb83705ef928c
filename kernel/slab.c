#include "slab.h"
#include "cmdline.h"
#include "console.h"
#include "page.h"
#include "panic.h"
#include "spinlock.h"
#include "string.h"

#define SLAB_ORDER  2
#define SLAB_BYTES  (PAGE_SIZE << SLAB_ORDER)
#define SLAB_MAGIC  0x6c616273u
#define MAP_WORDS   8 /* 512 objects: 16 KiB of the smallest, 32 bytes */
#define MIN_SIZE    32
#define KMALLOC_MAX 2048

/* At the start of each slab; objects follow at the next multiple of 64. Slabs are aligned to their
 * size, so an object's slab is found by masking, and no object is aligned to a slab: a block that
 * kmalloc took straight from the page allocator is told apart by its address. */
struct slab {
    uint32_t magic;
    uint32_t free;
    struct cache *cache;
    struct slab *next, *prev; /* in cache->partial, when free > 0 */
    uint64_t free_map[MAP_WORDS];
};
#define SLAB_HEADER 128
_Static_assert(sizeof(struct slab) <= SLAB_HEADER, "the header precedes the objects");
_Static_assert(SLAB_HEADER + 4 * CACHE_MAX_SIZE <= SLAB_BYTES, "waste is bounded");

/* Of all caches and slabs. Before the lock of the pages. */
static struct spinlock lock = SPINLOCK("slabs");
static struct cache kmalloc_caches[7]; /* 32 .. 2048 */
static struct cache *caches;

static void partial_push(struct cache *c, struct slab *s)
{
    s->prev = NULL;
    s->next = c->partial;
    if (s->next)
        s->next->prev = s;
    c->partial = s;
}

static void partial_remove(struct cache *c, struct slab *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        c->partial = s->next;
    if (s->next)
        s->next->prev = s->prev;
}

void cache_init(struct cache *c, const char *name, size_t size)
{
    kassert(size > 0 && size <= CACHE_MAX_SIZE);
    if (size < MIN_SIZE)
        size = MIN_SIZE;
    size = align_up(size, size >= 64 ? 64 : 16);
    *c = (struct cache){ .name = name, .size = (uint32_t)size, .next = caches };
    c->per_slab = (uint32_t)((SLAB_BYTES - SLAB_HEADER) / size);
    caches = c;
}

static struct slab *slab_create(struct cache *c)
{
    struct slab *s = page_alloc(SLAB_ORDER);

    if (!s)
        return NULL;
    *s = (struct slab){ .magic = SLAB_MAGIC, .free = c->per_slab, .cache = c };
    for (uint32_t i = 0; i < c->per_slab; i++)
        s->free_map[i / 64] |= 1ull << (i % 64);
    c->free += c->per_slab;
    partial_push(c, s);
    return s;
}

static char *slab_take(struct cache *c, struct slab *s)
{
    unsigned word = 0;

    while (!s->free_map[word])
        word++;
    unsigned bit = (unsigned)__builtin_ctzll(s->free_map[word]);
    s->free_map[word] &= s->free_map[word] - 1;
    if (--s->free == 0)
        partial_remove(c, s);
    c->used++;
    c->free--;
    return (char *)s + SLAB_HEADER + (size_t)(word * 64 + bit) * c->size;
}

void *cache_alloc(struct cache *c)
{
    bool irq = spin_lock(&lock);
    struct slab *s = c->partial ? c->partial : slab_create(c);
    char *object = s ? slab_take(c, s) : NULL;
    if (!object)
        c->failures++;
    spin_unlock(&lock, irq);
    if (object && cmdline.poison)
        memset(object, PAGE_FILL_ALLOC, c->size);
    return object;
}

static struct slab *slab_of(const void *object)
{
    struct slab *s = (struct slab *)align_down((uint64_t)object, SLAB_BYTES);

    if (page_block_order(s) != SLAB_ORDER || s->magic != SLAB_MAGIC)
        panic("free of %p: no such object", object);
    return s;
}

static void slab_give(struct slab *s, void *object)
{
    struct cache *c = s->cache;
    size_t offset = (size_t)((char *)object - (char *)s) - SLAB_HEADER;
    size_t i = offset / c->size;

    if ((char *)object < (char *)s + SLAB_HEADER || offset % c->size || i >= c->per_slab)
        panic("free of %p: inside an object of cache %s", object, c->name);
    if (s->free_map[i / 64] & 1ull << (i % 64))
        panic("free of %p: double free in cache %s", object, c->name);
    if (cmdline.poison)
        memset(object, PAGE_FILL_FREE, c->size);
    s->free_map[i / 64] |= 1ull << (i % 64);
    c->used--;
    c->free++;
    if (s->free++ == 0)
        partial_push(c, s);
    /* An empty slab goes back unless it is the cache's last: alternating at an edge would otherwise
     * build and drop a slab each time. */
    if (s->free == c->per_slab && (s->next || s->prev)) {
        partial_remove(c, s);
        c->free -= c->per_slab;
        s->magic = 0;
        page_free(s);
    }
}

void cache_free(struct cache *c, void *object)
{
    bool irq = spin_lock(&lock);
    struct slab *s = slab_of(object);
    if (s->cache != c)
        panic("free of %p into cache %s: it belongs to %s", object, c->name, s->cache->name);
    slab_give(s, object);
    spin_unlock(&lock, irq);
}

void *kmalloc(size_t bytes)
{
    unsigned class = 0;

    if (bytes > KMALLOC_MAX) {
        unsigned order = page_order(bytes);
        return order <= PAGE_MAX_ORDER ? page_alloc(order) : NULL;
    }
    while (kmalloc_caches[class].size < bytes)
        class ++;
    return cache_alloc(&kmalloc_caches[class]);
}

void *kzalloc(size_t bytes)
{
    void *p = kmalloc(bytes);

    if (p)
        memset(p, 0, bytes);
    return p;
}

void kfree(void *p)
{
    if (!p)
        return;
    if ((uint64_t)p % PAGE_SIZE == 0 && page_block_order(p) >= 0) {
        page_free(p);
        return;
    }
    bool irq = spin_lock(&lock);
    slab_give(slab_of(p), p);
    spin_unlock(&lock, irq);
}

void slab_init(void)
{
    static const char *const names[] = { "kmalloc-32",  "kmalloc-64",  "kmalloc-128",
                                         "kmalloc-256", "kmalloc-512", "kmalloc-1024",
                                         "kmalloc-2048" };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cache_init(&kmalloc_caches[i], names[i], (size_t)MIN_SIZE << i);
}

void slab_print(void)
{
    for (const struct cache *c = caches; c; c = c->next)
        kprintf("cache %-14s %5u bytes  used %llu  free %llu  failures %llu\n", c->name, c->size,
                (unsigned long long)c->used, (unsigned long long)c->free,
                (unsigned long long)c->failures);
}
