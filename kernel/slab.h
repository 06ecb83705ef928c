/* Objects smaller than a page: caches of one size, and kmalloc on top of them. All objects are
 * physically contiguous and may be given to a device. */
#ifndef KERNEL_SLAB_H
#define KERNEL_SLAB_H

#include <stddef.h>
#include <stdint.h>

#define CACHE_MAX_SIZE 4032

struct slab;

struct cache {
    const char *name;
    uint32_t size;        /* bytes per object, rounded up to the alignment */
    uint32_t per_slab;    /* objects */
    struct slab *partial; /* slabs with a free object */
    struct cache *next;
    uint64_t used, free; /* objects */
    uint64_t failures;   /* allocations that found no memory */
};

/* Prepares a cache of objects of size bytes (1..CACHE_MAX_SIZE), aligned to 16 bytes, or to 64 when
 * size >= 64. The struct is the caller's and lives for ever; name is not copied. */
void cache_init(struct cache *c, const char *name, size_t size);

/* NULL when memory is out. Contents are PAGE_FILL_ALLOC bytes unless poison=off. Both callable from
 * interrupt handlers. Freeing twice, or into the wrong cache, panics. */
void *cache_alloc(struct cache *c);
void cache_free(struct cache *c, void *object);

/* Up to 1 MiB; larger than 2048 bytes comes in whole pages. kzalloc is zeroed. kfree(NULL) is
 * allowed. */
void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);
void kfree(void *p);

void slab_init(void);

/* One line per cache on the console. */
void slab_print(void);

#endif
