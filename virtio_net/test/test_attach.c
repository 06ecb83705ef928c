/* Attach, start and the PCI transport against a device that is short of something. */
#include "model_pci.h"
#include "check.h"
#include "points.h"
#include "../mode.h"
#include <string.h>

static struct model pci;
static struct vnet_pci bus = { &pci };
static struct pci_modern transport;
static struct vnet_dev dev;
static struct vnet_config config;
static _Alignas(16) uint8_t rings[VNET_QUEUES][16384];
static struct vring_shadow shadows[VNET_QUEUES][256];
static struct vnet_buf pool[600];
static uint8_t data[VNET_BUF_BYTES];
static unsigned pool_used, pool_size;

void test_point(enum test_point_kind kind, const volatile void *at, int order)
{
    (void)kind;
    (void)at;
    (void)order;
}

struct vnet_buf *vnet_up_alloc(struct vnet_q *q)
{
    (void)q;
    if (pool_used == pool_size)
        return NULL;
    pool[pool_used] = (struct vnet_buf){ .data = data, .capacity = sizeof(data) };
    return &pool[pool_used++];
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

#define BASIC (VNET_F(VERSION_1) | VNET_F(EVENT_IDX) | VNET_F(MAC) | VNET_F(STATUS))

static void offer(uint64_t features)
{
    model_pci_init(&pci, features, 256);
    config = (struct vnet_config){ .event_idx = true, .vector = { 0, 1 }, .config_vector = 2 };
    pool_used = 0;
    pool_size = 600;
}

static int attach(void)
{
    int error = pci_modern_probe(&transport, &bus);
    if (!error)
        error = vnet_attach(&dev, &transport.base, &config);
    if (pci.violation)
        fail_msg("device: %s", pci.violation);
    return error;
}

static int start(void)
{
    void *memory[] = { rings[0], rings[1] }, *shadow[] = { shadows[0], shadows[1] };
    int error = vnet_start(&dev, memory, shadow);
    if (pci.violation)
        fail_msg("device: %s", pci.violation);
    return error;
}

static void failed_with(int error, enum vnet_error want)
{
    assert_int_equal(error, -(int)want);
    assert_string_not_equal(vnet_error_text(error), "unknown error");
    assert_true(pci.status & VIRTIO_STATUS_FAILED);
}

static void test_starts(void **state)
{
    (void)state;
    offer(BASIC);
    assert_int_equal(attach(), 0);
    assert_memory_equal(dev.mac, pci.config.mac, 6);
    assert_true(dev.link_up);
    assert_int_equal(pci.status,
                     VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
    assert_int_equal(start(), 0);
    assert_true(pci.status & VIRTIO_STATUS_DRIVER_OK);
    for (int i = 0; i < VNET_QUEUES; i++) {
        assert_true(pci.queue[i].enable);
        assert_int_equal(pci.queue[i].size, 256);
        assert_int_equal(pci.queue[i].vector, i);
        assert_ptr_equal(pci.queue[i].ring.desc, rings[i]);
    }
    /* The receive buffers are announced, once, and all of them. */
    assert_int_equal(pci.queue[VNET_RX].doorbells, 1);
    assert_int_equal(pci.queue[VNET_TX].doorbells, 0);
    assert_int_equal(ring_dev_waiting(&pci.queue[VNET_RX].ring), 256);
}

/* Each single bit, with and without VERSION_1, on top of nothing and of everything. */
static void test_features(void **state)
{
    const uint64_t known = BASIC | VNET_F(NOTIF_CONFIG_DATA) | VNET_F(RING_RESET);
    (void)state;
    for (unsigned i = 0; i < 64 * 8; i++) {
        uint64_t offered = i & 64 ? ~0ull & ~(1ull << i % 64) : 1ull << i % 64;
        if (i & 128)
            offered |= VNET_F(VERSION_1);
        offer(offered);
        config.event_idx = i & 256;
        uint64_t want = known & ~(config.event_idx ? 0 : VNET_F(EVENT_IDX));
        int error = attach();
        assert_int_equal(dev.features.offered, offered);
        assert_int_equal(dev.features.wanted, want);
        assert_int_equal(dev.features.accepted, want & offered);
        assert_int_equal(dev.features.missing, want & ~offered);
        if (offered & VNET_F(VERSION_1)) {
            assert_int_equal(error, 0);
            assert_int_equal(pci.accepted, want & offered);
        } else {
            failed_with(error, VNET_E_FEATURE_MISSING);
            assert_int_equal(pci.accepted, 0);
        }
    }
}

/* The numbers of "Feature bits" and "Reserved Feature Bits", not those of our own table. */
static void test_feature_numbers(void **state)
{
    (void)state;
    assert_int_equal(VNET_F(MAC), 1ull << 5);
    assert_int_equal(VNET_F(STATUS), 1ull << 16);
    assert_int_equal(VNET_F(EVENT_IDX), 1ull << 29);
    assert_int_equal(VNET_F(VERSION_1), 1ull << 32);
    assert_string_equal(vnet_feature_name(15), "MRG_RXBUF");
    assert_null(vnet_feature_name(4));
}

static void test_unoffered_config_is_not_read(void **state)
{
    static const uint8_t none[6];
    (void)state;
    offer(VNET_F(VERSION_1));
    pci.config.status = 0;
    assert_int_equal(attach(), 0);
    assert_memory_equal(dev.mac, none, 6);
    assert_true(dev.link_up); /* "assume link is up" without STATUS */
    offer(BASIC);
    pci.config.status = 0;
    assert_int_equal(attach(), 0);
    assert_false(dev.link_up);
}

static void test_features_refused(void **state)
{
    (void)state;
    offer(BASIC);
    pci.refuses_features = true;
    failed_with(attach(), VNET_E_FEATURES_REFUSED);
}

static void test_reset_timeout(void **state)
{
    (void)state;
    offer(BASIC);
    pci.hangs_in_reset = true;
    assert_int_equal(attach(), -VNET_E_RESET_TIMEOUT);
}

static void test_slow_reset(void **state)
{
    (void)state;
    offer(BASIC);
    pci.reset_reads = 200;
    assert_int_equal(attach(), 0);
}

/* Two reads of the generation a try, and sixteen tries. */
static void test_config_churn(void **state)
{
    (void)state;
    offer(BASIC);
    pci.churn = 31;
    assert_int_equal(attach(), 0);
    assert_memory_equal(dev.mac, pci.config.mac, 6);
    offer(BASIC);
    pci.churn = 1000;
    failed_with(attach(), VNET_E_CONFIG);
}

static void test_ring_sizes(void **state)
{
    static const struct {
        uint16_t max, asked;
        int error;
    } cases[] = {
        { 256, 0, 0 },
        { 256, 256, 0 },
        { 256, 2, 0 },
        { 0, 0, -VNET_E_NO_QUEUE },
        { 0, 16, -VNET_E_NO_QUEUE },
        { 256, 512, -VNET_E_QUEUE_SIZE },
        { 256, 1, -VNET_E_QUEUE_SIZE },
        { 256, 100, -VNET_E_QUEUE_SIZE },
        { 100, 0, -VNET_E_QUEUE_SIZE },
        { 1, 0, -VNET_E_QUEUE_SIZE },
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        offer(BASIC);
        pci.queue[i % 2].max = cases[i / 2].max;
        config.ring_size[i % 2] = cases[i / 2].asked;
        int error = attach();
        assert_int_equal(error, cases[i / 2].error);
        if (error)
            failed_with(error, (enum vnet_error) - error);
        else
            assert_int_equal(dev.q[i % 2].size,
                             cases[i / 2].asked ? cases[i / 2].asked : cases[i / 2].max);
    }
    offer(BASIC);
    pci.num_queues = 1;
    failed_with(attach(), VNET_E_NO_QUEUE);
}

static void test_vector_refused(void **state)
{
    (void)state;
    offer(BASIC);
    pci.refuses_vectors = true;
    failed_with(attach(), VNET_E_VECTOR);
    offer(BASIC);
    pci.refuses_vectors = true;
    config.config_vector = VIRTIO_MSI_NO_VECTOR;
    assert_int_equal(attach(), 0);
    failed_with(start(), VNET_E_VECTOR);
    offer(BASIC);
    pci.refuses_vectors = true;
    config.vector[0] = config.vector[1] = config.config_vector = VIRTIO_MSI_NO_VECTOR;
    assert_int_equal(attach(), 0);
    assert_int_equal(start(), 0);
}

static void test_memory(void **state)
{
    void *memory[] = { rings[0], rings[1] + 4 }, *shadow[] = { shadows[0], shadows[1] };
    (void)state;
    offer(BASIC);
    assert_int_equal(attach(), 0);
    failed_with(vnet_start(&dev, memory, shadow), VNET_E_MEMORY);
    offer(BASIC);
    pool_size = 0;
    assert_int_equal(attach(), 0);
    failed_with(start(), VNET_E_MEMORY);
    offer(BASIC);
    pool_size = 10;
    assert_int_equal(attach(), 0);
    assert_int_equal(start(), 0);
    assert_int_equal(ring_dev_waiting(&pci.queue[VNET_RX].ring), 10);
}

static struct model_cap *cap_of(uint8_t type)
{
    for (unsigned i = 0; i < pci.caps_used; i++) {
        if (pci.caps[i].type == type)
            return &pci.caps[i];
    }
    return NULL;
}

static void test_capability_missing(void **state)
{
    static const uint32_t least[] = { 0, VIRTIO_PCI_COMMON_CFG_LEAST, 2, 1, 8 };
    (void)state;
    for (uint8_t type = VIRTIO_PCI_CAP_COMMON_CFG; type <= VIRTIO_PCI_CAP_DEVICE_CFG; type++) {
        offer(BASIC);
        cap_of(type)->type = 77;
        assert_int_equal(attach(), -VNET_E_NO_CAPABILITY);
        offer(BASIC);
        cap_of(type)->bar = 6; /* reserved */
        assert_int_equal(attach(), -VNET_E_NO_CAPABILITY);
        offer(BASIC);
        cap_of(type)->offset = MODEL_BYTES - least[type] + 1; /* its end is past the BAR's */
        cap_of(type)->length = least[type];
        assert_int_equal(attach(), -VNET_E_NO_CAPABILITY);
        offer(BASIC);
        cap_of(type)->length = least[type] - 1;
        assert_int_equal(attach(), -VNET_E_NO_CAPABILITY);
    }
}

/* Of several the first that can be used counts. */
static void test_capability_order(void **state)
{
    (void)state;
    offer(BASIC);
    struct model_cap good = *cap_of(VIRTIO_PCI_CAP_COMMON_CFG);
    cap_of(VIRTIO_PCI_CAP_COMMON_CFG)->bar = 2; /* not there */
    pci.caps[pci.caps_used++] = (struct model_cap){ MODEL_CAP_VENDOR, MODEL_BAR, 0, 0x100, 16 };
    pci.caps[pci.caps_used++] = good;
    good.offset = MODEL_NOTIFY;
    pci.caps[pci.caps_used++] = good;
    assert_int_equal(attach(), 0);
    assert_int_equal(start(), 0);
}

static void test_doorbells(void **state)
{
    (void)state;
    offer(BASIC);
    pci.multiplier = 0; /* one doorbell for all */
    assert_int_equal(attach(), 0);
    assert_int_equal(start(), 0);
    assert_int_equal(pci.queue[VNET_RX].doorbells, 1);
    assert_int_equal(dev.q[0].bell.at, dev.q[1].bell.at);
    offer(BASIC);
    pci.multiplier = 0x1000; /* the second one lies outside */
    assert_int_equal(attach(), 0);
    failed_with(start(), VNET_E_NO_CAPABILITY);
    offer(BASIC);
    pci.multiplier = 0x800; /* half of it does */
    cap_of(VIRTIO_PCI_CAP_NOTIFY_CFG)->length = 0x801;
    assert_int_equal(attach(), 0);
    failed_with(start(), VNET_E_NO_CAPABILITY);
    offer(BASIC);
    pci.multiplier = 0x800; /* and here it just fits */
    cap_of(VIRTIO_PCI_CAP_NOTIFY_CFG)->length = 0x802;
    assert_int_equal(attach(), 0);
    assert_int_equal(start(), 0);
}

static void test_again_after_failure(void **state)
{
    (void)state;
    offer(BASIC);
    pci.refuses_features = true;
    failed_with(attach(), VNET_E_FEATURES_REFUSED);
    pci.refuses_features = false;
    assert_int_equal(attach(), 0);
    assert_int_equal(start(), 0);
    assert_int_equal(attach(), 0); /* and over a running device */
    assert_int_equal(start(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_feature_numbers),
        cmocka_unit_test(test_unoffered_config_is_not_read),
        cmocka_unit_test(test_features_refused),
        cmocka_unit_test(test_reset_timeout),
        cmocka_unit_test(test_slow_reset),
        cmocka_unit_test(test_config_churn),
        cmocka_unit_test(test_ring_sizes),
        cmocka_unit_test(test_vector_refused),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_capability_missing),
        cmocka_unit_test(test_capability_order),
        cmocka_unit_test(test_doorbells),
        cmocka_unit_test(test_again_after_failure),
    };
    return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
