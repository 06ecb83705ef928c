/* The legacy PCI interface: what is different from everything after it. */
#include "kit.h"

#define OFFER ((KIT_BASIC & UINT32_MAX) | VNET_F(ANY_LAYOUT))

/* "Legacy Interfaces: A Note on Virtqueue Layout", its formula. */
static size_t virtq_size(unsigned qsz)
{
    const size_t qalign = 4096;
    size_t desc_avail = 16 * qsz + 2 * (3 + qsz), used = 2 * 3 + 8 * qsz;
    return (desc_avail + qalign - 1) / qalign * qalign + used;
}

static void test_ring_layout(void **state)
{
    (void)state;
    for (unsigned size = 1; size <= VIRTQ_SIZE_MAX; size *= 2) {
        struct vring_config c = { .size = (uint16_t)size, .legacy = true };
        assert_int_equal(vring_bytes(&c), virtq_size(size));
    }
    kit_up(MODEL_LEGACY, OFFER);
    for (int i = 0; i < VNET_QUEUES; i++) {
        assert_int_equal(vring_bytes(&dev.q[i].layout), virtq_size(256));
        /* The model works the places out from the page number alone. */
        assert_int_equal(device.queue[i].ring.c.avail, (uintptr_t)dev.q[i].ring.s.avail);
        assert_int_equal(device.queue[i].ring.c.used, (uintptr_t)dev.q[i].ring.s.used);
        assert_int_equal(dev.q[i].bell.kind, ENV_BELL_PORT16);
    }
}

static void test_memory(void **state)
{
    void *memory[] = { kit_rings[0] + 2048, kit_rings[1] };
    void *shadow[] = { kit_shadows[0], kit_shadows[1] };
    (void)state;
    kit_offer(MODEL_LEGACY, OFFER);
    assert_int_equal(kit_attach(), 0);
    kit_failed_with(vnet_start(&dev, memory, shadow), VNET_E_MEMORY);
}

/* The page number has 32 bits. */
static void test_far_memory(void **state)
{
    const struct vnet_ring_addr near = { .desc = 0xffffffffull << 12, .used = 0xffffffffull << 12 };
    const struct vnet_ring_addr far = { .desc = 1ull << 44, .used = (1ull << 44) + 8192 };
    struct env_bell bell;
    (void)state;
    kit_offer(MODEL_LEGACY, OFFER);
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(transport->ops->queue_setup(transport, 0, 256, &far, 0, &bell),
                     -VNET_E_MEMORY);
    assert_int_equal(transport->ops->queue_setup(transport, 0, 256, &near, 0, &bell), 0);
    assert_int_equal(device.queue[0].page, 0xffffffff);
}

/* The device fixes the size: any other is refused and named. */
static void test_size_is_fixed(void **state)
{
    (void)state;
    kit_offer(MODEL_LEGACY, OFFER);
    config.ring_size[VNET_RX] = 256;
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(kit_start(), 0);
    kit_offer(MODEL_LEGACY, OFFER);
    config.ring_size[VNET_RX] = 128;
    assert_int_equal(kit_attach(), 0);
    kit_failed_with(kit_start(), VNET_E_QUEUE_FIXED);
}

static void test_queue_in_use(void **state)
{
    (void)state;
    kit_offer(MODEL_LEGACY, OFFER);
    assert_int_equal(kit_attach(), 0);
    device.queue[VNET_TX].enable = 1;
    device.queue[VNET_TX].page = 5;
    kit_failed_with(kit_start(), VNET_E_QUEUE_IN_USE);
}

/* 32 bits, of which ANY_LAYOUT must be there: the header shares a descriptor with its frame. */
static void test_features(void **state)
{
    (void)state;
    kit_offer(MODEL_LEGACY, ~0ull);
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(device.accepted, OFFER | VNET_F(MTU));
    assert_int_equal(dev.features.offered, UINT32_MAX);
    assert_int_equal(dev.features.missing, 0);
    kit_offer(MODEL_LEGACY, KIT_BASIC);
    kit_failed_with(kit_attach(), VNET_E_FEATURE_MISSING);
}

/* With MSI-X two registers come before the configuration, and without it they are not there. */
static void test_config_moves(void **state)
{
    (void)state;
    for (unsigned vectors = 0; vectors <= 4; vectors += 4) {
        kit_offer(MODEL_LEGACY, OFFER);
        device.vectors = (uint16_t)vectors;
        if (!vectors)
            config.vector[0] = config.vector[1] = config.config_vector = VIRTIO_MSI_NO_VECTOR;
        device.config.status = 0;
        assert_int_equal(kit_attach(), 0);
        assert_memory_equal(dev.mac, device.config.mac, 6);
        assert_false(dev.link_up);
        assert_int_equal(kit_start(), 0);
    }
}

/* A BAR that ends inside the configuration, and one before it. */
/* rule: CS-4 */ /* rule: CS-5 */
static void test_ports(void **state)
{
    (void)state;
    kit_offer(MODEL_LEGACY, OFFER);
    device.port_bytes = 32;
    assert_int_equal(kit_attach(), 0);
    assert_memory_equal(dev.mac, device.config.mac, 6);
    kit_offer(MODEL_LEGACY, OFFER);
    device.port_bytes = 0x1000;
    assert_int_equal(kit_attach(), 0);
    kit_offer(MODEL_LEGACY, OFFER);
    device.port_bytes = 20;
    assert_int_equal(kit_attach(), -VNET_E_NO_PORTS);
    kit_offer(MODEL_LEGACY, OFFER);
    device.port_bytes = 0; /* a memory BAR, or none */
    assert_int_equal(kit_attach(), -VNET_E_NO_PORTS);
}

/* Ten bytes, right before the frame. */
/* rule: TX-1 rule: RX-4 */
static void test_header(void **state)
{
    static uint8_t data[VNET_BUF_BYTES];
    struct vnet_buf frame = { .data = data, .capacity = sizeof(data), .len = 60 }, *b = &frame;
    struct ring_dev_buf seen;
    (void)state;
    kit_up(MODEL_LEGACY, OFFER);
    for (unsigned i = 0; i < VNET_HDR_BYTES; i++)
        data[i] = 0xab;
    assert_int_equal(vnet_tx(&dev.q[VNET_TX], &b, 1), 1);
    vnet_flush(&dev.q[VNET_TX]);
    assert_true(ring_dev_take(&device.queue[VNET_TX].ring, &seen));
    assert_ptr_equal(seen.part[0].data, data + VNET_HDR_BYTES - 10);
    assert_int_equal(seen.readable_bytes, 70);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(seen.part[0].data[i], 0);
    assert_true(ring_dev_take(&device.queue[VNET_RX].ring, &seen));
    assert_int_equal(seen.writable_bytes, VNET_BUF_BYTES - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_layout),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_far_memory),   cmocka_unit_test(test_size_is_fixed),
        cmocka_unit_test(test_queue_in_use), cmocka_unit_test(test_features),
        cmocka_unit_test(test_config_moves), cmocka_unit_test(test_ports),
        cmocka_unit_test(test_header),
    };
    return cmocka_run_group_tests_name("legacy", tests, NULL, NULL);
}
