#include "vhost_net_kit.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The port: a few buffers, and what came back. */
static struct vnet_buf bufs[BUFS];
static struct vnet_buf *pool[BUFS];
unsigned pool_free;
static uint8_t *memory;
void *rings[VNET_QUEUES * PAIRS + 1], *shadows[VNET_QUEUES * PAIRS + 1];
struct vhost vhost;
struct vnet_dev dev;
uint16_t pairs; /* of the next start */
uint64_t more_features;

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

void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    vnet_up_free(q, &b, 1);
}

int setup(void **state)
{
    (void)state;
    kernel = (struct table_kernel){ 0 };
    pool_free = 0;
    pairs = 1;
    more_features = 0;
    memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < VNET_QUEUES * PAIRS + 1; i++) {
        rings[i] = memory + i * QUEUE_BYTES;
        shadows[i] = calloc(1, QUEUE_BYTES);
    }
    for (unsigned i = 0; i < BUFS; i++) {
        uint8_t *data = memory + (VNET_QUEUES * PAIRS + 1 + i / 2) * QUEUE_BYTES + i % 2 * 2048u;
        bufs[i] = (struct vnet_buf){ .data = data, .capacity = 2048 };
        pool[pool_free++] = &bufs[i];
    }
    return memory == MAP_FAILED;
}

int teardown(void **state)
{
    (void)state;
    vhost_close(&vhost);
    for (unsigned i = 0; i < VNET_QUEUES * PAIRS + 1; i++)
        free(shadows[i]);
    return munmap(memory, MEMORY_BYTES);
}

int start(bool interrupts)
{
    struct vnet_config cfg = { .want = vnet_features_default() | more_features,
                               .pairs = pairs,
                               .ring_size = { RING, RING },
                               .config_vector = VIRTIO_MSI_NO_VECTOR };
    if (pairs > 1)
        cfg.want |= VNET_F(CTRL_VQ) | VNET_F(MQ);
    for (uint16_t i = 0; i < VNET_QUEUES_MAX; i++)
        cfg.vector[i] = interrupts ? i : VIRTIO_MSI_NO_VECTOR;
    int error = vhost_net_open(&vhost, "tap7", pairs, 1000);
    if (!error)
        error = vnet_attach(&dev, &vhost.base, &cfg);
    vhost.memory = (struct vhost_shared){ .at = memory, .bytes = MEMORY_BYTES, .fd = -1 };
    if (!error)
        error = vnet_start(&dev, rings, shadows);
    return error ? error : vhost.error[0] ? -VNET_E_BACKEND : 0;
}

unsigned looked_at;

const struct table_call *next(int fd, unsigned long request)
{
    assert_true(looked_at < kernel.called);
    const struct table_call *c = &kernel.calls[looked_at++];
    assert_int_equal(c->request, request);
    assert_int_equal(c->fd, fd);
    return c;
}

void expect_steering(unsigned pair, bool on)
{
    const struct table_call *c = next(TUN_FD + (int)pair, TUNSETQUEUE);
    assert_int_equal(c->in.interface.ifr_flags, on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);
}

static void expect_open(void)
{
    int flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (pairs > 1 ? IFF_MULTI_QUEUE : 0);
    looked_at = 0;
    for (unsigned i = 0; i < pairs; i++) {
        int tap = TUN_FD + (int)i;
        const struct table_call *c = next(tap, TUNSETIFF);
        assert_string_equal(c->in.interface.ifr_name, "tap7");
        assert_int_equal(c->in.interface.ifr_flags, flags);
        assert_int_equal(next(tap, TUNSETVNETHDRSZ)->in.number, VNET_HDR_BYTES);
        assert_int_equal(next(tap, TUNSETVNETLE)->in.number, 1);
        next(tap, TUNSETOFFLOAD);
        if (i)
            expect_steering(i, false);
        next(VHOST_FD + (int)i, VHOST_SET_OWNER);
    }
    next(VHOST_FD, VHOST_GET_FEATURES);
    /* What the process answers for itself, and what it never wants, is not told to the kernel. */
    for (unsigned i = 0; i < pairs; i++)
        assert_int_equal(next(VHOST_FD + (int)i, VHOST_SET_FEATURES)->in.features,
                         VNET_F(VERSION_1) | VNET_F(EVENT_IDX));
}

static void expect_table(int fd)
{
    const struct table_call *c = next(fd, VHOST_SET_MEM_TABLE);
    assert_int_equal(c->in.memory.regions, 1);
    assert_ptr_equal(c->in.memory.region.userspace_addr, memory);
    assert_ptr_equal(c->in.memory.region.guest_phys_addr, memory);
    assert_int_equal(c->in.memory.region.memory_size, MEMORY_BYTES);
}

void expect_ring(unsigned queue, bool interrupts)
{
    int fd = VHOST_FD + (int)(queue / VNET_QUEUES);
    unsigned i = queue % VNET_QUEUES;
    const struct table_call *c = next(fd, VHOST_SET_VRING_NUM);
    assert_int_equal(c->in.state.index, i);
    assert_int_equal(c->in.state.num, RING);
    c = next(fd, VHOST_SET_VRING_BASE);
    assert_int_equal(c->in.state.index, i);
    assert_int_equal(c->in.state.num, 0);
    c = next(fd, VHOST_SET_VRING_ADDR);
    assert_int_equal(c->in.addr.index, i);
    assert_int_equal(c->in.addr.flags, 0);
    assert_ptr_equal(c->in.addr.desc_user_addr, rings[queue]);
    c = next(fd, VHOST_SET_VRING_CALL);
    assert_int_equal(c->in.file.index, i);
    assert_int_equal(c->in.file.fd >= 0, interrupts);
    assert_int_equal(c->in.file.fd, vhost.ring[queue].call);
}

void expect_kick(unsigned queue)
{
    const struct table_call *c = next(VHOST_FD + (int)(queue / VNET_QUEUES), VHOST_SET_VRING_KICK);
    assert_int_equal(c->in.file.index, queue % VNET_QUEUES);
    assert_true(c->in.file.fd >= 0);
    assert_int_equal(c->in.file.fd, vhost.ring[queue].kick);
}

void expect_backend(unsigned queue, bool on)
{
    int pair = (int)(queue / VNET_QUEUES);
    const struct table_call *c = next(VHOST_FD + pair, VHOST_NET_SET_BACKEND);
    assert_int_equal(c->in.file.index, queue % VNET_QUEUES);
    assert_int_equal(c->in.file.fd, on ? TUN_FD + pair : -1);
}

void expect_base(unsigned queue)
{
    const struct table_call *c = next(VHOST_FD + (int)(queue / VNET_QUEUES), VHOST_GET_VRING_BASE);
    assert_int_equal(c->in.state.index, queue % VNET_QUEUES);
}

void expect_pair_used(unsigned pair)
{
    expect_backend(VNET_QUEUES * pair + VNET_RX, true);
    expect_backend(VNET_QUEUES * pair + VNET_TX, true);
    expect_steering(pair, true);
}

/* The first pair starts by itself, the others when the control queue says so. */
void expect_rings_running(bool interrupts)
{
    for (unsigned i = 0; i < VNET_QUEUES * pairs; i++)
        expect_ring(i, interrupts);
    for (unsigned i = 0; i < VNET_QUEUES * pairs; i++) {
        expect_kick(i);
        if (i < VNET_QUEUES)
            expect_backend(i, true);
    }
    for (unsigned i = 1; i < pairs; i++)
        expect_pair_used(i);
    assert_int_equal(looked_at, kernel.called);
}

void expect_running(bool interrupts)
{
    expect_open();
    for (unsigned i = 0; i < pairs; i++)
        expect_table(VHOST_FD + (int)i);
    expect_rings_running(interrupts);
}

void expect_stopped(void)
{
    for (unsigned i = 0; i < VNET_QUEUES * pairs; i++) {
        expect_backend(i, false);
        expect_base(i);
    }
    for (unsigned i = pairs; i-- > 1;)
        expect_steering(i, false);
    assert_int_equal(looked_at, kernel.called);
}
