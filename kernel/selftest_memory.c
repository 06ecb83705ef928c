#include "ap_boot.h"
#include "bootinfo.h"
#include "cmdline.h"
#include "layout.h"
#include "page.h"
#include "region.h"
#include "selftest.h"
#include "slab.h"
#include "string.h"
#include "vm.h"
#include "x86.h"

/* Taking all memory touches all of it, which the host must then have. */
#define EXHAUST_MAX (256ull << 20)

static bool filled(const void *p, uint8_t byte, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        if (b[i] != byte)
            return false;
    return true;
}

static bool in_region(const void *p, size_t n)
{
    const char *start = region_base(), *end = start + region_bytes();

    return (const char *)p < end && (const char *)p + n > start;
}

static void test_pages(void)
{
    uint64_t free_before = page_free_count(), used_before = page_used_count();

    for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++) {
        size_t bytes = PAGE_SIZE << order;
        char *p = page_alloc(order);
        CHECK(p && virt_to_phys(p) % bytes == 0 && page_block_order(p) == (int)order);
        CHECK(page_order(bytes) == order && page_order(bytes + 1) == order + 1);
        CHECK(!cmdline.poison || filled(p, PAGE_FILL_ALLOC, bytes));
        page_free(p);
        CHECK(!cmdline.poison || filled(p, PAGE_FILL_FREE, bytes));
        CHECK(page_block_order(p) == -1);
    }
    CHECK(page_free_count() == free_before && page_used_count() == used_before);
}

/* Takes all memory in blocks of one order, chained through themselves. */
static uint64_t exhaust(unsigned order, char **chain)
{
    uint64_t n = 0;
    char *p;

    while ((p = page_alloc(order))) {
        CHECK(!in_region(p, PAGE_SIZE << order) && p >= __kernel_end);
        memcpy(p, chain, sizeof(p));
        *chain = p;
        n++;
    }
    return n;
}

static void release(char *chain)
{
    while (chain) {
        char *next;
        memcpy(&next, chain, sizeof(next));
        page_free(chain);
        chain = next;
    }
}

static void test_exhaustion(void)
{
    uint64_t free_before = page_free_count();
    char *large = NULL, *small = NULL;

    if (bootinfo.ram_bytes > EXHAUST_MAX)
        return;
    uint64_t blocks = exhaust(PAGE_MAX_ORDER, &large);

    exhaust(0, &small);
    CHECK(page_free_count() == 0 && !page_alloc(0) && !kmalloc(4096));
    release(small);
    release(large);
    CHECK(page_free_count() == free_before);
    /* Everything was merged again: as many large blocks as before. */
    large = NULL;
    CHECK(exhaust(PAGE_MAX_ORDER, &large) == blocks);
    release(large);
    CHECK(page_free_count() == free_before);
}

#define OBJECTS 300

static void test_cache(uint32_t size)
{
    static struct cache caches[8];
    static int used;
    static uint8_t *objects[OBJECTS];
    struct cache *c = &caches[used++];
    bool apart = true;

    cache_init(c, "selftest", size);
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = cache_alloc(c);
        CHECK(objects[i] && (uint64_t)objects[i] % (size >= 64 ? 64 : 16) == 0);
        CHECK(!cmdline.poison || filled(objects[i], PAGE_FILL_ALLOC, size));
        memset(objects[i], i, size);
    }
    for (int i = 0; i < OBJECTS; i++)
        apart &= filled(objects[i], (uint8_t)i, size);
    CHECK(apart);
    CHECK(c->used == OBJECTS && (c->used + c->free) % c->per_slab == 0);
    for (int i = 0; i < OBJECTS; i++)
        cache_free(c, objects[(i * 7) % OBJECTS]);
    CHECK(c->used == 0 && c->free == c->per_slab);
}

static void test_kmalloc(void)
{
    static const size_t sizes[] = { 1, 31, 32, 33, 100, 2047, 2048, 2049, 4096, 5000, 1 << 20 };
    uint64_t used_before;

    for (int round = 0; round < 2; round++) {
        used_before = page_used_count();
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            char *p = kzalloc(sizes[i]);
            CHECK(p && filled(p, 0, sizes[i]));
            kfree(p);
        }
    }
    kfree(NULL);
    CHECK(page_used_count() == used_before); /* each cache keeps the one slab of round one */
    CHECK(!kmalloc((1 << 20) + 1));
}

/* No leaf of any table may be both writable and executable: a set NX bit is inherited downwards,
 * and the tables above leave everything allowed. */
static uint64_t writable_and_executable(const uint64_t *table, int level)
{
    uint64_t found = 0;

    for (int i = 0; i < 512; i++) {
        uint64_t e = table[i];
        if (!(e & 1))
            continue;
        if (level > 0 && !(e & 0x80))
            found += writable_and_executable(phys_to_virt(e & 0x000ffffffffff000ull), level - 1);
        else
            found += e & 2 && !(e >> 63);
    }
    return found;
}

static void test_page_tables(void)
{
    CHECK(writable_and_executable(phys_to_virt(read_cr3()), 3) == 0);
    CHECK(!vm_mapped(0) && !vm_mapped(0xff000) && !vm_mapped(1ull << 47));
    CHECK(!vm_mapped(AP_TRAMPOLINE)); /* no CPU needs it any more */
    CHECK(vm_mapped((uint64_t)__text_start) && vm_mapped((uint64_t)region_base()));
    CHECK(vm_mapped((uint64_t)region_base() + region_bytes() - 1));
    for (unsigned i = 0; i < bootinfo.ranges; i++) {
        CHECK(vm_mapped(bootinfo.ram[i].start) && vm_mapped(bootinfo.ram[i].end - 1));
        (void)*(volatile char *)phys_to_virt(bootinfo.ram[i].end - 1);
    }
    for (int i = 0; i < CPU_MAX * STACK_COUNT; i++) {
        const struct kernel_stack *stack = &kernel_stacks[i / STACK_COUNT][i % STACK_COUNT];
        CHECK(vm_is_guard((uint64_t)stack->guard));
        CHECK(vm_mapped((uint64_t)stack->memory));
    }
}

void selftest_memory(void)
{
    test_pages();
    test_exhaustion();
    test_cache(24);
    test_cache(64);
    test_cache(1000);
    test_cache(2048);
    test_cache(CACHE_MAX_SIZE);
    test_kmalloc();
    test_page_tables();
}
