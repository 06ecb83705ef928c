/* Attach, start and the PCI transport against a device that is short of something. */
#include "kit.h"
#include <string.h>

static void offer(uint64_t features)
{
    kit_offer(MODEL_MODERN, features);
}

/* rule: PC-4 */ /* rule: PC-12 */ /* rule: PC-17 */ /* rule: PC-28 */ /* rule: PC-30 */
/* rule: NC-2 rule: NC-3 */
static void test_starts(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    assert_int_equal(kit_attach(), 0);
    assert_memory_equal(dev.mac, device.config.mac, 6);
    assert_true(dev.link_up);
    assert_int_equal(device.status,
                     VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
    assert_int_equal(kit_start(), 0);
    assert_true(device.status & VIRTIO_STATUS_DRIVER_OK);
    for (int i = 0; i < VNET_QUEUES; i++) {
        assert_true(device.queue[i].enable);
        assert_int_equal(device.queue[i].size, 256);
        assert_int_equal(device.queue[i].vector, i);
        assert_int_equal(device.queue[i].ring.c.desc, (uintptr_t)kit_rings[i]);
    }
    /* The receive buffers are announced, once, and all of them. */
    assert_int_equal(device.queue[VNET_RX].doorbells, 1);
    assert_int_equal(device.queue[VNET_TX].doorbells, 0);
    assert_int_equal(dev.q[VNET_RX].ring.published, 256);
    assert_true(ring_dev_waiting(&device.queue[VNET_RX].ring));
}

/* Each single bit, with and without VERSION_1, on top of nothing and of everything. Among those
 * that must not be accepted are NOTIFICATION_DATA (38) and ADMIN_VQ (41), so that rules about their
 * use have nothing to apply to. rule: FB-1 */
/* rule: PC-19 */ /* rule: PC-29 */
/* rule: FB-3 rule: FB-4 rule: FB-6 rule: FB-7 */
static void test_features(void **state)
{
    const uint64_t if_offered = VNET_F(NOTIF_CONFIG_DATA) | VNET_F(RING_RESET) | VNET_F(MTU);
    (void)state;
    for (unsigned i = 0; i < 64 * 8; i++) {
        uint64_t offered = i & 64 ? ~0ull & ~(1ull << i % 64) : 1ull << i % 64;
        if (i & 128)
            offered |= VNET_F(VERSION_1);
        offer(offered);
        uint64_t want = KIT_BASIC | (if_offered & offered);
        want &= ~(i & 256 ? 0 : VNET_F(EVENT_IDX));
        config.want = want;
        int error = kit_attach();
        assert_int_equal(dev.features.offered, offered);
        assert_int_equal(dev.features.wanted, want);
        assert_int_equal(dev.features.accepted, want & offered);
        assert_int_equal(dev.features.missing, want & ~offered);
        if (offered & VNET_F(VERSION_1)) {
            assert_int_equal(error, 0);
            assert_int_equal(device.accepted, want & offered);
        } else {
            kit_failed_with(error, VNET_E_FEATURE_MISSING);
            assert_int_equal(device.accepted, 0);
        }
    }
}

/* Lists as on the command line. */
static void test_feature_list(void **state)
{
    static const struct {
        const char *list;
        uint64_t add, remove;
        enum vnet_error error;
        unsigned at;
    } cases[] = {
        { "", 0, 0, VNET_OK, 0 },
        { "+RING_PACKED,-EVENT_IDX,-MAC", VNET_F(RING_PACKED), VNET_F(EVENT_IDX) | VNET_F(MAC),
          VNET_OK, 28 },
        { "-STATUS,+STATUS,", 0, 0, VNET_OK, 16 },
        { "-MAC,+MA", 0, 0, VNET_E_FEATURE_NAME, 5 },
        { "+MACS", 0, 0, VNET_E_FEATURE_NAME, 0 },
        { "+", 0, 0, VNET_E_FEATURE_NAME, 0 },
        { "-EVENT_IDX,MAC", 0, 0, VNET_E_FEATURE_SYNTAX, 11 },
        { "+IN_ORDER", 0, 0, VNET_E_FEATURE_UNABLE, 0 },
        { "-VERSION_1", 0, 0, VNET_E_FEATURE_FIXED, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *word;
        uint64_t want = vnet_features_default();
        int error = vnet_features_edit(&want, cases[i].list, &word);
        assert_int_equal(error, -(int)cases[i].error);
        assert_ptr_equal(word, cases[i].list + cases[i].at);
        assert_int_equal(want, (vnet_features_default() | cases[i].add) & ~cases[i].remove);
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

/* rule: CS-3 */
/* rule: NC-4 rule: NC-5 */
static void test_unoffered_config_is_not_read(void **state)
{
    static const uint8_t none[6];
    (void)state;
    offer(VNET_F(VERSION_1));
    device.config.status = 0;
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(dev.mac[0] & 3, 2); /* one station's, locally administered */
    assert_memory_not_equal(dev.mac + 1, none, 5);
    assert_true(dev.link_up); /* "assume link is up" without STATUS */
    offer(KIT_BASIC);
    device.config.status = 0;
    assert_int_equal(kit_attach(), 0);
    assert_false(dev.link_up);
}

/* rule: DI-4 */
static void test_features_refused(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    device.refuses_features = true;
    kit_failed_with(kit_attach(), VNET_E_FEATURES_REFUSED);
}

static void test_reset_timeout(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    device.hangs_in_reset = true;
    assert_int_equal(kit_attach(), -VNET_E_RESET_TIMEOUT);
}

/* rule: PC-16 */
static void test_slow_reset(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    device.reset_reads = 200;
    assert_int_equal(kit_attach(), 0);
}

/* Two reads of the generation a try, and sixteen tries. */
static void test_config_churn(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    device.churn = 31;
    assert_int_equal(kit_attach(), 0);
    assert_memory_equal(dev.mac, device.config.mac, 6);
    offer(KIT_BASIC);
    device.churn = 1000;
    kit_failed_with(kit_attach(), VNET_E_CONFIG);
}

/* rule: PC-14 */
static void test_ring_sizes(void **state)
{
    static const struct {
        uint16_t max, asked, got; /* got 0: error */
        int error;
        bool packed;
    } cases[] = {
        { 256, 0, 256, 0, false },
        { 256, 256, 256, 0, false },
        { 256, 1, 1, 0, false },
        { 1, 0, 1, 0, false },
        { 100, 0, 64, 0, false },
        { 100, 0, 100, 0, true },
        { 256, 100, 100, 0, true },
        { 1, 0, 1, 0, true },
        { 0, 0, 0, -VNET_E_NO_QUEUE, false },
        { 0, 16, 0, -VNET_E_NO_QUEUE, true },
        { 256, 512, 0, -VNET_E_QUEUE_SIZE, false },
        { 256, 257, 0, -VNET_E_QUEUE_SIZE, true },
        { 256, 100, 0, -VNET_E_QUEUE_SIZE, false },
        { 33000, 33000, 0, -VNET_E_QUEUE_SIZE, true },
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        offer(KIT_BASIC | VNET_F(RING_PACKED));
        config.want |= cases[i / 2].packed ? VNET_F(RING_PACKED) : 0;
        device.queue[i % 2].max = cases[i / 2].max;
        config.ring_size[i % 2] = cases[i / 2].asked;
        int error = kit_attach();
        assert_int_equal(error, cases[i / 2].error);
        if (error)
            kit_failed_with(error, (enum vnet_error) - error);
        else
            assert_int_equal(dev.q[i % 2].layout.size, cases[i / 2].got);
    }
    offer(KIT_BASIC);
    device.num_queues = 1;
    kit_failed_with(kit_attach(), VNET_E_NO_QUEUE);
}

/* rule: PC-27 */
static void test_vector_refused(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    device.refuses_vectors = true;
    kit_failed_with(kit_attach(), VNET_E_VECTOR);
    offer(KIT_BASIC);
    device.refuses_vectors = true;
    config.config_vector = VIRTIO_MSI_NO_VECTOR;
    assert_int_equal(kit_attach(), 0);
    kit_failed_with(kit_start(), VNET_E_VECTOR);
    offer(KIT_BASIC);
    device.refuses_vectors = true;
    config.vector[0] = config.vector[1] = config.config_vector = VIRTIO_MSI_NO_VECTOR;
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(kit_start(), 0);
}

static void test_memory(void **state)
{
    void *memory[] = { kit_rings[0], kit_rings[1] + 4 },
         *shadow[] = { kit_shadows[0], kit_shadows[1] };
    (void)state;
    offer(KIT_BASIC);
    assert_int_equal(kit_attach(), 0);
    kit_failed_with(vnet_start(&dev, memory, shadow), VNET_E_MEMORY);
    offer(KIT_BASIC);
    kit_pool = 0;
    assert_int_equal(kit_attach(), 0);
    kit_failed_with(kit_start(), VNET_E_MEMORY);
    offer(KIT_BASIC);
    kit_pool = 10;
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(kit_start(), 0);
    assert_int_equal(dev.q[VNET_RX].ring.published, 10);
}

static struct model_cap *cap_of(uint8_t type)
{
    for (unsigned i = 0; i < device.caps_used; i++) {
        if (device.caps[i].type == type)
            return &device.caps[i];
    }
    return NULL;
}

/* rule: PC-8 */ /* rule: PC-10 */
static void test_capability_missing(void **state)
{
    static const uint32_t least[] = { 0, VIRTIO_PCI_COMMON_CFG_LEAST, 2, 1, 8 };
    (void)state;
    for (uint8_t type = VIRTIO_PCI_CAP_COMMON_CFG; type <= VIRTIO_PCI_CAP_DEVICE_CFG; type++) {
        offer(KIT_BASIC);
        cap_of(type)->type = 77;
        assert_int_equal(kit_attach(), -VNET_E_NO_CAPABILITY);
        offer(KIT_BASIC);
        cap_of(type)->bar = 6; /* reserved */
        assert_int_equal(kit_attach(), -VNET_E_NO_CAPABILITY);
        offer(KIT_BASIC);
        cap_of(type)->offset = MODEL_BYTES - least[type] + 1; /* its end is past the BAR's */
        cap_of(type)->length = least[type];
        assert_int_equal(kit_attach(), -VNET_E_NO_CAPABILITY);
        offer(KIT_BASIC);
        cap_of(type)->length = least[type] - 1;
        assert_int_equal(kit_attach(), -VNET_E_NO_CAPABILITY);
    }
}

/* Of several the first that can be used counts. */
/* rule: PC-5 */ /* rule: PC-6 */ /* rule: PC-22 */
static void test_capability_order(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    struct model_cap good = *cap_of(VIRTIO_PCI_CAP_COMMON_CFG);
    cap_of(VIRTIO_PCI_CAP_COMMON_CFG)->bar = 2; /* not there */
    device.caps[device.caps_used++] =
        (struct model_cap){ MODEL_CAP_VENDOR, MODEL_BAR, 0, 0x100, 16 };
    device.caps[device.caps_used++] = good;
    good.offset = MODEL_NOTIFY;
    device.caps[device.caps_used++] = good;
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(kit_start(), 0);
}

/* A capability may be longer than we know it, as may the structure; not shorter. Of a structure
 * that is far too long only the part that is used is mapped. rule: PC-7 */
/* rule: PC-9 */ /* rule: PC-10 */ /* rule: CS-4 */ /* rule: CS-5 */
static void test_capability_length(void **state)
{
    (void)state;
    for (uint8_t type = VIRTIO_PCI_CAP_COMMON_CFG; type <= VIRTIO_PCI_CAP_DEVICE_CFG; type++) {
        offer(KIT_BASIC);
        cap_of(type)->bytes = 255;
        assert_int_equal(kit_attach(), 0);
        offer(KIT_BASIC);
        cap_of(type)->bytes = type == VIRTIO_PCI_CAP_NOTIFY_CFG ? 19 : 15;
        assert_int_equal(kit_attach(), -VNET_E_NO_CAPABILITY);
    }
    offer(KIT_BASIC);
    assert_int_equal(kit_attach(), 0);
    assert_in_range(device.bytes_mapped, 1, 0x1000 + 0x1000 / 2);
}

/* A device of virtio 1.0: its common configuration ends before the registers of later features, and
 * the bits of those are not for the taking. */
static void test_short_common(void **state)
{
    const uint64_t later = VNET_F(NOTIF_CONFIG_DATA) | VNET_F(RING_RESET);
    static const struct {
        uint32_t length;
        uint64_t without;
    } cases[] = {
        { 56, VNET_F(NOTIF_CONFIG_DATA) | VNET_F(RING_RESET) },
        { 58, VNET_F(RING_RESET) },
        { 60, 0 },
    };
    (void)state;
    for (int i = 0; i < 3; i++) {
        offer(KIT_BASIC | later);
        cap_of(VIRTIO_PCI_CAP_COMMON_CFG)->length = cases[i].length;
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(dev.features.accepted, KIT_BASIC | (later & ~cases[i].without));
        assert_int_equal(kit_start(), 0);
    }
}

/* rule: PC-1 */ /* rule: PC-2 */ /* rule: PC-3 */
static void test_ids(void **state)
{
    static const struct {
        uint32_t ids;
        bool net;
    } cases[] = {
        { 0x10411af4, true },  { 0x10001af4, true },  { 0x10421af4, false }, { 0x10011af4, false },
        { 0x10411af5, false }, { 0x1af41041, false }, { 0xffffffff, false },
    };
    const struct vnet_pci bus = { &device };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned revision = 0; revision < 256; revision += 51) {
            offer(KIT_BASIC);
            device.ids = cases[i].ids;
            device.revision = (uint8_t)revision;
            assert_int_equal(pci_is_virtio_net(&bus), cases[i].net);
        }
    }
}

/* The device may want to be told something else than the queue's index. */
/* rule: PC-31 */
/* rule: RF-10 */
static void test_kick_value(void **state)
{
    (void)state;
    for (int multiplier = 0; multiplier <= 4; multiplier += 4) {
        offer(KIT_BASIC | VNET_F(NOTIF_CONFIG_DATA));
        device.multiplier = (uint32_t)multiplier;
        assert_int_equal(kit_attach(), 0);
        assert_int_equal(kit_start(), 0);
        assert_int_equal(device.queue[VNET_RX].doorbells, 1);
    }
}

/* rule: PC-28 */ /* rule: PC-30 */
static void test_doorbells(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    device.multiplier = 0; /* one doorbell for all */
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(kit_start(), 0);
    assert_int_equal(device.queue[VNET_RX].doorbells, 1);
    assert_int_equal(dev.q[0].bell.at, dev.q[1].bell.at);
    offer(KIT_BASIC);
    device.multiplier = 0x1000; /* the second one lies outside */
    assert_int_equal(kit_attach(), 0);
    kit_failed_with(kit_start(), VNET_E_NO_CAPABILITY);
    offer(KIT_BASIC);
    device.multiplier = 0x800; /* half of it does */
    cap_of(VIRTIO_PCI_CAP_NOTIFY_CFG)->length = 0x801;
    assert_int_equal(kit_attach(), 0);
    kit_failed_with(kit_start(), VNET_E_NO_CAPABILITY);
    offer(KIT_BASIC);
    device.multiplier = 0x800; /* and here it just fits */
    cap_of(VIRTIO_PCI_CAP_NOTIFY_CFG)->length = 0x802;
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(kit_start(), 0);
}

static void test_again_after_failure(void **state)
{
    (void)state;
    offer(KIT_BASIC);
    device.refuses_features = true;
    kit_failed_with(kit_attach(), VNET_E_FEATURES_REFUSED);
    device.refuses_features = false;
    assert_int_equal(kit_attach(), 0);
    assert_int_equal(kit_start(), 0);
    assert_int_equal(kit_attach(), 0); /* and over a running device */
    assert_int_equal(kit_start(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_feature_list),
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
        cmocka_unit_test(test_capability_length),
        cmocka_unit_test(test_short_common),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_kick_value),
        cmocka_unit_test(test_doorbells),
        cmocka_unit_test(test_again_after_failure),
    };
    return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
