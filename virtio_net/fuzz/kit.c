#include "kit.h"
#include "../test/points.h"
#include "clock.h"
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDZONE 64u

enum place { POOL, DRIVER, STACK };
static const char *const places[] = { "the pool", "the driver", "the stack" };

struct fuzz fuzz;
static struct {
    const uint8_t *at, *end;
} input;
static struct vnet_buf bufs[FUZZ_POOL];
static uint8_t place[FUZZ_POOL];
static uint16_t pool[FUZZ_POOL];
static unsigned pool_used;
static uint8_t data[FUZZ_POOL][VNET_BUF_BYTES + REDZONE];
static _Alignas(VIRTIO_PCI_LEGACY_ALIGN) uint8_t arena[FUZZ_ARENA];
static size_t arena_used;
static uint64_t clock_ns;
static unsigned points;

void fuzz_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("fuzz: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

size_t fuzz_left(void)
{
    return (size_t)(input.end - input.at);
}

uint8_t fuzz_8(void)
{
    return input.at < input.end ? *input.at++ : 0;
}

uint16_t fuzz_16(void)
{
    uint16_t low = fuzz_8();
    return (uint16_t)(low | fuzz_8() << 8);
}

uint32_t fuzz_32(void)
{
    uint32_t low = fuzz_16();
    return low | (uint32_t)fuzz_16() << 16;
}

uint64_t fuzz_64(void)
{
    uint64_t low = fuzz_32();
    return low | (uint64_t)fuzz_32() << 32;
}

int fuzz_clock(clockid_t id, struct timespec *now)
{
    (void)id;
    clock_ns += 10000000; /* a register has ten looks, a command a hundred */
    *now = (struct timespec){ (time_t)(clock_ns / 1000000000), (long)(clock_ns % 1000000000) };
    return 0;
}

void test_point(enum test_point_kind kind, const volatile void *at, int order)
{
    (void)kind;
    (void)at;
    (void)order;
    if (++points > FUZZ_POINTS_MAX)
        fuzz_fail("a call does not end");
    if (!fuzz.turn)
        return;
    if (fuzz.wait) {
        fuzz.wait--;
        return;
    }
    void (*turn)(void) = fuzz.turn;
    fuzz.turn = NULL;
    turn();
}

unsigned fuzz_buf(const struct vnet_buf *b)
{
    size_t i = ((uintptr_t)b - (uintptr_t)bufs) / sizeof(bufs[0]);
    if (i >= FUZZ_POOL || b != &bufs[i])
        fuzz_fail("%p is no buffer", (const void *)b);
    return (unsigned)i;
}

static void move(struct vnet_buf *b, enum place from, enum place to)
{
    unsigned i = fuzz_buf(b);
    if (place[i] != from)
        fuzz_fail("buffer %u goes from %s to %s and belongs to %s", i, places[from], places[to],
                  places[place[i]]);
    place[i] = (uint8_t)to;
    if (to == POOL)
        pool[pool_used++] = (uint16_t)i;
}

static struct vnet_buf *take(enum place to)
{
    struct vnet_buf *b = &bufs[pool[--pool_used]];
    b->next = NULL;
    b->offload = (struct vnet_offload){ 0 };
    move(b, POOL, to);
    return b;
}

static void put_frame(struct vnet_buf *frame, enum place from)
{
    for (struct vnet_buf *b = frame, *next; b; b = next) {
        next = b->next;
        move(b, from, POOL);
    }
}

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **got, uint32_t n)
{
    uint32_t k = 0;
    if (!vnet_is_rx(q) || !n || n > VNET_BATCH)
        fuzz_fail("queue %u asks for %u buffers", q->index, n);
    for (; k < n && pool_used && fuzz.alloc_left; fuzz.alloc_left--)
        got[k++] = take(DRIVER);
    return k;
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **freed, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++)
        move(freed[i], DRIVER, POOL);
}

/* As a stack could do: all of it can be read. */
static void read_frame(const struct vnet_buf *frame)
{
    unsigned parts = 0;
    for (const struct vnet_buf *b = frame; b; b = b->next) {
        uint32_t room = b == frame ? VNET_HDR_BYTES : 0;
        if (++parts > VNET_PARTS_MAX || b->len > b->capacity - room)
            fuzz_fail("a frame has %u bytes in its part %u", b->len, parts);
        if (__asan_region_is_poisoned(b->data + room, b->len))
            fuzz_fail("part %u of a frame lies outside its buffer", parts);
    }
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **frames, uint32_t n)
{
    if (!vnet_is_rx(q) || !n || n > VNET_BATCH)
        fuzz_fail("queue %u hands up %u frames", q->index, n);
    for (uint32_t i = 0; i < n; i++) {
        for (struct vnet_buf *b = frames[i]; b; b = b->next)
            move(b, DRIVER, STACK);
        read_frame(frames[i]);
        if (fuzz.received)
            fuzz.received(frames[i]);
        fuzz.frames++;
        put_frame(frames[i], STACK);
    }
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **frames, uint32_t n)
{
    if (vnet_is_rx(q) || !n || n > VNET_BATCH)
        fuzz_fail("queue %u is done with %u frames", q->index, n);
    for (uint32_t i = 0; i < n; i++)
        put_frame(frames[i], DRIVER);
}

void vnet_up_schedule(struct vnet_q *q)
{
    if (!fuzz.in_irq || q->index >= vnet_queues(&fuzz.dev))
        fuzz_fail("queue %u schedules a poll outside its interrupt", q->index);
}

static void give_back(struct vnet_q *q, struct vnet_buf *frame)
{
    (void)q;
    put_frame(frame, DRIVER);
}

void fuzz_begin(const uint8_t *bytes, size_t size)
{
    input.at = bytes;
    input.end = bytes + size;
    if (arena_used)
        ASAN_POISON_MEMORY_REGION(arena, arena_used);
    else
        ASAN_POISON_MEMORY_REGION(arena, sizeof(arena));
    memset(&fuzz, 0, sizeof(fuzz));
    fuzz.alloc_left = UINT32_MAX;
    arena_used = pool_used = 0;
    for (unsigned i = 0; i < FUZZ_POOL; i++) {
        if (!bufs[i].data)
            ASAN_POISON_MEMORY_REGION(data[i] + VNET_BUF_BYTES, REDZONE);
        bufs[i] = (struct vnet_buf){ .data = data[i], .capacity = VNET_BUF_BYTES };
        place[i] = POOL;
        pool[pool_used++] = (uint16_t)i;
    }
    clock_ns = points = 0;
}

/* Page-aligned, with poison before and behind; NULL: more than there is. */
static void *memory(size_t bytes)
{
    size_t step =
        (bytes + REDZONE + VIRTIO_PCI_LEGACY_ALIGN - 1) & ~(VIRTIO_PCI_LEGACY_ALIGN - 1ul);
    if (step > sizeof(arena) - arena_used)
        return NULL;
    uint8_t *p = arena + arena_used;
    ASAN_UNPOISON_MEMORY_REGION(p, bytes);
    arena_used += step;
    return p;
}

void fuzz_check(void)
{
    points = 0;
    for (int i = 0; fuzz.started && i < vnet_queues(&fuzz.dev); i++) {
        const struct vnet_q *q = &fuzz.dev.q[i];
        int line = vnet_check(q);
        if (line)
            fuzz_fail("queue %d: the invariant of vring.c:%d does not hold", i, line);
        if (!strcmp(vnet_error_text(-(int)q->ring.broken), "unknown error"))
            fuzz_fail("queue %d is broken for no reason", i);
    }
}

/* A call that fails leaves a reason, and a device that was told. */
static int failed(int error)
{
    if (error > 0 || (error && !strcmp(vnet_error_text(error), "unknown error")))
        fuzz_fail("a call returns %d", error);
    return error;
}

int fuzz_attach(void)
{
    int error = failed(model_any_probe(&fuzz.model, &fuzz.transport));
    if (!error)
        error = failed(vnet_attach(&fuzz.dev, fuzz.transport, &fuzz.config));
    fuzz_check();
    return error;
}

int fuzz_start(void)
{
    void *ring[VNET_QUEUES_MAX + 1], *shadow[VNET_QUEUES_MAX + 1];
    int n = vnet_queues(&fuzz.dev);
    bool room = true;
    for (int i = 0; i < n; i++) {
        ring[i] = memory(vring_bytes(&fuzz.dev.q[i].layout));
        shadow[i] = memory(vring_shadow_bytes(&fuzz.dev.q[i].layout));
        room = room && ring[i] && shadow[i];
    }
    if (fuzz.dev.ctrl.on) {
        ring[n] = memory(vnet_ctrl_bytes(&fuzz.dev));
        shadow[n] = memory(vring_shadow_bytes(&fuzz.dev.ctrl.layout));
        room = room && ring[n] && shadow[n];
    }
    if (!room)
        return -VNET_E_MEMORY; /* no port would have more for it either */
    int error = failed(vnet_start(&fuzz.dev, ring, shadow));
    fuzz.started = true;
    points = 0;
    return error;
}

void fuzz_stop(void)
{
    fuzz.turn = NULL;
    points = 0;
    int error = fuzz.started ? vnet_stop(&fuzz.dev, give_back) : 0;
    if (error && error != -VNET_E_RESET_TIMEOUT)
        fuzz_fail("the stop ends with %s", vnet_error_text(error));
    if (!error && pool_used != FUZZ_POOL)
        fuzz_fail("%u of %u buffers are back", pool_used, FUZZ_POOL);
    fuzz_check();
}

bool fuzz_send(unsigned parts, uint32_t each, const struct vnet_offload *offload)
{
    struct vnet_buf *frame = NULL, **link = &frame;
    if (pool_used < parts)
        return false;
    for (unsigned i = 0; i < parts; i++) {
        struct vnet_buf *b = *link = take(DRIVER);
        b->len = each;
        link = &b->next;
    }
    frame->offload = *offload;
    if (vnet_tx(&fuzz.dev.q[VNET_TX], &frame, 1))
        return true;
    put_frame(frame, DRIVER);
    return false;
}

void fuzz_irq(unsigned queue)
{
    if (fuzz.in_irq)
        return;
    fuzz.in_irq = true;
    vnet_irq(&fuzz.dev.q[queue % vnet_queues(&fuzz.dev)]);
    fuzz.in_irq = false;
}

bool fuzz_queue_reset(unsigned queue)
{
    struct vnet_q *q = &fuzz.dev.q[queue];
    int error = failed(vnet_queue_reset(q, give_back));
    if (error)
        return error == -VNET_E_NO_QUEUE_RESET;
    return !failed(vnet_queue_restart(q, fuzz.dev.memory[queue], fuzz.dev.shadow[queue]));
}

int fuzz_restart(void)
{
    return failed(vnet_restart(&fuzz.dev, give_back));
}
