/* The control queue: each command as the device sees it, refusals, silence, and several queue
 * pairs; on every transport and in both ring formats. */
#include "kit.h"
#include <string.h>

#define COMMANDS                                                                                   \
    (VNET_F(CTRL_VQ) | VNET_F(CTRL_RX) | VNET_F(CTRL_RX_EXTRA) | VNET_F(CTRL_VLAN) |               \
     VNET_F(CTRL_MAC_ADDR) | VNET_F(GUEST_ANNOUNCE) | VNET_F(MQ) | VNET_F(GUEST_CSUM) |            \
     VNET_F(CTRL_GUEST_OFFLOADS) | VNET_F(STATUS) | VNET_F(MAC))
#define MODERN_COMMANDS (COMMANDS | VNET_F(NOTF_COAL) | VNET_F(VQ_NOTF_COAL))

static _Alignas(VIRTIO_PCI_LEGACY_ALIGN) uint8_t rings[MODEL_QUEUES][16384];
static struct vring_shadow shadows[MODEL_QUEUES][256];

/* What the device does with a command, and what it saw of the last one. */
static struct {
    uint8_t ack;
    bool silent;
    bool forgets_ack; /* gives the buffer back and has not written it */
    uint16_t queue;
    unsigned seen;
    uint8_t bytes[VNET_CTRL_DATA + 2];
    uint32_t len, writable;
} device_side;

static void answer(uint16_t queue)
{
    struct ring_dev *ring = &device.queue[queue].ring;
    struct ring_dev_buf b;
    if (queue != device_side.queue || device_side.silent)
        return;
    assert_true(ring_dev_take(ring, &b));
    uint32_t at = 0;
    for (unsigned i = 0; i < b.readable; i++) {
        memcpy(device_side.bytes + at, b.part[i].data, b.part[i].bytes);
        at += b.part[i].bytes;
    }
    device_side.len = at;
    device_side.writable = b.writable_bytes;
    assert_int_equal(b.parts, b.readable + 1);
    uint8_t *out = b.part[b.readable].data;
    if (!device_side.forgets_ack)
        out[0] = device_side.ack;
    for (uint32_t i = 1; i < b.writable_bytes; i++)
        out[i] = (uint8_t)(0x10 * i);
    ring_dev_use(ring, b.id, b.writable_bytes);
    ring_dev_show(ring);
    ring_dev_signal(ring);
    assert_false(ring_dev_kicks_on(ring));
    device_side.seen++;
}

static void (*doorbell)(uint16_t queue) = answer;

static int up(enum model_kind kind, uint64_t features, uint16_t pairs)
{
    void *memory[MODEL_QUEUES], *shadow[MODEL_QUEUES];
    for (int i = 0; i < MODEL_QUEUES; i++) {
        memory[i] = rings[i];
        shadow[i] = shadows[i];
    }
    uint64_t base = kind == MODEL_LEGACY ? VNET_F(ANY_LAYOUT) : VNET_F(VERSION_1);
    kit_offer(kind, features | base);
    for (int i = 0; i < MODEL_QUEUES && kind == MODEL_LEGACY; i++)
        device.queue[i].max = 64;
    config.want = features;
    config.pairs = pairs;
    for (unsigned i = 0; i < VNET_QUEUES_MAX; i++)
        config.vector[i] = kind == MODEL_MMIO ? VIRTIO_MSI_NO_VECTOR : 0;
    config.config_vector = config.vector[0];
    memset(&device_side, 0, sizeof(device_side));
    device_side.queue = features & VNET_F(MQ) ? 4 : 2;
    device.on_doorbell = doorbell;
    int error = kit_attach();
    return error ? error : vnet_start(&dev, memory, shadow);
}

static void saw(const char *bytes, uint32_t len, uint32_t writable)
{
    assert_int_equal(device_side.len, len);
    assert_memory_equal(device_side.bytes, bytes, len);
    assert_int_equal(device_side.writable, writable);
    assert_null(model_violation(&device));
}
#define SAW(bytes) saw(bytes, sizeof(bytes) - 1, 1)

static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

static void every_old_command(void)
{
    assert_int_equal(vnet_ctrl_rx_mode(&dev, VIRTIO_NET_CTRL_RX_PROMISC, true), 0);
    SAW("\0\0\1");
    assert_int_equal(vnet_ctrl_rx_mode(&dev, VIRTIO_NET_CTRL_RX_NOBCAST, false), 0);
    SAW("\0\5\0");
    assert_int_equal(vnet_ctrl_mac_table(&dev, macs, 1, macs, 2), 0);
    SAW("\1\0\1\0\0\0\2\0\0\0\0\1\2\0\0\0\2\0\0\0\0\1\2\0\0\0\0\2");
    assert_int_equal(vnet_ctrl_mac(&dev, macs[1]), 0);
    SAW("\1\1\2\0\0\0\0\2");
    assert_memory_equal(dev.mac, macs[1], 6);
    assert_int_equal(vnet_ctrl_vlan(&dev, 0x123, true), 0);
    SAW("\2\0\x23\1");
    assert_int_equal(vnet_ctrl_vlan(&dev, 0x123, false), 0);
    SAW("\2\1\x23\1");
    assert_int_equal(vnet_ctrl_announced(&dev), 0);
    SAW("\3\0");
    assert_int_equal(vnet_ctrl_pairs(&dev, 1), 0);
    SAW("\4\0\1\0");
    assert_int_equal(vnet_ctrl_offloads(&dev, VNET_F(GUEST_CSUM)), 0);
    SAW("\5\0\2\0\0\0\0\0\0\0");
}

/* rule: CV-4 rule: CV-5 */
static void test_commands(void **state)
{
    static const uint64_t formats[] = { 0, VNET_F(EVENT_IDX), VNET_F(RING_PACKED),
                                        VNET_F(RING_PACKED) | VNET_F(EVENT_IDX) };
    (void)state;
    for (unsigned kind = 0; kind < MODEL_KINDS; kind++) {
        for (unsigned f = 0; f < (kind == MODEL_LEGACY ? 2u : 4u); f++) {
            assert_int_equal(up((enum model_kind)kind, COMMANDS | formats[f], 1), 0);
            /* Often enough to go round any ring of commands. */
            for (int i = 0; i < 30; i++)
                every_old_command();
            assert_int_equal(dev.ctrl.commands, 30 * 9);
            assert_int_equal(dev.ctrl.commands, device_side.seen);
            assert_int_equal(vring_check(&dev.ctrl.ring), 0);
            assert_int_equal(device.queue[device_side.queue].ring.irqs_wanted, 0);
        }
    }
}

/* rule: CV-16 rule: CV-19 */
static void test_coalescing(void **state)
{
    struct vnet_coalesce c = { 0x01020304, 0x0a0b0c0d };
    (void)state;
    assert_int_equal(up(MODEL_MODERN, MODERN_COMMANDS, 2), 0);
    assert_int_equal(vnet_ctrl_coalesce(&dev, false, c), 0);
    SAW("\6\0\4\3\2\1\x0d\x0c\x0b\x0a");
    assert_int_equal(vnet_ctrl_coalesce(&dev, true, c), 0);
    SAW("\6\1\4\3\2\1\x0d\x0c\x0b\x0a");
    assert_int_equal(vnet_ctrl_vq_coalesce(&dev, 3, c), 0);
    SAW("\6\2\3\0\0\0\4\3\2\1\x0d\x0c\x0b\x0a");
    assert_int_equal(vnet_ctrl_vq_coalesce_get(&dev, 2, &c), 0);
    saw("\6\3\2\0\0\0", 6, 9);
    assert_int_equal(c.packets, 0x40302010);
    assert_int_equal(c.usecs, 0x80706050);
    device_side.ack = VIRTIO_NET_CTRL_ERR;
    struct vnet_coalesce kept = { 7, 8 };
    assert_int_equal(vnet_ctrl_vq_coalesce_get(&dev, 2, &kept), -VNET_E_CTRL_REFUSED);
    assert_true(kept.packets == 7 && kept.usecs == 8);
    assert_int_equal(vnet_ctrl_vq_coalesce(&dev, 4, c), -VNET_E_CTRL_DATA);
    assert_int_equal(vnet_ctrl_vq_coalesce_get(&dev, 4, &c), -VNET_E_CTRL_DATA);
}

/* Each command without its feature, and all of them without a control queue: nothing is sent. */
/* rule: CV-1 rule: CV-2 rule: CV-3 rule: CV-15 rule: CV-17 rule: CV-18 */
static void test_features_missing(void **state)
{
    struct vnet_coalesce c = { 1, 1 };
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(up(MODEL_MODERN, i ? VNET_F(CTRL_VQ) : 0, 1), 0);
        assert_int_equal(dev.ctrl.on, i);
        int errors[] = { vnet_ctrl_rx_mode(&dev, VIRTIO_NET_CTRL_RX_PROMISC, true),
                         vnet_ctrl_rx_mode(&dev, VIRTIO_NET_CTRL_RX_NOUNI, true),
                         vnet_ctrl_mac_table(&dev, macs, 1, NULL, 0),
                         vnet_ctrl_mac(&dev, macs[0]),
                         vnet_ctrl_vlan(&dev, 1, true),
                         vnet_ctrl_announced(&dev),
                         vnet_ctrl_pairs(&dev, 1),
                         vnet_ctrl_offloads(&dev, 0),
                         vnet_ctrl_coalesce(&dev, true, c),
                         vnet_ctrl_vq_coalesce(&dev, 0, c),
                         vnet_ctrl_vq_coalesce_get(&dev, 0, &c) };
        for (unsigned e = 0; e < sizeof(errors) / sizeof(errors[0]); e++)
            assert_int_equal(errors[e], -VNET_E_CTRL_FEATURE);
        assert_int_equal(device_side.seen, 0);
    }
}

/* rule: CV-9 */
static void test_data(void **state)
{
    static uint8_t many[200][6];
    (void)state;
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 2), 0);
    assert_int_equal(vnet_ctrl_mac_table(&dev, many, 100, many, 69), 0);
    assert_int_equal(device_side.len, 2 + 8 + 6 * 169);
    unsigned seen = device_side.seen;
    assert_int_equal(vnet_ctrl_mac_table(&dev, many, 100, many, 70), -VNET_E_CTRL_DATA);
    assert_int_equal(vnet_ctrl_mac_table(&dev, many, 0xffffffff, many, 2), -VNET_E_CTRL_DATA);
    assert_int_equal(vnet_ctrl_mac_table(&dev, many, 1, many, 0xffffffff), -VNET_E_CTRL_DATA);
    assert_int_equal(vnet_ctrl_pairs(&dev, 0), -VNET_E_CTRL_DATA);
    assert_int_equal(vnet_ctrl_pairs(&dev, 3), -VNET_E_CTRL_DATA);
    assert_int_equal(vnet_ctrl_offloads(&dev, VNET_F(GUEST_TSO4)), -VNET_E_CTRL_DATA);
    assert_int_equal(vnet_ctrl_offloads(&dev, VNET_F(MAC)), -VNET_E_CTRL_DATA);
    assert_int_equal(device_side.seen, seen);
}

static void test_refused(void **state)
{
    (void)state;
    uint8_t mac[6];
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 1), 0);
    memcpy(mac, dev.mac, 6);
    for (unsigned ack = 1; ack < 256; ack += 127) {
        device_side.ack = (uint8_t)ack;
        assert_int_equal(vnet_ctrl_mac(&dev, macs[0]), -VNET_E_CTRL_REFUSED);
        assert_memory_equal(dev.mac, mac, 6);
    }
    assert_int_equal(dev.ctrl.refused, 3);
    device_side.ack = 0;
    assert_int_equal(vnet_ctrl_mac(&dev, macs[0]), 0);
    device_side.forgets_ack = true;
    assert_int_equal(vnet_ctrl_mac(&dev, macs[0]), -VNET_E_CTRL_REFUSED);
}

/* The memory of a command without an answer is the device's: it is never used again. */
static void test_silence(void **state)
{
    (void)state;
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 1), 0);
    device_side.silent = true;
    assert_int_equal(vnet_ctrl_vlan(&dev, 1, true), -VNET_E_CTRL_TIMEOUT);
    device_side.silent = false;
    uint64_t start = env_now();
    for (int i = 0; i < 1000; i++)
        assert_int_equal(vnet_ctrl_vlan(&dev, 2, true), -VNET_E_CTRL_TIMEOUT);
    assert_true(env_now() - start < 900000000);
    assert_int_equal(dev.ctrl.area->data[0], 1);
    assert_int_equal(device_side.seen, 0);
}

static void test_bad_answer(void **state)
{
    (void)state;
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 1), 0);
    device.queue[device_side.queue].ring.trick = RING_DEV_ID_RANGE;
    assert_int_equal(vnet_ctrl_vlan(&dev, 1, true), -VNET_E_USED_ID_RANGE);
    assert_int_equal(vnet_ctrl_vlan(&dev, 1, true), -VNET_E_USED_ID_RANGE);
}

/* rule: RX-5 rule: CV-8 rule: CV-10 */
static void test_queue_numbers(void **state)
{
    (void)state;
    /* "Virtqueues": with MQ the control queue comes after all pairs, used or not. */
    assert_int_equal(up(MODEL_MODERN, COMMANDS & ~VNET_F(MQ), 2), 0);
    assert_int_equal(dev.pairs, 1);
    assert_int_equal(dev.ctrl.index, 2);
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 1), 0);
    assert_int_equal(dev.pairs, 1);
    assert_int_equal(dev.ctrl.index, 4);
    assert_int_equal(device.queue[2].enable, 0);
    assert_int_equal(device_side.seen, 0);
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 8), 0);
    assert_int_equal(dev.pairs, 2);
    SAW("\4\0\2\0");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(device.queue[i].enable, 1);
        assert_int_equal(device.queue[i].doorbells, i % 2 == 0);
        assert_int_equal(dev.q[i].index, i);
    }
}

static void refuse(uint16_t queue)
{
    device_side.ack = 1;
    answer(queue);
}

static void keep_silent(uint16_t queue)
{
    (void)queue;
}

/* A device that does not want more pairs goes on with one; from one that does not answer, nothing
 * can be expected. */
static void test_pairs_refused(void **state)
{
    (void)state;
    doorbell = refuse;
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 2), 0);
    assert_int_equal(dev.ctrl.refused, 1);
    doorbell = keep_silent;
    kit_failed_with(up(MODEL_MODERN, COMMANDS, 2), VNET_E_CTRL_TIMEOUT);
    doorbell = answer;
}

/* What the device does not look at must not be filled: from the posting of the command on when
 * there are to be fewer, and until its end when there are to be more. */
static uint32_t took_amid_command;

static uint32_t send_on_second_pair(void)
{
    static uint8_t data[VNET_BUF_BYTES];
    static struct vnet_buf buf;
    struct vnet_buf *frame = &buf;
    buf = (struct vnet_buf){ .data = data, .capacity = sizeof(data), .len = 60 };
    return vnet_tx(&dev.q[VNET_QUEUES + VNET_TX], &frame, 1);
}

static void answer_late(uint16_t queue)
{
    took_amid_command = send_on_second_pair();
    answer(queue);
}

/* rule: CV-11 */
static void test_pairs_unused(void **state)
{
    (void)state;
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 2), 0);
    assert_int_equal(send_on_second_pair(), 1);
    device.on_doorbell = answer_late;
    assert_int_equal(vnet_ctrl_pairs(&dev, 1), 0);
    assert_int_equal(took_amid_command, 0);
    assert_int_equal(send_on_second_pair(), 0);
    assert_int_equal(vnet_ctrl_pairs(&dev, 2), 0);
    assert_int_equal(took_amid_command, 0);
    assert_int_equal(send_on_second_pair(), 1);
    device_side.ack = VIRTIO_NET_CTRL_ERR;
    assert_int_equal(vnet_ctrl_pairs(&dev, 1), -VNET_E_CTRL_REFUSED);
    assert_int_equal(send_on_second_pair(), 0); /* which of the two it does now, nobody knows */
}

static void test_bad_devices(void **state)
{
    static const uint16_t pairs[] = { 0, 0x8001, 0xffff };
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        kit_offer(MODEL_MODERN, COMMANDS | VNET_F(VERSION_1));
        config.want = COMMANDS;
        device.config.max_virtqueue_pairs = pairs[i];
        kit_failed_with(kit_attach(), VNET_E_PAIRS);
    }
    for (unsigned size = 0; size < 4; size++) {
        kit_offer(MODEL_MODERN, COMMANDS | VNET_F(VERSION_1));
        config.want = COMMANDS;
        device.queue[4].max = (uint16_t)(size == 3 ? 4 : size);
        if (size < 3)
            kit_failed_with(kit_attach(), VNET_E_CTRL_QUEUE);
        else
            assert_int_equal(kit_attach(), 0);
    }
}

/* rule: CV-6 rule: CV-7 */
static void test_announce(void **state)
{
    (void)state;
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 1), 0);
    assert_false(dev.announce);
    device.config.status = VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE;
    vnet_config_changed(&dev);
    assert_true(dev.announce);
    device.config.status = VIRTIO_NET_S_LINK_UP;
    vnet_config_changed(&dev);
    assert_true(dev.announce); /* until they are sent */
    assert_int_equal(vnet_ctrl_announced(&dev), 0);
    assert_false(dev.announce);
    assert_int_equal(up(MODEL_MODERN, COMMANDS & ~VNET_F(GUEST_ANNOUNCE), 1), 0);
    device.config.status = VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE;
    vnet_config_changed(&dev);
    assert_false(dev.announce);
}

/* rule: NC-6 rule: NC-7 */
static void test_mtu(void **state)
{
    static const struct {
        uint16_t said;
        uint64_t with;
        uint16_t mtu;
        bool taken;
    } cases[] = { { 1500, 0, 1500, true },
                  { 68, 0, 68, true },
                  { 67, 0, 1500, false },
                  { 0, 0, 1500, false },
                  { 1501, 0, 1500, false },
                  { 1501, VNET_F(MRG_RXBUF), 1501, true },
                  { 65535, VNET_F(MRG_RXBUF), 65535, true } };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kit_offer(MODEL_MODERN, KIT_BASIC | VNET_F(MTU) | VNET_F(MRG_RXBUF));
        config.want |= cases[i].with;
        device.config.mtu = cases[i].said;
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(dev.mtu, cases[i].mtu);
        assert_int_equal(!!(device.accepted & VNET_F(MTU)), cases[i].taken);
    }
    kit_offer(MODEL_MODERN, KIT_BASIC);
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(dev.mtu, 1500);
}

static unsigned offers;

/* The first offer is the only one with merged buffers. */
static uint64_t less_each_time(struct vnet_transport *t)
{
    (void)t;
    return device.offered & (offers++ ? ~VNET_F(MRG_RXBUF) : UINT64_MAX);
}

/* What is decided of the MTU and what is negotiated come from one offer: a large MTU without merged
 * buffers would have no room. */
static void test_offer_is_read_once(void **state)
{
    (void)state;
    kit_offer(MODEL_MODERN, KIT_BASIC | VNET_F(MTU) | VNET_F(MRG_RXBUF));
    config.want |= VNET_F(MRG_RXBUF);
    device.config.mtu = 9000;
    assert_int_equal(kit_probe(), 0);
    struct vnet_transport_ops ops = *transport->ops;
    ops.features_get = less_each_time;
    transport->ops = &ops;
    offers = 0;
    assert_int_equal(vnet_attach(&dev, transport, &config), 0);
    assert_int_equal(offers, 1);
    assert_int_equal(dev.mtu, 9000);
    assert_true(dev.features.accepted & VNET_F(MRG_RXBUF));
}

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    assert_true(vnet_is_rx(q) && b);
}

/* The memory of an unanswered command is the device's until the reset; then commands work again. */
static void test_restart(void **state)
{
    (void)state;
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 1), 0);
    assert_true(vnet_ctrl_bytes(&dev) <= sizeof(rings[0]));
    assert_int_equal(vnet_broken(&dev), 0);
    device_side.silent = true;
    assert_int_equal(vnet_ctrl_vlan(&dev, 1, true), -VNET_E_CTRL_TIMEOUT);
    device_side.silent = false;
    assert_int_equal(vnet_ctrl_announced(&dev), -VNET_E_CTRL_TIMEOUT);
    assert_int_equal(vnet_broken(&dev), -VNET_E_CTRL_TIMEOUT);
    assert_int_equal(vnet_restart(&dev, give_back), 0);
    assert_int_equal(vnet_broken(&dev), 0);
    every_old_command();
    assert_int_equal(vring_check(&dev.ctrl.ring), 0);
}

/* A device that comes back without its control queue is another one. */
static void test_restart_without(void **state)
{
    (void)state;
    assert_int_equal(up(MODEL_MODERN, COMMANDS, 1), 0);
    device.offered &= ~VNET_F(CTRL_VQ);
    assert_int_equal(vnet_restart(&dev, give_back), -VNET_E_CHANGED);
}

static void test_memory(void **state)
{
    void *memory[] = { rings[0], rings[1], rings[2] + 8 };
    void *shadow[] = { shadows[0], shadows[1], shadows[2] };
    (void)state;
    kit_offer(MODEL_MODERN, COMMANDS | VNET_F(VERSION_1));
    config.want = COMMANDS;
    assert_int_equal(kit_attach(), 0);
    kit_failed_with(vnet_start(&dev, memory, shadow), VNET_E_MEMORY);
}

/* However many pairs a device has and a port wants. */
static void test_most_pairs(void **state)
{
    (void)state;
    kit_offer(MODEL_MODERN, COMMANDS | VNET_F(VERSION_1));
    config.want = COMMANDS;
    config.pairs = device.config.max_virtqueue_pairs = 20;
    for (unsigned i = 0; i < VNET_QUEUES_MAX; i++)
        config.vector[i] = 0;
    kit_failed_with(kit_attach(), VNET_E_NO_QUEUE); /* the model has five */
    assert_int_equal(dev.pairs, VNET_PAIRS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_coalescing),
        cmocka_unit_test(test_features_missing),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_bad_answer),
        cmocka_unit_test(test_queue_numbers),
        cmocka_unit_test(test_pairs_refused),
        cmocka_unit_test(test_pairs_unused),
        cmocka_unit_test(test_bad_devices),
        cmocka_unit_test(test_announce),
        cmocka_unit_test(test_mtu),
        cmocka_unit_test(test_offer_is_read_once),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_restart_without),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_most_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
