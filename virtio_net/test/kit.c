#include "kit.h"
#include "points.h"

struct model device;
struct vnet_transport *transport;
struct vnet_dev dev;
struct vnet_config config;
_Alignas(VIRTIO_PCI_LEGACY_ALIGN) uint8_t kit_rings[VNET_QUEUES][16384];
struct vring_shadow kit_shadows[VNET_QUEUES][256];
unsigned kit_pool;
static struct vnet_buf pool[600];
static uint8_t data[VNET_BUF_BYTES];
static unsigned pool_used;

void test_point(enum test_point_kind point, const volatile void *at, int order)
{
    (void)point;
    (void)at;
    (void)order;
}

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t k = 0;
    (void)q;
    for (; k < n && pool_used < kit_pool; k++) {
        pool[pool_used] = (struct vnet_buf){ .data = data, .capacity = sizeof(data) };
        bufs[k] = &pool[pool_used++];
    }
    return k;
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    fail_msg("no ring broke: %p %p %u", (void *)q, (void *)bufs, n);
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    fail_msg("nothing was received: %p %p %u", (void *)q, (void *)bufs, n);
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    fail_msg("nothing was sent: %p %p %u", (void *)q, (void *)bufs, n);
}

void vnet_up_schedule(struct vnet_q *q)
{
    (void)q;
}

void kit_offer(enum model_kind kind, uint64_t features)
{
    model_any_init(&device, kind, features, 256);
    config = (struct vnet_config){ .want = vnet_features_default(),
                                   .vector = { 0, 1 },
                                   .config_vector = 2 };
    if (kind == MODEL_MMIO)
        config.vector[0] = config.vector[1] = config.config_vector = VIRTIO_MSI_NO_VECTOR;
    pool_used = 0;
    kit_pool = sizeof(pool) / sizeof(pool[0]);
}

static int obeyed(int error)
{
    if (model_violation(&device))
        fail_msg("device: %s", model_violation(&device));
    return error;
}

int kit_probe(void)
{
    return obeyed(model_any_probe(&device, &transport));
}

int kit_attach(void)
{
    int error = kit_probe();
    return error ? error : obeyed(vnet_attach(&dev, transport, &config));
}

int kit_start(void)
{
    void *memory[] = { kit_rings[0], kit_rings[1] };
    void *shadow[] = { kit_shadows[0], kit_shadows[1] };
    return obeyed(vnet_start(&dev, memory, shadow));
}

void kit_up(enum model_kind kind, uint64_t features)
{
    kit_offer(kind, features);
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(kit_start(), 0);
}

void kit_failed_with(int error, enum vnet_error want)
{
    assert_int_equal(error, -(int)want);
    assert_string_not_equal(vnet_error_text(error), "unknown error");
    assert_true(device.status & VIRTIO_STATUS_FAILED);
}
