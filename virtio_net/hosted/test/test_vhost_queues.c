/* What a front end adds to its backend, over vhost-net: several pairs of queues, the control queue,
 * and queues and devices that are reset. */
#include <string.h>
#include "vhost_net_kit.h"

static void test_several_pairs(void **state)
{
    (void)state;
    pairs = PAIRS;
    assert_int_equal(start(true), 0);
    assert_int_equal(dev.pairs_used, PAIRS);
    expect_running(true);
    /* "Automatic receive steering": frames stop before the rings do. */
    assert_int_equal(vnet_ctrl_pairs(&dev, 2), 0);
    expect_steering(2, false);
    expect_backend(2 * VNET_QUEUES + VNET_RX, false);
    expect_backend(2 * VNET_QUEUES + VNET_TX, false);
    assert_int_equal(vnet_ctrl_pairs(&dev, 2), 0);
    assert_int_equal(vnet_ctrl_pairs(&dev, 3), 0);
    expect_pair_used(2);
    assert_int_equal(vnet_ctrl_pairs(&dev, 4), -VNET_E_CTRL_DATA);
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    expect_stopped();
    assert_int_equal(pool_free, BUFS);
}

/* A queue that is reset is taken from the kernel and given to it again, whole; the others go on.
 * rule: VR-1 */ /* rule: VR-2 */
static void test_queue_reset(void **state)
{
    (void)state;
    pairs = 2;
    assert_int_equal(start(true), 0);
    expect_running(true);
    for (unsigned i = 0; i < vnet_queues(&dev); i++) {
        unsigned posted = vnet_is_rx(&dev.q[i]) ? RING : 0, free_before = pool_free;
        assert_int_equal(vnet_queue_reset(&dev.q[i], give_back), 0);
        expect_backend(i, false);
        expect_base(i);
        assert_int_equal(pool_free, free_before + posted);
        assert_int_equal(vnet_queue_restart(&dev.q[i], rings[i], shadows[i]), 0);
        expect_ring(i, true);
        expect_kick(i);
        expect_backend(i, true);
        assert_int_equal(looked_at, kernel.called);
        assert_int_equal(pool_free, free_before);
    }
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    expect_stopped();
    assert_int_equal(pool_free, BUFS);
}

/* Of a pair that the device does not use: it stays so. */
static void test_reset_of_unused(void **state)
{
    (void)state;
    pairs = 2;
    assert_int_equal(start(true), 0);
    assert_int_equal(vnet_ctrl_pairs(&dev, 1), 0);
    looked_at = kernel.called;
    assert_int_equal(vnet_queue_reset(&dev.q[VNET_QUEUES], give_back), 0);
    expect_base(VNET_QUEUES);
    assert_int_equal(vnet_queue_restart(&dev.q[VNET_QUEUES], rings[2], shadows[2]), 0);
    expect_ring(VNET_QUEUES, true);
    expect_kick(VNET_QUEUES);
    assert_int_equal(looked_at, kernel.called);
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    assert_int_equal(pool_free, BUFS);
}

/* The kernel does not let go: the buffers stay where they are, and nothing more is asked.
 * rule: VR-1 */
static void test_queue_reset_fails(void **state)
{
    for (unsigned i = 1; i <= 2; i++) {
        teardown(state);
        setup(state);
        assert_int_equal(start(true), 0);
        kernel.fail_at = kernel.called + i;
        assert_int_equal(vnet_queue_reset(&dev.q[VNET_RX], give_back), -VNET_E_QUEUE_RESET_TIMEOUT);
        assert_int_equal(kernel.called, kernel.fail_at);
        assert_int_equal(pool_free, BUFS - RING);
        assert_int_equal(vnet_stop(&dev, give_back), -VNET_E_RESET_TIMEOUT);
        assert_int_equal(kernel.called, kernel.fail_at);
    }
}

static void test_restart(void **state)
{
    (void)state;
    pairs = 2;
    assert_int_equal(start(true), 0);
    expect_running(true);
    assert_int_equal(vnet_restart(&dev, give_back), 0);
    for (unsigned i = 0; i < VNET_QUEUES * pairs; i++) {
        expect_backend(i, false);
        expect_base(i);
    }
    expect_steering(1, false);
    for (unsigned i = 0; i < pairs; i++)
        next(VHOST_FD + (int)i, VHOST_SET_FEATURES);
    expect_rings_running(true);
    assert_int_equal(dev.pairs_used, 2);
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    expect_stopped();
    assert_int_equal(pool_free, BUFS);
}

/* Every command that is offered is obeyed, whatever the format of the ring, round and round; what
 * is not is refused. */
static void test_control(void **state)
{
    static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };
    const uint64_t all = VNET_F(CTRL_VQ) | VNET_F(CTRL_RX) | VNET_F(CTRL_RX_EXTRA) |
                         VNET_F(CTRL_VLAN) | VNET_F(CTRL_MAC_ADDR);
    for (int form = 0; form < 4; form++) {
        teardown(state);
        setup(state);
        kernel.offers = form & 1 ? VNET_F(RING_PACKED) : 0;
        kernel.withholds = form & 2 ? VNET_F(EVENT_IDX) : 0;
        more_features = all | kernel.offers;
        pairs = form & 2 ? 2 : 1;
        assert_int_equal(start(false), 0);
        assert_int_equal(dev.features.accepted & more_features, more_features);
        unsigned before = kernel.called;
        for (uint16_t i = 0; i < 40; i++) {
            assert_int_equal(vnet_ctrl_rx_mode(&dev, VIRTIO_NET_CTRL_RX_PROMISC, i & 1), 0);
            assert_int_equal(vnet_ctrl_rx_mode(&dev, VIRTIO_NET_CTRL_RX_NOBCAST, false), 0);
            assert_int_equal(vnet_ctrl_mac_table(&dev, &mac, 1, NULL, 0), 0);
            assert_int_equal(vnet_ctrl_vlan(&dev, i, true), 0);
        }
        assert_int_equal(vnet_ctrl_mac(&dev, mac), 0);
        assert_memory_equal(vhost.config.mac, mac, 6);
        assert_int_equal(vnet_ctrl_announced(&dev), -VNET_E_CTRL_FEATURE);
        assert_int_equal(kernel.called, before);
        assert_int_equal(dev.ctrl.refused, 0);
        assert_int_equal(vnet_stop(&dev, give_back), 0);
        assert_int_equal(pool_free, BUFS);
    }
}

/* The kernel fails while pairs are put to use: the driver is told, and the first reason kept. */
static void test_control_fails(void **state)
{
    (void)state;
    pairs = 2;
    assert_int_equal(start(true), 0);
    kernel.fail_at = kernel.called + 1;
    assert_int_equal(vnet_ctrl_pairs(&dev, 1), -VNET_E_CTRL_REFUSED);
    assert_non_null(strstr(vhost.error, "TUNSETQUEUE: Invalid argument"));
    assert_int_equal(vnet_ctrl_pairs(&dev, 2), -VNET_E_CTRL_REFUSED);
    assert_int_equal(kernel.called, kernel.fail_at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_several_pairs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset_of_unused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_reset_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_control, setup, teardown),
        cmocka_unit_test_setup_teardown(test_control_fails, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
