/* transport/vhost_net.c against a kernel that is a table (table_kernel.c): what is asked of the
 * kernel, in which order, with what in it, and each request failing. */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "../../../faultinj/device.h"
#include "vhost_net_kit.h"

static void test_life(void **state)
{
    (void)state;
    assert_int_equal(start(true), 0);
    expect_running(true);
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    expect_stopped();
    assert_int_equal(pool_free, BUFS);
}

static void test_polling(void **state)
{
    (void)state;
    assert_int_equal(start(false), 0);
    expect_running(false);
    assert_int_equal(vnet_stop(&dev, give_back), 0);
}

static uint64_t count_of(int eventfd)
{
    uint64_t n;
    return read(eventfd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* The kernel's side of the transmit ring, by the addresses and eventfds that it was told. */
static void test_frame(void **state)
{
    static struct ring_dev device;
    static struct ring_dev_buf b;
    struct vnet_buf *frame;
    (void)state;
    assert_int_equal(start(true), 0);
    const struct vhost_ring *r = &vhost.ring[VNET_TX];
    ring_dev_init(&device, &(struct ring_dev_config){ .size = RING,
                                                      .event_idx = true,
                                                      .desc = r->addr.desc,
                                                      .avail = r->addr.avail,
                                                      .used = r->addr.used });
    assert_int_equal(count_of(vhost.ring[VNET_RX].kick), 1);
    assert_int_equal(vnet_up_alloc(NULL, &frame, 1), 1);
    frame->len = 60;
    memset(frame->data + VNET_HDR_BYTES, 0x5a, 60);
    assert_int_equal(vnet_tx(&dev.q[VNET_TX], &frame, 1), 1);
    vnet_flush(&dev.q[VNET_TX]);
    assert_int_equal(count_of(r->kick), 1);
    assert_true(ring_dev_take(&device, &b));
    assert_int_equal(b.readable_bytes, VNET_HDR_BYTES + 60);
    assert_ptr_equal(b.part[0].data, frame->data);
    ring_dev_use(&device, b.id, 0);
    ring_dev_show(&device);
    assert_true(ring_dev_signal(&device));
    assert_null(device.driver_error);
    vnet_irq(&dev.q[VNET_TX]);
    vnet_poll(&dev.q[VNET_TX], 64);
    assert_int_equal(dev.q[VNET_TX].stats.packets, 1);
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    assert_int_equal(pool_free, BUFS);
}

/* Each request in turn: it is named, nothing is asked after it, and the driver learns of it. */
static void test_every_failure(void **state)
{
    (void)state;
    pairs = 2;
    assert_int_equal(start(true), 0);
    unsigned requests = kernel.called;
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    for (unsigned i = 1; i <= requests; i++) {
        teardown(state);
        setup(state);
        pairs = 2;
        kernel.fail_at = i;
        assert_int_not_equal(start(true), 0);
        assert_int_equal(kernel.called, i);
        assert_non_null(strstr(vhost.error, "vhost-net tap7: "));
        assert_non_null(strstr(vhost.error, table_name_of(kernel.calls[i - 1].request)));
        assert_non_null(strstr(vhost.error, "Invalid argument"));
    }
}

/* The rings may still be in use: the driver keeps their memory. */
static void test_stop_fails(void **state)
{
    for (unsigned i = 1; i <= 2 * VNET_QUEUES; i++) {
        teardown(state);
        setup(state);
        assert_int_equal(start(true), 0);
        kernel.fail_at = kernel.called + i;
        assert_int_equal(vnet_stop(&dev, give_back), -VNET_E_RESET_TIMEOUT);
        assert_int_equal(pool_free, BUFS - RING);
        assert_non_null(
            strstr(vhost.error, table_name_of(kernel.calls[kernel.fail_at - 1].request)));
    }
    teardown(state);
    setup(state);
    assert_int_equal(start(true), 0);
    kernel.lies_about_base = true;
    assert_int_equal(vnet_stop(&dev, give_back), -VNET_E_RESET_TIMEOUT);
    assert_non_null(strstr(vhost.error, "of queue 0 says queue 1"));
}

static void test_no_device(void **state)
{
    (void)state;
    kernel.missing_path = "/dev/vhost-net";
    assert_int_not_equal(start(true), 0);
    assert_non_null(strstr(vhost.error, "/dev/vhost-net: No such file or directory: modprobe"));
    vhost_close(&vhost);
    kernel.missing_path = "/dev/net/tun";
    assert_int_not_equal(start(true), 0);
    assert_non_null(strstr(vhost.error, "/dev/net/tun: No such file"));
    vhost_close(&vhost);
    assert_int_not_equal(vhost_net_open(&vhost, "a-name-of-16-byt", 1, 1000), 0);
    assert_non_null(strstr(vhost.error, "1 to 15 characters"));
}

static void test_no_descriptors(void **state)
{
    struct rlimit had, none;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &had), 0);
    none = (struct rlimit){ 0, had.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int error = start(true);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &had), 0);
    assert_int_equal(error, -VNET_E_BACKEND);
    assert_non_null(strstr(vhost.error, "raise ulimit -n"));
}

/* What registers could do and a backend cannot is refused, and nothing is asked of the kernel. */
static void test_no_registers(void **state)
{
    const struct vnet_ring_addr addr = { 0 };
    struct env_bell bell;
    struct vnet_transport *t = &vhost.base;
    (void)state;
    assert_int_equal(start(true), 0);
    unsigned before = kernel.called;
    assert_false(vnet_irq_shared(&dev));
    assert_int_equal(t->ops->queue_setup(t, 0, RING, &addr, 0, &bell), -VNET_E_QUEUE_IN_USE);
    assert_int_equal(t->ops->set_config_vector(t, 0), -VNET_E_VECTOR);
    assert_int_equal(t->ops->queue_max(t, VNET_QUEUES + 1), 0);
    assert_int_equal(t->ops->config_read8(t, sizeof(struct virtio_net_config)), 0);
    assert_int_equal(t->ops->config_read16(t, sizeof(struct virtio_net_config) - 1), 0);
    assert_false(vhost_gone(&vhost));
    assert_int_equal(kernel.called, before);
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    assert_int_equal(pool_free, BUFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_polling, setup, teardown),
        cmocka_unit_test_setup_teardown(test_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_device, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_registers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
