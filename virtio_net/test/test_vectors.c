/* MSI-X entries divided among the pairs that a device turns out to have. */
#include "kit.h"

#define NONE VIRTIO_MSI_NO_VECTOR

static void attached(enum model_kind kind, uint16_t has, uint16_t asked, uint16_t entries)
{
    uint64_t want = VNET_F(CTRL_VQ) | VNET_F(MQ) | VNET_F(MAC) | VNET_F(STATUS);
    kit_offer(kind, want | (kind == MODEL_LEGACY ? VNET_F(ANY_LAYOUT) : VNET_F(VERSION_1)));
    for (int i = 0; i < MODEL_QUEUES && kind == MODEL_LEGACY; i++)
        device.queue[i].max = 64;
    config.want = want;
    config.pairs = asked;
    device.config.max_virtqueue_pairs = has;
    device.vectors = entries > 1 ? entries : 0; /* with fewer the port turns MSI-X off */
    assert_int_equal(vnet_share_vectors(&config, 0), VNET_VECTORS_NONE);
    assert_int_equal(kit_attach(), 0);
}

/* The queues of all the pairs have vectors inside the table, each its own if there are enough. */
static void check_shares(uint16_t entries, enum vnet_vectors how)
{
    unsigned queues = vnet_queues(&dev);
    assert_int_equal(how, entries > queues ? VNET_VECTORS_OWN
                          : entries > 1    ? VNET_VECTORS_SHARED
                                           : VNET_VECTORS_NONE);
    assert_int_equal(device.config_vector, dev.config.config_vector);
    for (unsigned i = 0; i < queues; i++) {
        uint16_t v = dev.q[i].vector;
        assert_int_equal(v, dev.config.vector[i]);
        assert_true(how == VNET_VECTORS_NONE ? v == NONE : v < entries);
        assert_true(how == VNET_VECTORS_NONE || v != dev.config.config_vector);
        for (unsigned j = 0; j < i; j++)
            assert_int_equal(v == dev.q[j].vector, how != VNET_VECTORS_OWN);
    }
    for (unsigned i = queues; i < VNET_QUEUES_MAX; i++)
        assert_int_equal(dev.config.vector[i], NONE);
}

static void test_pairs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * 2 * 5 * 12; i++) {
        enum model_kind kind = i & 1 ? MODEL_LEGACY : MODEL_MODERN;
        uint16_t has = (uint16_t)(1 + i / 2 % 2), asked = (uint16_t)(i / 4 % 5),
                 entries = (uint16_t)(i / 20);
        enum vnet_vectors how;
        attached(kind, has, asked, entries);
        assert_int_equal(dev.pairs, asked > has ? has : asked ? asked : 1);
        assert_int_equal(vnet_reshare_vectors(&dev, entries, &how), 0);
        check_shares(entries, how);
    }
}

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    (void)q;
    (void)b;
}

/* A device of one pair that was asked for four: three entries suffice, and a restart finds them
 * divided as they were. */
static void test_restart(void **state)
{
    enum vnet_vectors how;
    (void)state;
    attached(MODEL_MODERN, 1, 4, 3);
    device.config.max_virtqueue_pairs = 1;
    assert_int_equal(vnet_reshare_vectors(&dev, 3, &how), 0);
    assert_int_equal(how, VNET_VECTORS_OWN);
    dev.ctrl.on = false; /* the kit has no memory for it */
    assert_int_equal(kit_start(), 0);
    for (int life = 0; life < 2; life++) {
        assert_int_equal(device.queue[VNET_RX].vector, 0);
        assert_int_equal(device.queue[VNET_TX].vector, 1);
        assert_int_equal(device.config_vector, 2);
        dev.config.want &= ~VNET_F(CTRL_VQ) & ~VNET_F(MQ);
        assert_int_equal(life ? 0 : vnet_restart(&dev, give_back), 0);
    }
}

/* Not every device takes the vector it is given. */
static void test_refused(void **state)
{
    enum vnet_vectors how;
    (void)state;
    attached(MODEL_MODERN, 2, 2, 8);
    device.refuses_vectors = true;
    assert_int_equal(vnet_reshare_vectors(&dev, 8, &how), -VNET_E_VECTOR);
    assert_int_equal(how, VNET_VECTORS_OWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
