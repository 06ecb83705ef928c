/* What the registers say: capabilities, features, status, sizes, vectors, configuration. The model
 * device of each transport stands behind a front that gives the input's word for its own now and
 * then. A device that lies may make the driver break any rule of the registers; one that does not,
 * none. */
#include "kit.h"
#include "seeds.h"
#include <string.h>

static const struct model_front *honest;
static struct model_front front;
static unsigned truths; /* reads until the next lie */
static bool lied;

static uint32_t told(struct model *m, uint32_t truth)
{
    if (truths) {
        truths--;
        return truth;
    }
    if (!fuzz_left())
        return truth;
    truths = fuzz_8();
    if (truths == 0xff) /* no more of them */
        truths = UINT32_MAX;
    lied = true;
    m->violation = NULL;
    return truth ^ fuzz_32();
}

static void written(struct model *m)
{
    if (lied)
        m->violation = NULL;
}

static uint32_t mmio_read(struct model *m, uint32_t at, unsigned bytes)
{
    uint32_t mask = bytes < 4 ? (1u << 8 * bytes) - 1 : UINT32_MAX;
    written(m);
    return told(m, honest->mmio_read(m, at, bytes)) & mask;
}

static void mmio_write(struct model *m, uint32_t at, unsigned bytes, uint32_t value)
{
    written(m);
    honest->mmio_write(m, at, bytes, value);
}

static uint32_t port_read(struct model *m, uint16_t port, unsigned bytes)
{
    uint32_t mask = bytes < 4 ? (1u << 8 * bytes) - 1 : UINT32_MAX;
    written(m);
    return told(m, honest->port_read(m, port, bytes)) & mask;
}

static void port_write(struct model *m, uint16_t port, unsigned bytes, uint32_t value)
{
    written(m);
    honest->port_write(m, port, bytes, value);
}

/* How the device is made; all of it may be so. */
static void make(enum model_kind kind, uint8_t how)
{
    struct model *m = &fuzz.model;
    uint64_t features = how & 4 ? fuzz_64() : VNET_F(VERSION_1) | VNET_F(ANY_LAYOUT) | VNET_F(MAC);
    model_any_init(m, kind, features, 64);
    fuzz.config.want = how & 8 ? fuzz_64() & vnet_features_able() : vnet_features_default();
    if (how & 16) {
        uint8_t flaws = fuzz_8();
        m->refuses_features = flaws & 1;
        m->refuses_vectors = flaws & 2;
        m->hangs_in_reset = flaws & 4;
        m->never_enables = flaws & 8;
        m->hangs_in_queue_reset = flaws & 16;
        m->keeps_queue_enabled = flaws & 32;
        m->churn = flaws & 64 ? fuzz_8() : 0;
        m->reset_reads = flaws & 128 ? 20 : 2;
    }
    if (how & 32) {
        m->num_queues = fuzz_8() % (MODEL_QUEUES + 1);
        for (int i = 0; i < MODEL_QUEUES; i++)
            m->queue[i].max = m->queue[i].size = fuzz_16();
        m->config.max_virtqueue_pairs = fuzz_16();
        m->config.mtu = fuzz_16();
        m->config.status = fuzz_16();
        m->config.rss_max_key_size = fuzz_8();
        m->config.rss_max_indirection_table_length = fuzz_16();
        m->config.supported_hash_types = fuzz_32();
    }
}

/* Structures where a device could put them, and where it could not. */
static void capabilities(void)
{
    struct model *m = &fuzz.model;
    m->caps_used = fuzz_8() % (MODEL_CAPS + 1);
    for (unsigned i = 0; i < m->caps_used; i++) {
        uint8_t type = fuzz_8();
        m->caps[i] = (struct model_cap){ .type = type % 11,
                                         .bar = type & 0x80 ? fuzz_8() : MODEL_BAR,
                                         .offset = type & 0x40 ? fuzz_32() : fuzz_16(),
                                         .length = type & 0x20 ? fuzz_32() : fuzz_16(),
                                         .bytes = type & 0x10 ? fuzz_8() : 20 };
    }
    m->multiplier = fuzz_32();
    m->port_bytes = fuzz_8();
    lied = true;
}

static void choose(enum model_kind kind, uint8_t how)
{
    struct vnet_config *c = &fuzz.config;
    bool vectors = how & 64 && kind != MODEL_MMIO;
    if (!vectors)
        fuzz.model.vectors = 0;
    c->pairs = fuzz_8() % (VNET_PAIRS_MAX + 1);
    if (kind != MODEL_LEGACY) {
        c->ring_size[VNET_RX] = fuzz_8();
        c->ring_size[VNET_TX] = fuzz_8();
    }
    vnet_share_vectors(c, vectors ? MODEL_VECTORS : 0);
}

static void attached(void)
{
    const struct vnet_dev *d = &fuzz.dev;
    uint64_t accepted = d->features.accepted;
    if (accepted & ~(d->features.offered & (d->features.wanted | VNET_F(ANY_LAYOUT))))
        fuzz_fail("features accepted and not both offered and wanted");
    if (vnet_features_supported(accepted, accepted) != accepted)
        fuzz_fail("a feature without those that it needs");
    if (!d->transport->legacy && !(accepted & VNET_F(VERSION_1)))
        fuzz_fail("a modern device without VERSION_1");
    if (!d->pairs || d->pairs > VNET_PAIRS_MAX)
        fuzz_fail("%u pairs", d->pairs);
    if (d->mtu < 68 || (d->mtu > 1500 && !(accepted & VNET_F(MRG_RXBUF))))
        fuzz_fail("an MTU of %u", d->mtu);
    for (int i = 0; i < vnet_queues(d); i++) {
        if (!vring_size_ok(&d->q[i].layout))
            fuzz_fail("a ring of %u", d->q[i].layout.size);
    }
}

static bool up(void)
{
    uint8_t kind = fuzz_8() % MODEL_KINDS, how = fuzz_8();
    lied = false;
    truths = UINT32_MAX;
    make(kind, how);
    choose(kind, how);
    honest = fuzz.model.front;
    front = *honest;
    front.mmio_read = mmio_read;
    front.mmio_write = mmio_write;
    front.port_read = port_read;
    front.port_write = port_write;
    fuzz.model.front = &front;
    if (how & 128)
        capabilities();
    if (how & 3)
        truths = fuzz_8();
    if (model_any_probe(&fuzz.model, &fuzz.transport))
        return false;
    int error = vnet_attach(&fuzz.dev, fuzz.transport, &fuzz.config);
    if (error && error != -VNET_E_RESET_TIMEOUT && !(fuzz.model.status & VIRTIO_STATUS_FAILED))
        fuzz_fail("%s, and the device was not told", vnet_error_text(error));
    if (error)
        return false;
    attached();
    return !fuzz_start();
}

static void edit_features(void)
{
    char list[32];
    const char *word;
    uint64_t want = fuzz_64();
    unsigned n = fuzz_8() % sizeof(list);
    for (unsigned i = 0; i < n; i++)
        list[i] = (char)fuzz_8();
    list[n] = 0;
    if (vnet_features_edit(&want, list, &word) && (word < list || word > list + n))
        fuzz_fail("the word that is wrong lies outside the list");
}

enum step { CHANGED, LINE, VECTOR, RESET_ONE, RESET_ALL, NEEDS_RESET, EDIT, POLL, STEPS };

static bool step(void)
{
    uint8_t a;
    switch (fuzz_8() % STEPS) {
    case CHANGED:
        vnet_config_changed(&fuzz.dev);
        return true;
    case LINE:
        fuzz.in_irq = true;
        model_isr(&fuzz.model, fuzz_8());
        if (!fuzz.model.vectors)
            vnet_irq_shared(&fuzz.dev);
        fuzz.in_irq = false;
        return true;
    case VECTOR:
        fuzz_irq(fuzz_8());
        return true;
    case RESET_ONE:
        a = fuzz_8() % vnet_queues(&fuzz.dev);
        return fuzz_queue_reset(a);
    case RESET_ALL:
        return !fuzz_restart();
    case NEEDS_RESET:
        return vnet_needs_reset(&fuzz.dev) <= 0;
    case EDIT:
        edit_features();
        return true;
    default:
        a = fuzz_8();
        vnet_poll(&fuzz.dev.q[a % vnet_queues(&fuzz.dev)], 8);
        return true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin(data, size);
    if (up()) {
        while (fuzz_left() && step())
            fuzz_check();
    }
    fuzz_stop();
    if (!lied && model_violation(&fuzz.model))
        fuzz_fail("%s", model_violation(&fuzz.model));
    return 0;
}

#define ON_EACH(name, how, ...)                                                                    \
    SEED(name "_modern", MODEL_MODERN, how, __VA_ARGS__),                                          \
        SEED(name "_legacy", MODEL_LEGACY, how, __VA_ARGS__),                                      \
        SEED(name "_mmio", MODEL_MMIO, how, __VA_ARGS__)
#define FOUR(bar) /* the capabilities of a device that works */                                    \
    4, 4, 0, 0x20, 0, 1, 1, 0, 0, 0, 1, 3, 0, 0x10, 0, 1, 2, 0, 0x30, 0, 1, 4, 0, 0, 0, 64
const struct seed seeds[] = {
    ON_EACH("honest", 0, 1, 0, 0, CHANGED, LINE, 3, POLL, 0, RESET_ALL, CHANGED),
    ON_EACH("vectors", 64, 1, 16, 16, VECTOR, 0, RESET_ONE, 0, RESET_ONE, 1),
    ON_EACH("all_features", 12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, RESET_ONE, 0, RESET_ALL),
    ON_EACH("slow", 16, 128, 1, 0, 0, RESET_ALL),
    ON_EACH("stuck", 16, 4, 1, 0, 0),
    ON_EACH("refusing", 16, 1, 1, 0, 0),
    ON_EACH("never_enabled", 16, 8, 1, 0, 0),
    ON_EACH("sizes", 32, 5, 0, 1, 0x20, 0, 3, 0, 0, 0x80, 0xff, 0xff, 4, 0, 0xdc, 5, 3, 0, 40, 128,
            0, 1, 2, 0, 0, 1, 0, 0),
    ON_EACH("liar", 1, 1, 0, 0, 20, 7, 1, 0, 0, 0, 9, 2, 0, 0, 0),
    ON_EACH("edit", 0, 1, 0, 0, EDIT, 0, 0, 0, 0, 0, 0, 0, 0, 9, '+', 'M', 'T', 'U', ',', '-', 'M',
            'A', 'C'),
    SEED("capabilities", 0, 128, 1, 0, 0, FOUR(4), CHANGED),
};
const unsigned seeds_used = sizeof(seeds) / sizeof(seeds[0]);
