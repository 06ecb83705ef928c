#include "sides.h"

#include <stdlib.h>
#include <string.h>

#include "../machine.h"

#define PAGE       4096u
#define DELTA_BITS 27

struct page {
    uint64_t time;
    uint64_t commit;
    uint8_t data[PAGE - 16];
};

struct entry {
    uint32_t type_delta; /* 5 bits of type and length, 27 of time */
    uint16_t id;
    uint8_t vq, flags;
    uint32_t seq, pad;
    uint64_t a, b;
};

static struct {
    struct page *pages;
    uint64_t count, tail_page;
    uint64_t tail; /* bytes used of the tail page's data */
    uint64_t last_time, lost, committing;
    bool overwrite;
} ring;

void ring_begin(uint64_t bytes, bool overwrite)
{
    free(ring.pages);
    memset(&ring, 0, sizeof ring);
    ring.count = bytes / PAGE;
    ring.pages = aligned_alloc(PAGE, ring.count * PAGE);
    if (!ring.pages)
        abort();
    memset(ring.pages, 0, ring.count * PAGE);
    ring.overwrite = overwrite;
}

static bool next_page(void)
{
    if (!ring.overwrite && ring.tail_page + 1 == ring.count)
        return false;
    struct page *p = &ring.pages[++ring.tail_page % ring.count];
    p->time = trace_now();
    p->commit = 0;
    ring.last_time = p->time;
    ring.tail = 0;
    return true;
}

static struct entry *reserve(void)
{
    for (;;) {
        uint64_t tail = __atomic_load_n(&ring.tail, __ATOMIC_RELAXED);
        uint64_t last = __atomic_load_n(&ring.last_time, __ATOMIC_RELAXED);
        struct page *p = &ring.pages[ring.tail_page % ring.count];
        if (tail + sizeof(struct entry) > sizeof p->data) {
            if (next_page())
                continue;
            trace_local_inc(&ring.lost);
            return NULL;
        }
        uint64_t now = trace_now();
        if (!trace_local_cmpxchg(&ring.tail, tail, tail + sizeof(struct entry)))
            continue;
        __atomic_store_n(&ring.last_time, now, __ATOMIC_RELAXED);
        struct entry *e = (struct entry *)(p->data + tail);
        e->type_delta = (uint32_t)(now - last) << (32 - DELTA_BITS) | 7;
        return e;
    }
}

static __attribute__((noinline)) void write_one(uint16_t id, uint8_t vq, uint8_t flags,
                                                uint32_t seq, uint64_t a, uint64_t b)
{
    trace_local_inc(&ring.committing);
    struct entry *e = reserve();
    if (e) {
        e->id = id;
        e->vq = vq;
        e->flags = flags;
        e->seq = seq;
        e->a = a;
        e->b = b;
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (ring.committing == 1)
        __atomic_store_n(&ring.pages[ring.tail_page % ring.count].commit, ring.tail,
                         __ATOMIC_RELEASE);
    __atomic_store_n(&ring.committing, ring.committing - 1, __ATOMIC_RELAXED);
}

void ring_on(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        write_one(11, 1, 0, (uint32_t)i, i, i);
}
