/* transport/vhost_net.c against a kernel that is a table: `ioctl` and `open` are wrapped by the
 * linker. What is asked of the kernel, in which order, with what in it, and each request failing.
 */
#include <errno.h>
#include <linux/if_tun.h>
#define _LINUX_VIRTIO_RING_H /* its names are those of our rings */
#include <linux/vhost.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../../faultinj/device.h"
#include "../../mode.h"
#include "../../transport/vhost.h"

#define VHOST_FD  1000 /* no real descriptors: the fake alone knows them */
#define TUN_FD    1001
#define CALLS_MAX 64
#define RING      8u

static const uint64_t OFFERED =
    VNET_F(VERSION_1) | VNET_F(EVENT_IDX) | VNET_F(MRG_RXBUF) | 1ull << 26 | 1ull << 27;

/* The kernel. */
static struct call {
    int fd;
    unsigned long request;
    union {
        uint64_t features;
        struct vhost_vring_state state;
        struct vhost_vring_file file;
        struct vhost_vring_addr addr;
        struct ifreq interface;
        int number;
        struct {
            uint32_t regions, padding;
            struct vhost_memory_region region;
        } memory;
    } in;
} calls[CALLS_MAX];
static unsigned called, fail_at; /* counted from 1; 0: none */
static bool lies_about_base;
static const char *missing_path;

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, void *argument);

int __wrap_open(const char *path, int flags, ...)
{
    if (missing_path && !strcmp(path, missing_path)) {
        errno = ENOENT;
        return -1;
    }
    if (!strcmp(path, "/dev/vhost-net"))
        return VHOST_FD;
    return strcmp(path, "/dev/net/tun") ? __real_open(path, flags, 0666) : TUN_FD;
}

int __wrap_close(int fd)
{
    return fd == VHOST_FD || fd == TUN_FD ? 0 : __real_close(fd);
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    struct call *c = &calls[called++];
    assert_true(called < CALLS_MAX);
    *c = (struct call){ .fd = fd, .request = request };
    if (called == fail_at) {
        errno = EINVAL;
        return -1;
    }
    size_t bytes = request == VHOST_SET_MEM_TABLE ? sizeof(c->in.memory) : _IOC_SIZE(request);
    if (request == TUNSETIFF)
        bytes = sizeof(c->in.interface);
    if (request == VHOST_GET_FEATURES)
        *(uint64_t *)argument = OFFERED;
    else if (argument)
        memcpy(&c->in, argument, bytes);
    if (request == VHOST_GET_VRING_BASE && lies_about_base)
        ((struct vhost_vring_state *)argument)->index ^= 1;
    return 0;
}

/* The port: a few buffers, and what came back. */
static struct vnet_buf bufs[3 * RING];
static struct vnet_buf *pool[3 * RING];
static unsigned pool_free;
static uint8_t *memory;
static void *rings[VNET_QUEUES], *shadows[VNET_QUEUES];
static struct vhost vhost;
static struct vnet_dev dev;
#define MEMORY_BYTES (1u << 17)

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **to, uint32_t n)
{
    (void)q;
    n = n < pool_free ? n : pool_free;
    for (uint32_t i = 0; i < n; i++)
        to[i] = pool[--pool_free];
    return n;
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **from, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++)
        pool[pool_free++] = from[i];
}

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **from, uint32_t n)
{
    vnet_up_free(q, from, n);
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **from, uint32_t n)
{
    vnet_up_free(q, from, n);
}

void vnet_up_schedule(struct vnet_q *q)
{
    (void)q;
}

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    vnet_up_free(q, &b, 1);
}

static int setup(void **state)
{
    (void)state;
    called = fail_at = pool_free = 0;
    lies_about_base = false;
    missing_path = NULL;
    memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 3 * RING; i++) {
        bufs[i] = (struct vnet_buf){ .data = memory + 8192 + i * 2048u, .capacity = 2048 };
        pool[pool_free++] = &bufs[i];
    }
    for (int i = 0; i < VNET_QUEUES; i++) {
        rings[i] = memory + i * 4096;
        shadows[i] = calloc(1, 4096);
    }
    return memory == MAP_FAILED;
}

static int teardown(void **state)
{
    (void)state;
    vhost_close(&vhost);
    for (int i = 0; i < VNET_QUEUES; i++)
        free(shadows[i]);
    return munmap(memory, MEMORY_BYTES);
}

static int start(bool interrupts)
{
    struct vnet_config cfg = { .want = vnet_features_default(),
                               .ring_size = { RING, RING },
                               .config_vector = VIRTIO_MSI_NO_VECTOR };
    for (uint16_t i = 0; i < VNET_QUEUES; i++)
        cfg.vector[i] = interrupts ? i : VIRTIO_MSI_NO_VECTOR;
    int error = vhost_net_open(&vhost, "tap7", 1000);
    if (!error)
        error = vnet_attach(&dev, &vhost.base, &cfg);
    vhost.memory = (struct vhost_shared){ .at = memory, .bytes = MEMORY_BYTES, .fd = -1 };
    if (!error)
        error = vnet_start(&dev, rings, shadows);
    return error ? error : vhost.error[0] ? -VNET_E_BACKEND : 0;
}

static unsigned looked_at;

static const struct call *next(int fd, unsigned long request)
{
    assert_true(looked_at < called);
    const struct call *c = &calls[looked_at++];
    assert_int_equal(c->request, request);
    assert_int_equal(c->fd, fd);
    return c;
}

static void expect_open(void)
{
    looked_at = 0;
    const struct call *c = next(TUN_FD, TUNSETIFF);
    assert_string_equal(c->in.interface.ifr_name, "tap7");
    assert_int_equal(c->in.interface.ifr_flags, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    assert_int_equal(next(TUN_FD, TUNSETVNETHDRSZ)->in.number, VNET_HDR_BYTES);
    assert_int_equal(next(TUN_FD, TUNSETVNETLE)->in.number, 1);
    next(TUN_FD, TUNSETOFFLOAD);
    next(VHOST_FD, VHOST_SET_OWNER);
    next(VHOST_FD, VHOST_GET_FEATURES);
    /* What the process answers for itself, and what it never wants, is not told to the kernel. */
    assert_int_equal(next(VHOST_FD, VHOST_SET_FEATURES)->in.features,
                     VNET_F(VERSION_1) | VNET_F(EVENT_IDX));
}

static void expect_ring(unsigned i, bool interrupts)
{
    if (i == 0) {
        const struct call *c = next(VHOST_FD, VHOST_SET_MEM_TABLE);
        assert_int_equal(c->in.memory.regions, 1);
        assert_ptr_equal(c->in.memory.region.userspace_addr, memory);
        assert_ptr_equal(c->in.memory.region.guest_phys_addr, memory);
        assert_int_equal(c->in.memory.region.memory_size, MEMORY_BYTES);
    }
    const struct call *c = next(VHOST_FD, VHOST_SET_VRING_NUM);
    assert_int_equal(c->in.state.index, i);
    assert_int_equal(c->in.state.num, RING);
    c = next(VHOST_FD, VHOST_SET_VRING_BASE);
    assert_int_equal(c->in.state.index, i);
    assert_int_equal(c->in.state.num, 0);
    c = next(VHOST_FD, VHOST_SET_VRING_ADDR);
    assert_int_equal(c->in.addr.index, i);
    assert_int_equal(c->in.addr.flags, 0);
    assert_ptr_equal(c->in.addr.desc_user_addr, rings[i]);
    c = next(VHOST_FD, VHOST_SET_VRING_CALL);
    assert_int_equal(c->in.file.index, i);
    assert_int_equal(c->in.file.fd >= 0, interrupts);
}

static void expect_running(bool interrupts)
{
    expect_open();
    for (unsigned i = 0; i < VNET_QUEUES; i++)
        expect_ring(i, interrupts);
    for (unsigned i = 0; i < VNET_QUEUES; i++) {
        const struct call *c = next(VHOST_FD, VHOST_SET_VRING_KICK);
        assert_int_equal(c->in.file.index, i);
        assert_true(c->in.file.fd >= 0);
        c = next(VHOST_FD, VHOST_NET_SET_BACKEND);
        assert_int_equal(c->in.file.index, i);
        assert_int_equal(c->in.file.fd, TUN_FD);
    }
    assert_int_equal(looked_at, called);
}

static void expect_stopped(void)
{
    for (unsigned i = 0; i < VNET_QUEUES; i++) {
        const struct call *c = next(VHOST_FD, VHOST_NET_SET_BACKEND);
        assert_int_equal(c->in.file.index, i);
        assert_int_equal(c->in.file.fd, -1);
        assert_int_equal(next(VHOST_FD, VHOST_GET_VRING_BASE)->in.state.index, i);
    }
    assert_int_equal(looked_at, called);
}

static void test_life(void **state)
{
    (void)state;
    assert_int_equal(start(true), 0);
    expect_running(true);
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    expect_stopped();
    assert_int_equal(pool_free, 3 * RING);
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
    assert_int_equal(pool_free, 3 * RING);
}

static const char *name_of(unsigned long request)
{
    static const struct {
        unsigned long request;
        const char *name;
    } names[] = {
#define NAME(request) { request, #request }
        NAME(TUNSETIFF),
        NAME(TUNSETVNETHDRSZ),
        NAME(TUNSETVNETLE),
        NAME(TUNSETOFFLOAD),
        NAME(VHOST_SET_OWNER),
        NAME(VHOST_GET_FEATURES),
        NAME(VHOST_SET_FEATURES),
        NAME(VHOST_SET_MEM_TABLE),
        NAME(VHOST_SET_VRING_NUM),
        NAME(VHOST_SET_VRING_BASE),
        NAME(VHOST_SET_VRING_ADDR),
        NAME(VHOST_SET_VRING_CALL),
        NAME(VHOST_SET_VRING_KICK),
        NAME(VHOST_NET_SET_BACKEND),
        NAME(VHOST_GET_VRING_BASE),
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].request == request)
            return names[i].name;
    return "no request of ours";
}

/* Each request in turn: it is named, nothing is asked after it, and the driver learns of it. */
static void test_every_failure(void **state)
{
    (void)state;
    assert_int_equal(start(true), 0);
    unsigned requests = called;
    assert_int_equal(vnet_stop(&dev, give_back), 0);
    for (unsigned i = 1; i <= requests; i++) {
        teardown(state);
        setup(state);
        fail_at = i;
        assert_int_not_equal(start(true), 0);
        assert_int_equal(called, i);
        assert_non_null(strstr(vhost.error, "vhost-net tap7: "));
        assert_non_null(strstr(vhost.error, name_of(calls[i - 1].request)));
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
        fail_at = called + i;
        assert_int_equal(vnet_stop(&dev, give_back), -VNET_E_RESET_TIMEOUT);
        assert_int_equal(pool_free, 2 * RING);
        assert_non_null(strstr(vhost.error, name_of(calls[fail_at - 1].request)));
    }
    teardown(state);
    setup(state);
    assert_int_equal(start(true), 0);
    lies_about_base = true;
    assert_int_equal(vnet_stop(&dev, give_back), -VNET_E_RESET_TIMEOUT);
    assert_non_null(strstr(vhost.error, "of queue 0 says queue 1"));
}

static void test_no_device(void **state)
{
    (void)state;
    missing_path = "/dev/vhost-net";
    assert_int_not_equal(start(true), 0);
    assert_non_null(strstr(vhost.error, "/dev/vhost-net: No such file or directory: modprobe"));
    vhost_close(&vhost);
    missing_path = "/dev/net/tun";
    assert_int_not_equal(start(true), 0);
    assert_non_null(strstr(vhost.error, "/dev/net/tun: No such file"));
    vhost_close(&vhost);
    assert_int_not_equal(vhost_net_open(&vhost, "a-name-of-16-byt", 1000), 0);
    assert_non_null(strstr(vhost.error, "1 to 15 characters"));
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
