#include "ring_pair.h"
#include <string.h>

struct vring ring;
struct ring_dev dev;
_Alignas(4096) uint8_t ring_memory[128 * PAIR_SIZE_MAX];
struct vring_shadow ring_shadow[PAIR_SIZE_MAX];
struct point points[16];
unsigned points_used;
void (*pair_at_fence)(void);
bool pair_packed;
uint16_t pair_indirect;
static uint8_t payload[PAIR_SIZE_MAX][PAIR_BYTES];
static unsigned next_payload;

void test_point(enum test_point_kind kind, const volatile void *at, int order)
{
    points[points_used++ % 16] = (struct point){ kind, at, order };
    if (kind == POINT_FENCE && order == __ATOMIC_SEQ_CST && pair_at_fence)
        pair_at_fence();
}

void pair_init_at(uint16_t size, bool event_idx, uint16_t start)
{
    struct vnet_ring_addr a;
    struct vring_config c = {
        .size = size,
        .start = start,
        .packed = pair_packed,
        .event_idx = event_idx,
        .indirect_parts = pair_indirect,
    };
    memset(ring_memory, 0xab, sizeof(ring_memory)); /* the remains of an earlier life */
    memset(ring_shadow, 0xab, sizeof(ring_shadow));
    assert_true(vring_bytes(&c) <= sizeof(ring_memory));
    assert_int_equal(vring_init(&ring, &c, ring_memory, ring_shadow), 0);
    vring_addresses(&ring, &a);
    struct ring_dev_config d = {
        .size = size,
        .start = start,
        .packed = pair_packed,
        .event_idx = event_idx,
        .indirect = pair_indirect > 0,
        .desc = a.desc,
        .avail = a.avail,
        .used = a.used,
    };
    ring_dev_init(&dev, &d);
    dev.signal_valid = true;
    pair_at_fence = NULL;
    points_used = 0;
}

void pair_init(uint16_t size, bool event_idx)
{
    pair_init_at(size, event_idx, VRING_START(pair_packed));
    dev.signal_valid = false; /* its first decision is always to interrupt */
}

uint16_t pair_position(uint16_t start, uint32_t n)
{
    if (!pair_packed)
        return (uint16_t)(start + n);
    uint32_t slot = (start & ~PVIRTQ_WRAP) + n, laps = slot / ring.size;
    return (uint16_t)(slot % ring.size | ((start & PVIRTQ_WRAP) ^ (laps & 1 ? PVIRTQ_WRAP : 0)));
}

static uint8_t *new_payload(void)
{
    return payload[next_payload++ % PAIR_SIZE_MAX];
}

void pair_add(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t *p = new_payload();
        struct vring_item item = { p, env_dma_addr(p), PAIR_BYTES };
        assert_int_equal(vring_add(&ring, &item, 1, true), 1);
    }
}

int pair_add_parts(unsigned readable, unsigned writable)
{
    struct vring_part parts[RING_DEV_PARTS_MAX];
    void *cookie = NULL;
    for (unsigned i = 0; i < readable + writable; i++) {
        uint8_t *p = new_payload();
        cookie = cookie ? cookie : p;
        parts[i] = (struct vring_part){ env_dma_addr(p), 1 + i % PAIR_BYTES };
    }
    return vring_add_parts(&ring, cookie, parts, readable, writable);
}

void pair_use(unsigned n)
{
    static struct ring_dev_buf b;
    for (unsigned i = 0; i < n; i++) {
        if (!ring_dev_take(&dev, &b))
            fail_msg("nothing to take: %s", dev.driver_error ? dev.driver_error : "ring empty");
        ring_dev_use(&dev, b.id, PAIR_USED);
    }
}

void *pair_pop(uint32_t *bytes, bool *overlong)
{
    struct vring_used used;
    if (!vring_pop(&ring, &used, 1))
        return NULL;
    *bytes = used.bytes;
    *overlong = used.overlong;
    return used.cookie;
}

unsigned pair_pop_all(void)
{
    struct vring_used used[7];
    unsigned n = 0, got;
    while ((got = vring_pop(&ring, used, 7)))
        n += got;
    return n;
}

bool pair_one(void)
{
    pair_add(1);
    vring_publish(&ring);
    pair_use(1);
    ring_dev_show(&dev);
    return ring_dev_signal(&dev);
}

void pair_healthy(void)
{
    if (dev.driver_error)
        fail_msg("device: %s", dev.driver_error);
    assert_int_equal(vring_check(&ring), 0);
    assert_int_equal(ring.broken, 0);
}
