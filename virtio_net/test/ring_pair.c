#include "ring_pair.h"
#include <string.h>

struct vring ring;
struct ring_dev dev;
_Alignas(16) uint8_t ring_memory[64 * PAIR_SIZE_MAX];
struct vring_shadow ring_shadow[PAIR_SIZE_MAX];
struct point points[16];
unsigned points_used;
void (*pair_at_fence)(void);
static uint8_t payload[PAIR_SIZE_MAX][PAIR_BYTES];
static unsigned next_payload;

void test_point(enum test_point_kind kind, const volatile void *at, int order)
{
    points[points_used++ % 16] = (struct point){ kind, at, order };
    if (kind == POINT_FENCE && order == __ATOMIC_SEQ_CST && pair_at_fence)
        pair_at_fence();
}

void pair_init(uint16_t size, bool event_idx)
{
    struct vnet_ring_addr a;
    memset(ring_memory, 0xab, sizeof(ring_memory)); /* the remains of an earlier life */
    memset(ring_shadow, 0xab, sizeof(ring_shadow));
    assert_true(vring_bytes(size, VIRTQ_USED_ALIGN) <= sizeof(ring_memory));
    assert_int_equal(vring_init(&ring, size, VIRTQ_USED_ALIGN, event_idx, ring_memory, ring_shadow),
                     0);
    vring_addresses(&ring, &a);
    ring_dev_init(&dev, size, event_idx, a.desc, a.avail, a.used);
    pair_at_fence = NULL;
    points_used = 0;
}

void pair_init_at(uint16_t size, bool event_idx, uint16_t past)
{
    pair_init(size, event_idx);
    ring.avail_idx = ring.used_idx = ring.kicked_idx = ring.parked_idx = past;
    ring.published = ring.harvested = past;
    ring.avail->idx = ring.used->idx = past;
    dev.last_avail = dev.used_next = dev.used_shown = dev.signalled = past;
    dev.signalled_valid = true;
}

void pair_add(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t *p = payload[next_payload++ % PAIR_SIZE_MAX];
        assert_int_equal(vring_add(&ring, p, env_dma_addr(p), PAIR_BYTES, true), 0);
    }
}

void pair_use(unsigned n)
{
    struct ring_dev_buf b;
    for (unsigned i = 0; i < n; i++) {
        if (!ring_dev_take(&dev, &b))
            fail_msg("nothing to take: %s", dev.driver_error ? dev.driver_error : "ring empty");
        ring_dev_use(&dev, b.id, PAIR_USED);
    }
}

unsigned pair_pop_all(void)
{
    uint32_t bytes;
    bool overlong;
    unsigned n = 0;
    while (vring_pop(&ring, &bytes, &overlong))
        n++;
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
