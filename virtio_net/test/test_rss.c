/* Receive-side scaling: what the device is told, what it must not be told, and devices that can
 * less, refuse, or come back other than they were. */
#include "kit.h"
#include "model_rss.h"
#include <string.h>

#define BASE     (KIT_BASIC | VNET_F(CTRL_VQ) | VNET_F(RSS))
#define WITH_MQ  (BASE | VNET_F(MQ))
#define CTRL     4 /* after the two pairs that the device has */
#define RSS_DATA 2 /* behind class and command */

static _Alignas(VIRTIO_PCI_LEGACY_ALIGN) uint8_t rings[MODEL_QUEUES][16384];
static struct vring_shadow shadows[MODEL_QUEUES][256];

/* What the device makes of commands. */
static struct {
    uint8_t refuses[2]; /* RSS_CONFIG and VQ_PAIRS_SET */
    bool silent;
    unsigned seen[2];
    uint16_t pairs;
    struct model_rss rss;
} side;

static void answer(uint16_t queue)
{
    struct ring_dev *ring = &device.queue[queue].ring;
    struct ring_dev_buf b;
    uint8_t bytes[2 + VNET_CTRL_DATA];
    uint32_t n = 0;
    if (queue != CTRL || side.silent)
        return;
    assert_true(ring_dev_take(ring, &b));
    for (unsigned i = 0; i < b.readable; i++) {
        memcpy(bytes + n, b.part[i].data, b.part[i].bytes);
        n += b.part[i].bytes;
    }
    bool pairs = bytes[1] == VIRTIO_NET_CTRL_MQ_PAIRS_SET;
    assert_int_equal(bytes[0], VIRTIO_NET_CTRL_MQ);
    if (pairs)
        side.pairs = bytes[2];
    else
        model_rss_config(&device, &side.rss, bytes + RSS_DATA, n - RSS_DATA);
    side.seen[pairs]++;
    b.part[b.readable].data[0] = side.refuses[pairs];
    ring_dev_use(ring, b.id, 1);
    ring_dev_show(ring);
    ring_dev_kicks_on(ring);
}

static void offer(enum model_kind kind, uint64_t features)
{
    kit_offer(kind, features);
    config.want = features;
    config.pairs = 2;
    config.ring_size[VNET_RX] = 16; /* the kit's buffers are used once only */
    for (unsigned i = 0; i < VNET_QUEUES_MAX; i++)
        config.vector[i] = kind == MODEL_MMIO ? VIRTIO_MSI_NO_VECTOR : 0;
    config.config_vector = config.vector[0];
    memset(&side, 0, sizeof(side));
    device.on_doorbell = answer;
}

static int start(void)
{
    void *memory[MODEL_QUEUES], *shadow[MODEL_QUEUES];
    for (int i = 0; i < MODEL_QUEUES; i++) {
        memory[i] = rings[i];
        shadow[i] = shadows[i];
    }
    int error = kit_attach();
    if (!error)
        error = vnet_start(&dev, memory, shadow);
    assert_null(model_violation(&device));
    return error;
}

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    assert_true(vnet_is_rx(q) && b);
}

static int restart(void)
{
    memset(&side.rss, 0, sizeof(side.rss));
    int error = vnet_restart(&dev, give_back);
    assert_null(model_violation(&device));
    return error;
}

/* The device has all of this configuration, and nothing else. */
static void told(const struct vnet_rss *want)
{
    assert_int_equal(side.rss.hash_types, want->hash_types);
    assert_int_equal(side.rss.entries, want->entries);
    assert_int_equal(side.rss.unclassified, want->unclassified);
    for (unsigned i = 0; i < want->entries; i++)
        assert_int_equal(side.rss.table[i], want->table[i]);
    assert_int_equal(side.rss.max_tx, 2);
    assert_int_equal(side.rss.key_bytes, want->key_bytes);
    assert_memory_equal(side.rss.key, want->key, want->key_bytes);
    assert_int_equal(dev.rss_on, 1);
    assert_int_equal(dev.pairs_used, 2);
}

static void told_default(uint32_t hash_types)
{
    struct vnet_rss want = { .hash_types = hash_types, .entries = 128, .key_bytes = 40 };
    memcpy(want.key,
           "\x6d\x5a\x56\xda\x25\x5b\x0e\xc2\x41\x67\x25\x3d\x43\xa3\x8f\xb0\xd0\xca\x2b\xcb"
           "\xae\x7b\x30\xb4\x77\xcb\x2d\xa3\x80\x30\xf2\x0c\x6a\x42\xb7\x3b\xbe\xac\x01\xfa",
           40);
    for (unsigned i = 0; i < 128; i++)
        want.table[i] = i % 2;
    told(&want);
}

/* rule: CV-12B rule: CV-12C rule: CV-12D rule: CV-12E */
static void test_at_the_start(void **state)
{
    static const uint64_t formats[] = { 0, VNET_F(RING_PACKED) };
    (void)state;
    for (enum model_kind kind = MODEL_MODERN; kind <= MODEL_MMIO; kind++) {
        for (unsigned f = 0; f < 2; f++) {
            offer(kind, WITH_MQ | formats[f]);
            device.config.supported_hash_types = 0xfffff0ff; /* some that nobody knows */
            assert_int_equal(start(), 0);
            told_default(0xff);
            assert_int_equal(side.seen[0], 1);
            assert_int_equal(side.seen[1], 0);
            assert_int_equal(dev.ctrl.refused, 0);
        }
    }
}

static struct vnet_rss another(void)
{
    struct vnet_rss rss = { .hash_types = VIRTIO_NET_HASH_TYPE_TCPV4,
                            .entries = 4,
                            .unclassified = 1,
                            .key_bytes = 3,
                            .table = { 1, 1, 0, 1 },
                            .key = { 9, 8, 7 } };
    return rss;
}

static void test_told_otherwise(void **state)
{
    (void)state;
    offer(MODEL_MODERN, WITH_MQ);
    device.config.rss_max_indirection_table_length = 257;
    assert_int_equal(start(), 0);
    struct vnet_rss rss = another();
    assert_int_equal(vnet_ctrl_rss(&dev, &rss), 0);
    told(&rss);
    vnet_rss_spread(&dev, &rss, 256);
    assert_int_equal(vnet_ctrl_rss(&dev, &rss), 0);
    told(&rss);
    assert_int_equal(rss.table[255], 1);
    assert_null(model_violation(&device));
}

static void wrong(struct vnet_rss rss)
{
    unsigned seen = side.seen[0];
    assert_int_equal(vnet_ctrl_rss(&dev, &rss), -VNET_E_CTRL_DATA);
    assert_int_equal(side.seen[0], seen);
    assert_int_equal(dev.rss_on, 1); /* by what it was told before */
}

/* rule: CV-12B rule: CV-12C rule: CV-12D rule: CV-12E */
static void test_never_told(void **state)
{
    (void)state;
    offer(MODEL_MODERN, WITH_MQ);
    device.config.supported_hash_types = VIRTIO_NET_HASH_TYPE_TCPV4;
    assert_int_equal(start(), 0);
#define WRONG(field, value)                                                                        \
    {                                                                                              \
        struct vnet_rss rss = another();                                                           \
        rss.field = value;                                                                         \
        wrong(rss);                                                                                \
    }
    WRONG(hash_types, VIRTIO_NET_HASH_TYPE_TCPV4 | VIRTIO_NET_HASH_TYPE_IPV4)
    WRONG(entries, 0)
    WRONG(entries, 3)
    WRONG(entries, 256)
    WRONG(entries, 512)
    WRONG(unclassified, 2)
    WRONG(unclassified, 33)
    WRONG(table[3], 2)
    WRONG(table[0], 255)
    WRONG(key_bytes, 41)
    /* One that was reset alone is not enabled, until it is set up again. */
    device.offered |= VNET_F(RING_RESET);
    config.want = WITH_MQ | VNET_F(RING_RESET);
    assert_int_equal(start(), 0);
    assert_int_equal(vnet_queue_reset(&dev.q[VNET_QUEUES + VNET_RX], give_back), 0);
    wrong(another());
    struct vnet_rss first = { .entries = 1 };
    assert_int_equal(vnet_ctrl_rss(&dev, &first), 0);
    first.unclassified = 1;
    wrong(first);
    assert_int_equal(vnet_queue_restart(&dev.q[VNET_QUEUES + VNET_RX], rings[2], shadows[2]), 0);
    assert_int_equal(vnet_ctrl_rss(&dev, &first), 0);
    assert_null(model_violation(&device));
}

/* rule: CV-12A rule: FB-2 */
static void test_not_negotiated(void **state)
{
    static const struct {
        uint64_t offered, wanted;
        unsigned pairs;
    } cases[] = { { WITH_MQ, WITH_MQ & ~VNET_F(RSS), 2 },
                  { WITH_MQ & ~VNET_F(RSS), WITH_MQ, 2 },
                  { BASE, BASE & ~VNET_F(RSS), 1 },
                  { WITH_MQ & ~VNET_F(CTRL_VQ), WITH_MQ, 1 } };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vnet_rss rss = another();
        offer(MODEL_MODERN, cases[i].offered);
        config.want = cases[i].wanted;
        if (!(cases[i].offered & cases[i].wanted & VNET_F(MQ)))
            device.on_doorbell = NULL;
        assert_int_equal(start(), 0);
        assert_false(device.accepted & VNET_F(RSS));
        assert_int_equal(vnet_ctrl_rss(&dev, &rss), -VNET_E_CTRL_FEATURE);
        assert_int_equal(side.seen[0], 0);
        assert_int_equal(dev.pairs_used, cases[i].pairs);
        assert_int_equal(dev.rss_on, 0);
    }
}

/* "max_virtqueue_pairs ... if MQ or RSS": with RSS alone there are several pairs too. */
static void test_without_mq(void **state)
{
    (void)state;
    offer(MODEL_MODERN, BASE);
    assert_int_equal(start(), 0);
    assert_int_equal(dev.ctrl.index, CTRL);
    told_default(VIRTIO_NET_HASH_TYPES);
    /* One pair is the first. */
    offer(MODEL_MODERN, BASE);
    config.pairs = 1;
    assert_int_equal(start(), 0);
    assert_int_equal(side.seen[0], 0);
    assert_int_equal(dev.pairs_used, 1);
}

/* A device that can less than every device that offers RSS: what else it says is not trusted. */
static void test_devices_short_of_rss(void **state)
{
    static const struct {
        uint8_t key_bytes;
        uint16_t entries;
        bool taken;
    } cases[] = { { 39, 128, false }, { 0, 65535, false }, { 40, 127, false },
                  { 255, 0, false },  { 40, 128, true },   { 255, 65535, true } };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        offer(MODEL_MODERN, WITH_MQ);
        device.config.rss_max_key_size = cases[i].key_bytes;
        device.config.rss_max_indirection_table_length = cases[i].entries;
        assert_int_equal(start(), 0);
        assert_int_equal(!!(device.accepted & VNET_F(RSS)), cases[i].taken);
        assert_int_equal(side.seen[0], cases[i].taken);
        assert_int_equal(side.seen[1], !cases[i].taken);
        assert_int_equal(dev.pairs_used, 2);
    }
}

static void test_refused(void **state)
{
    (void)state;
    /* Goes on with the device's own way to spread frames, */
    offer(MODEL_MODERN, WITH_MQ);
    side.refuses[0] = VIRTIO_NET_CTRL_ERR;
    assert_int_equal(start(), 0);
    assert_int_equal(side.pairs, 2);
    assert_int_equal(dev.pairs_used, 2);
    assert_int_equal(dev.rss_on, 0);
    assert_int_equal(dev.ctrl.refused, 1);
    struct vnet_rss rss = another();
    assert_int_equal(vnet_ctrl_rss(&dev, &rss), -VNET_E_CTRL_REFUSED);
    /* takes up RSS when the device does, */
    side.refuses[0] = VIRTIO_NET_CTRL_OK;
    assert_int_equal(vnet_ctrl_rss(&dev, &rss), 0);
    told(&rss);
    /* and if it then no longer does, nothing is certain. */
    side.refuses[0] = 2;
    assert_int_equal(vnet_ctrl_rss(&dev, &rss), -VNET_E_CTRL_REFUSED);
    assert_int_equal(dev.rss_on, 0);
    /* Without such a way, or where it is refused too, with one pair. */
    for (unsigned i = 0; i < 2; i++) {
        offer(MODEL_MODERN, i ? WITH_MQ : BASE);
        side.refuses[0] = side.refuses[1] = VIRTIO_NET_CTRL_ERR;
        assert_int_equal(start(), 0);
        assert_int_equal(dev.pairs_used, 1);
        assert_int_equal(dev.ctrl.refused, 1 + i);
    }
    /* From a device that does not answer nothing can be expected. */
    offer(MODEL_MODERN, WITH_MQ);
    side.silent = true;
    kit_failed_with(start(), VNET_E_CTRL_TIMEOUT);
}

/* "Automatic receive steering" is another way than RSS: the device goes the last one it was told.
 */
static void test_ended_by_pairs(void **state)
{
    (void)state;
    offer(MODEL_MODERN, WITH_MQ);
    assert_int_equal(start(), 0);
    assert_int_equal(vnet_ctrl_pairs(&dev, 1), 0);
    assert_int_equal(dev.rss_on, 0);
    assert_int_equal(dev.pairs_used, 1);
    struct vnet_rss rss = another();
    assert_int_equal(vnet_ctrl_rss(&dev, &rss), 0);
    told(&rss);
}

static void test_restart(void **state)
{
    (void)state;
    offer(MODEL_MODERN, WITH_MQ);
    assert_int_equal(start(), 0);
    assert_int_equal(restart(), 0);
    told_default(VIRTIO_NET_HASH_TYPES);
    struct vnet_rss rss = another();
    assert_int_equal(vnet_ctrl_rss(&dev, &rss), 0);
    assert_int_equal(restart(), 0);
    told(&rss);
    /* One that refuses now is asked again next time. */
    side.refuses[0] = VIRTIO_NET_CTRL_ERR;
    assert_int_equal(restart(), 0);
    assert_int_equal(dev.rss_on, 0);
    assert_int_equal(dev.pairs_used, 2);
    side.refuses[0] = VIRTIO_NET_CTRL_OK;
    assert_int_equal(restart(), 0);
    told(&rss);
    /* The device that comes back does not hash that. */
    device.config.supported_hash_types = VIRTIO_NET_HASH_TYPE_UDPV4;
    assert_int_equal(restart(), 0);
    told_default(VIRTIO_NET_HASH_TYPE_UDPV4);
    /* It does not steer any more. */
    device.offered &= ~VNET_F(RSS);
    side.pairs = 0;
    assert_int_equal(restart(), 0);
    assert_int_equal(dev.rss_on, 0);
    assert_int_equal(side.pairs, 2);
}

/* Each rule broken once, by hand: the model says which it was. */
static void test_breaches(void **state)
{
    static const uint8_t good[] = { 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 2, 0, 2, 7, 8 };
    static const struct {
        unsigned at;
        uint8_t value;
        uint32_t bytes;
        const char *rule;
    } cases[] = {
        { 0, 1, 17, NULL },           { 1, 2, 17, "CV-12E: " },     { 4, 2, 17, "CV-12C: " },
        { 4, 255, 17, "CV-12D: " },   { 6, 2, 17, "CV-12B: " },     { 10, 2, 17, "CV-12B: " },
        { 11, 0x80, 17, "RSS: the" }, { 12, 0, 17, "RSS: transm" }, { 12, 3, 17, "RSS: transm" },
        { 14, 41, 17, "RSS: a key" }, { 14, 3, 17, "RSS: a conf" }, { 14, 1, 17, "RSS: a conf" },
        { 0, 1, 16, "RSS: a conf" },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]) + 1; i++) {
        bool last = i == sizeof(cases) / sizeof(cases[0]);
        struct model_rss rss;
        uint8_t bytes[sizeof(good)];
        memcpy(bytes, good, sizeof(good));
        offer(MODEL_MODERN, last ? WITH_MQ & ~VNET_F(RSS) : WITH_MQ);
        assert_int_equal(start(), 0);
        if (!last)
            bytes[cases[i].at] = cases[i].value;
        model_rss_config(&device, &rss, bytes, last ? sizeof(good) : cases[i].bytes);
        const char *rule = last ? "CV-12A: " : cases[i].rule, *said = model_violation(&device);
        if (rule ? !said || strncmp(said, rule, strlen(rule)) : !!said)
            fail_msg("case %u: the model says: %s", i, said ? said : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_the_start), cmocka_unit_test(test_told_otherwise),
        cmocka_unit_test(test_never_told),   cmocka_unit_test(test_not_negotiated),
        cmocka_unit_test(test_without_mq),   cmocka_unit_test(test_devices_short_of_rss),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_ended_by_pairs),
        cmocka_unit_test(test_restart),      cmocka_unit_test(test_breaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
