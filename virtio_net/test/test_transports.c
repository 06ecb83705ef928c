/* What holds on every transport: the order of things, what a device may take its time for, what it
 * may refuse, one queue reset and set up again. */
#include "kit.h"

#define EACH_KIND for (enum model_kind kind = MODEL_MODERN; kind < MODEL_KINDS; kind++)
#define EACH_PCI  EACH_KIND if (kind != MODEL_MMIO)

static unsigned given_back;

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    (void)q;
    assert_non_null(b);
    given_back++;
}

/* rule: DS-1 */ /* rule: DI-1 */ /* rule: DI-2 */ /* rule: DI-6 */ /* rule: PC-15 */
/* rule: MM-21 */                                                   /* rule: RF-1 */
static void test_starts(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(transport->legacy, kind == MODEL_LEGACY);
        assert_memory_equal(dev.mac, device.config.mac, 6);
        assert_true(dev.link_up);
        unsigned settled = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;
        settled |= kind == MODEL_LEGACY ? 0 : VIRTIO_STATUS_FEATURES_OK;
        assert_int_equal(device.status, settled);
        assert_int_equal(kit_start(), 0);
        assert_int_equal(device.status, settled | VIRTIO_STATUS_DRIVER_OK);
        for (int i = 0; i < VNET_QUEUES; i++) {
            assert_int_equal(device.queue[i].enable, 1);
            assert_int_equal(device.queue[i].size, 256);
            assert_int_equal(device.queue[i].vector, config.vector[i]);
            assert_int_equal(device.queue[i].ring.c.desc, (uintptr_t)kit_rings[i]);
            assert_int_equal(device.queue[i].ring.c.used, (uintptr_t)dev.q[i].ring.s.used);
        }
        assert_int_equal(device.config_vector, config.config_vector);
        assert_int_equal(device.queue[VNET_RX].doorbells, 1);
        assert_int_equal(device.queue[VNET_TX].doorbells, 0);
        assert_int_equal(dev.q[VNET_RX].ring.published, 256);
        assert_true(ring_dev_waiting(&device.queue[VNET_RX].ring));
    }
}

/* rule: RS-1 */ /* rule: PC-16 */
static void test_slow_device(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.reset_reads = device.features_ok_reads = device.enable_reads = 200;
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(kit_start(), 0);
        assert_int_equal(dev.q[VNET_RX].ring.published, 256);
        assert_true(ring_dev_waiting(&device.queue[VNET_RX].ring));
    }
}

/* rule: DI-4 */ /* rule: DI-5 */
static void test_device_that_never_gets_there(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.hangs_in_reset = true;
        assert_int_equal(kit_attach(), -VNET_E_RESET_TIMEOUT);
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.refuses_features = true;
        if (kind == MODEL_LEGACY) /* it has no way to say so */
            assert_int_equal(kit_attach(), 0);
        else
            kit_failed_with(kit_attach(), VNET_E_FEATURES_REFUSED);
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.never_enables = true;
        assert_int_equal(kit_attach(), 0);
        kit_failed_with(kit_start(), VNET_E_ENABLE_TIMEOUT);
        assert_false(device.status & VIRTIO_STATUS_DRIVER_OK);
        assert_int_equal(device.queue[VNET_RX].doorbells, 0);
    }
}

/* rule: DS-2 */ /* rule: DS-3 */
static void test_again_after_failure(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.never_enables = true;
        assert_int_equal(kit_attach(), 0);
        kit_failed_with(kit_start(), VNET_E_ENABLE_TIMEOUT);
        device.never_enables = false;
        for (int i = 0; i < 2; i++) { /* and over a running device */
            assert_int_equal(kit_attach(), 0);
            assert_int_equal(kit_start(), 0);
        }
        given_back = 0;
        assert_int_equal(vnet_stop(&dev, give_back), 0);
        assert_int_equal(given_back, 256);
        assert_null(model_violation(&device));
    }
}

/* rule: DI-3 */
static void test_no_queue(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.num_queues = 1;
        kit_failed_with(kit_attach(), VNET_E_NO_QUEUE);
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        config.ring_size[VNET_TX] = 512;
        kit_failed_with(kit_attach(), VNET_E_QUEUE_SIZE);
    }
}

/* rule: CS-1 */ /* rule: CS-2 */
static void test_config_churn(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.churn = 14;
        assert_int_equal(kit_attach(), 0);
        assert_memory_equal(dev.mac, device.config.mac, 6);
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.churn = 1000;
        kit_failed_with(kit_attach(), VNET_E_CONFIG);
    }
}

/* rule: CS-3 */
static void test_unoffered_config_is_not_read(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_offer(kind, VNET_F(VERSION_1) | VNET_F(ANY_LAYOUT));
        device.config.status = 0;
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(dev.mac[0] & 3, 2); /* made here */
        assert_true(dev.link_up);
    }
}

/* rule: VR-1 */ /* rule: VR-2 */ /* rule: PC-18 */ /* rule: MM-17 */
static void test_queue_reset(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * VNET_QUEUES; i++) {
        unsigned queue = i / 2;
        struct vnet_q *q = &dev.q[queue];
        kit_offer(i & 1 ? MODEL_MMIO : MODEL_MODERN, KIT_BASIC | VNET_F(RING_RESET));
        device.queue_reset_reads = 200;
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(kit_start(), 0);
        given_back = 0;
        assert_int_equal(vnet_queue_reset(q, give_back), 0);
        assert_int_equal(given_back, queue == VNET_RX ? 256 : 0);
        assert_int_equal(q->stats.given_back, given_back);
        assert_int_equal(device.queue[queue].enable, 0);
        assert_int_equal(device.queue[!queue].enable, 1);
        assert_int_equal(vnet_check(q), 0);
        assert_int_equal(vnet_queue_restart(q, kit_rings[queue], kit_shadows[queue]), 0);
        assert_null(model_violation(&device));
        assert_int_equal(device.queue[queue].enable, 1);
        assert_int_equal(device.queue[queue].vector, config.vector[queue]);
        assert_int_equal(dev.q[VNET_RX].ring.published, 256);
        assert_true(ring_dev_waiting(&device.queue[VNET_RX].ring));
        assert_int_equal(device.queue[VNET_RX].doorbells, queue == VNET_RX ? 2 : 1);
        assert_int_equal(vnet_check(q), 0);
    }
}

/* A queue whose reset does not end stays the device's, buffers and all; as does one of which the
 * device says that the reset is over and the queue enabled. */
/* rule: VR-1 */
static void test_queue_reset_timeout(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        kit_up(i & 1 ? MODEL_MMIO : MODEL_MODERN, KIT_BASIC | VNET_F(RING_RESET));
        device.hangs_in_queue_reset = i & 2;
        device.keeps_queue_enabled = !device.hangs_in_queue_reset;
        given_back = 0;
        assert_int_equal(vnet_queue_reset(&dev.q[VNET_RX], give_back), -VNET_E_QUEUE_RESET_TIMEOUT);
        assert_int_equal(given_back, 0);
        assert_int_equal(vnet_stop(&dev, give_back), 0);
        assert_int_equal(given_back, 256);
    }
}

static void test_no_queue_reset(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_up(kind,
               KIT_BASIC | VNET_F(ANY_LAYOUT) | (kind == MODEL_LEGACY ? VNET_F(RING_RESET) : 0));
        given_back = 0;
        assert_int_equal(vnet_queue_reset(&dev.q[VNET_RX], give_back), -VNET_E_NO_QUEUE_RESET);
        assert_int_equal(given_back, 0);
        assert_int_equal(device.queue[VNET_RX].enable, 1);
        assert_null(model_violation(&device));
    }
}

/* A configuration that ends before a field has 0 there. */
static void test_short_config(void **state)
{
    (void)state;
    EACH_PCI
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT) | VNET_F(MTU));
        device.caps[0].length = 8;
        device.port_bytes = VIRTIO_PCI_LEGACY_CONFIG_MSIX + 8;
        assert_int_equal(kit_attach(), 0);
        assert_false(dev.features.accepted & VNET_F(MTU));
        assert_int_equal(dev.mtu, 1500);
        assert_memory_equal(dev.mac, device.config.mac, 6);
        assert_true(dev.link_up);
        assert_int_equal(transport->ops->config_read8(transport, 8), 0);
        if (kind == MODEL_MODERN)
            assert_int_equal(transport->ops->config_read32(transport, 8), 0);
    }
}

/* rule: PC-27 */
static void test_vector_refused(void **state)
{
    (void)state;
    EACH_PCI
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.refuses_vectors = true;
        kit_failed_with(kit_attach(), VNET_E_VECTOR);
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.refuses_vectors = true;
        config.config_vector = VIRTIO_MSI_NO_VECTOR;
        assert_int_equal(kit_attach(), 0);
        kit_failed_with(kit_start(), VNET_E_VECTOR);
    }
}

/* Where there is no MSI-X there is no vector to ask for. */
/* rule: PC-25 */
static void test_no_vectors(void **state)
{
    (void)state;
    EACH_KIND
    {
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.vectors = 0;
        config.vector[0] = config.vector[1] = config.config_vector = VIRTIO_MSI_NO_VECTOR;
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(kit_start(), 0);
        if (kind == MODEL_MODERN)
            continue; /* its registers are always there, and the device would say no */
        config.config_vector = 0;
        kit_failed_with(kit_attach(), VNET_E_VECTOR);
        config.config_vector = VIRTIO_MSI_NO_VECTOR;
        config.vector[1] = 1;
        assert_int_equal(kit_attach(), 0);
        kit_failed_with(kit_start(), VNET_E_VECTOR);
    }
}

static void frame_used(unsigned queue)
{
    struct ring_dev_buf b;
    struct ring_dev *ring = &device.queue[queue].ring;
    assert_true(ring_dev_take(ring, &b));
    ring_dev_use(ring, b.id, 100);
    ring_dev_show(ring);
}

/* Whatever the size of the table, nothing is mapped outside it. */
/* rule: PC-25 */ /* rule: PC-26 */
static void test_table_sizes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * 12; i++) {
        enum model_kind kind = i & 1 ? MODEL_LEGACY : MODEL_MODERN;
        static const uint16_t sizes[] = { 0, 1, 2, 3, 4, 5, 8, 31, 32, 33, 0x7ff, 0x800 };
        uint16_t entries = sizes[i / 2];
        if (kind >= MODEL_KINDS)
            continue;
        kit_offer(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.vectors = entries;
        enum vnet_vectors how = vnet_share_vectors(&config, entries);
        assert_int_equal(how, entries < 2   ? VNET_VECTORS_NONE
                              : entries < 3 ? VNET_VECTORS_SHARED
                                            : VNET_VECTORS_OWN);
        if (!how)
            device.vectors = 0; /* and the port turns MSI-X off */
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(kit_start(), 0);
        const uint16_t *v = config.vector, c = config.config_vector;
        assert_int_equal(v[0] != v[1], how == VNET_VECTORS_OWN);
        assert_int_equal(c != v[0] && c != v[1], how != VNET_VECTORS_NONE);
    }
}

/* One interrupt on the line may mean the configuration, queues, or both; or it is somebody else's.
 */
/* rule: PC-32 */
static void test_line(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * MODEL_KINDS; i++) {
        uint8_t causes = (uint8_t)(i % 4);
        kit_offer((enum model_kind)(i / 4), KIT_BASIC | VNET_F(ANY_LAYOUT));
        device.vectors = 0;
        config.vector[0] = config.vector[1] = config.config_vector = VIRTIO_MSI_NO_VECTOR;
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(kit_start(), 0);
        frame_used(VNET_RX);
        device.config.status = 0;
        model_isr(&device, causes);
        assert_int_equal(vnet_irq_shared(&dev), causes != 0);
        assert_int_equal(device.isr, 0);
        assert_int_equal(dev.q[VNET_RX].stats.irqs, !!(causes & VIRTIO_ISR_QUEUE));
        assert_int_equal(dev.link_up, !(causes & VIRTIO_ISR_CONFIG));
        assert_int_equal(dev.config_changes > 0, !!(causes & VIRTIO_ISR_CONFIG));
        assert_null(model_violation(&device));
    }
}

/* Messages need no register: neither a queue's own nor one for all. */
/* rule: PC-20 */
static void test_messages(void **state)
{
    (void)state;
    EACH_PCI
    {
        kit_up(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        frame_used(VNET_RX);
        vnet_irq(&dev.q[VNET_RX]);
        assert_true(dev.q[VNET_RX].ring.masked); /* and a poll is scheduled */
        kit_up(kind, KIT_BASIC | VNET_F(ANY_LAYOUT));
        frame_used(VNET_RX);
        vnet_irq_any(&dev);
        assert_true(dev.q[VNET_RX].ring.masked); /* and a poll is scheduled */
        assert_int_equal(dev.q[VNET_RX].stats.irqs, 1);
        assert_int_equal(dev.q[VNET_TX].stats.irqs, 0);
        assert_null(model_violation(&device));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_slow_device),
        cmocka_unit_test(test_device_that_never_gets_there),
        cmocka_unit_test(test_again_after_failure),
        cmocka_unit_test(test_no_queue),
        cmocka_unit_test(test_config_churn),
        cmocka_unit_test(test_unoffered_config_is_not_read),
        cmocka_unit_test(test_queue_reset),
        cmocka_unit_test(test_queue_reset_timeout),
        cmocka_unit_test(test_no_queue_reset),
        cmocka_unit_test(test_short_config),
        cmocka_unit_test(test_vector_refused),
        cmocka_unit_test(test_no_vectors),
        cmocka_unit_test(test_table_sizes),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests_name("transports", tests, NULL, NULL);
}
