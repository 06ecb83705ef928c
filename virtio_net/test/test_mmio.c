/* Virtio over MMIO: finding the device, and its one line of interrupts. */
#include "kit.h"

static void used(unsigned queue, uint32_t bytes)
{
    struct ring_dev_buf b;
    struct ring_dev *ring = &device.queue[queue].ring;
    assert_true(ring_dev_take(ring, &b));
    ring_dev_use(ring, b.id, bytes);
    ring_dev_show(ring);
}

static void sent(void)
{
    static uint8_t data[VNET_BUF_BYTES];
    static struct vnet_buf frame = { .data = data, .capacity = sizeof(data), .len = 60 };
    struct vnet_buf *b = &frame;
    assert_int_equal(vnet_tx(&dev.q[VNET_TX], &b, 1), 1);
    vnet_flush(&dev.q[VNET_TX]);
}

static int probe_with(uint32_t magic, uint32_t version, uint32_t device_id)
{
    kit_offer(MODEL_MMIO, KIT_BASIC);
    device.magic = magic;
    device.version = version;
    device.device_id = device_id;
    return kit_probe();
}

/* Other addresses hold other things, other versions other registers, empty slots nothing: each is
 * let alone after the register that says so. */
/* rule: MM-6 */ /* rule: MM-7 */ /* rule: MM-8 */ /* rule: MM-18 */ /* rule: MM-19 */
static void test_discovery(void **state)
{
    (void)state;
    assert_int_equal(probe_with(VIRTIO_MMIO_MAGIC, 2, VIRTIO_ID_NET), 0);
    assert_int_equal(probe_with(0, 2, VIRTIO_ID_NET), -VNET_E_MMIO_MAGIC);
    assert_int_equal(probe_with(0xffffffff, 0xffffffff, 0xffffffff), -VNET_E_MMIO_MAGIC);
    assert_int_equal(probe_with(VIRTIO_MMIO_MAGIC, 1, VIRTIO_ID_NET), -VNET_E_MMIO_VERSION);
    assert_int_equal(probe_with(VIRTIO_MMIO_MAGIC, 3, VIRTIO_ID_NET), -VNET_E_MMIO_VERSION);
    assert_int_equal(probe_with(VIRTIO_MMIO_MAGIC, 2, 0), -VNET_E_NO_DEVICE);
    assert_int_equal(probe_with(VIRTIO_MMIO_MAGIC, 2, 2), -VNET_E_NOT_NET);
}

/* The whole life of a device against a model that watches every access. */
/* rule: MM-1 */ /* rule: MM-2 */ /* rule: MM-3 */ /* rule: MM-4 */    /* rule: MM-5 */
/* rule: MM-9 */ /* rule: MM-10 */ /* rule: MM-11 */ /* rule: MM-12 */ /* rule: MM-20 */
static void test_registers(void **state)
{
    (void)state;
    kit_offer(MODEL_MMIO, KIT_BASIC | VNET_F(RING_RESET));
    config.ring_size[VNET_RX] = 64;
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(device.accepted, KIT_BASIC | VNET_F(RING_RESET));
    assert_int_equal(kit_start(), 0);
    assert_int_equal(device.queue[VNET_RX].size, 64);
    assert_int_equal(dev.q[VNET_TX].bell.kind, ENV_BELL_MMIO32);
    sent();
    assert_int_equal(device.queue[VNET_TX].doorbells, 1);
    assert_null(model_violation(&device));
}

static void put_aside(struct vnet_q *q, struct vnet_buf *b)
{
    assert_ptr_equal(q->dev, &dev);
    assert_non_null(b);
}

/* The queues are stopped one by one before the reset, and only those that were started. */
/* rule: MM-13 */
static void test_stop(void **state)
{
    (void)state;
    kit_up(MODEL_MMIO, KIT_BASIC);
    device.queue[2].enable = 1; /* not ours */
    device.hangs_in_reset = true;
    assert_int_equal(vnet_stop(&dev, put_aside), -VNET_E_RESET_TIMEOUT);
    assert_int_equal(device.queue[VNET_RX].enable, 0);
    assert_int_equal(device.queue[VNET_TX].enable, 0);
    device.hangs_in_reset = false;
    assert_int_equal(vnet_stop(&dev, put_aside), 0);
    assert_null(model_violation(&device));
}

static void test_queue_in_use(void **state)
{
    (void)state;
    kit_offer(MODEL_MMIO, KIT_BASIC);
    assert_int_equal(kit_attach(), 0);
    device.queue[VNET_TX].enable = 1;
    kit_failed_with(kit_start(), VNET_E_QUEUE_IN_USE);
}

static unsigned acks;
static bool masked_at_ack[VNET_QUEUES];

static void look_at_ack(void)
{
    acks++;
    for (int i = 0; i < VNET_QUEUES; i++)
        masked_at_ack[i] = dev.q[i].ring.masked;
}

/* The cause is read, everything handled, and only then, and only what is defined, acknowledged. In
 * this mode to handle is to mask the queue and to have a poll come. */
/* rule: MM-14 */ /* rule: MM-15 */ /* rule: MM-16 */ /* rule: MM-22 */ /* rule: MM-23 */
/* rule: MM-24 */
static void test_line(void **state)
{
    (void)state;
    kit_up(MODEL_MMIO, KIT_BASIC);
    device.on_ack = look_at_ack;
    acks = 0;
    assert_false(vnet_irq_shared(&dev));
    model_isr(&device, 0xfc); /* bits that mean nothing */
    assert_false(vnet_irq_shared(&dev));
    assert_int_equal(acks, 0);
    sent();
    used(VNET_RX, 100);
    used(VNET_TX, 0);
    model_isr(&device, 0xfc | VIRTIO_ISR_QUEUE);
    assert_true(vnet_irq_shared(&dev));
    assert_int_equal(acks, 1);
    assert_int_equal(device.isr, 0xfc);
    for (int i = 0; i < VNET_QUEUES; i++) {
        assert_true(masked_at_ack[i]);
        assert_int_equal(dev.q[i].stats.irqs, 1);
        assert_int_equal(dev.q[i].stats.irqs_spurious, 0);
    }
    assert_null(model_violation(&device));
}

static void use_meanwhile(void)
{
    look_at_ack();
    device.on_ack = NULL;
    used(VNET_RX, 100);
}

static void change_meanwhile(void)
{
    device.on_ack = NULL;
    device.config.status = 0;
}

/* What the device does between the driver's last look and the acknowledgement is acknowledged with
 * the rest: no interrupt comes for it, and it is found all the same. */
/* rule: MM-15 */
static void test_not_lost_to_ack(void **state)
{
    (void)state;
    kit_up(MODEL_MMIO, KIT_BASIC);
    device.on_ack = use_meanwhile;
    sent();
    used(VNET_TX, 0);
    model_isr(&device, VIRTIO_ISR_QUEUE);
    assert_true(vnet_irq_shared(&dev));
    assert_false(masked_at_ack[VNET_RX]);
    assert_true(dev.q[VNET_RX].ring.masked);
    device.on_ack = change_meanwhile;
    model_isr(&device, VIRTIO_ISR_CONFIG);
    assert_true(vnet_irq_shared(&dev));
    assert_false(dev.link_up);
    assert_null(model_violation(&device));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discovery), cmocka_unit_test(test_registers),
        cmocka_unit_test(test_stop),      cmocka_unit_test(test_queue_in_use),
        cmocka_unit_test(test_line),      cmocka_unit_test(test_not_lost_to_ack),
    };
    return cmocka_run_group_tests_name("mmio", tests, NULL, NULL);
}
