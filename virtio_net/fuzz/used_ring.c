/* Used entries and indices of both formats, in both directions: the device writes what it likes,
 * between the driver's calls and amid them. Registers are honest, so no rule of theirs may be
 * broken whatever happens in the rings. */
#include "liar.h"
#include "seeds.h"

#define FEATURES                                                                                   \
    (VNET_F(MAC) | VNET_F(STATUS) | VNET_F(RING_RESET) | VNET_F(VERSION_1) | VNET_F(ANY_LAYOUT))

static struct liar liars[VNET_QUEUES];

enum step {
    SEND,      /* frames, parts, bytes */
    POLL,      /* queue, budget */
    IRQ,       /* queue; 2: the shared vector, 3: the line */
    WATCHDOG,  /* queue */
    DEVICE_RX, /* deed */
    DEVICE_TX, /* deed */
    AMID,      /* wait: the next deed falls into a call */
    SHORT,     /* buffers: the pool has no more than that */
    RESET_ONE, /* queue */
    RESET_ALL,
    STEPS,
};

static void amid(void)
{
    uint8_t what = fuzz_8();
    if (what & 1 && !vnet_mode.works_in_irq)
        fuzz_irq(what >> 1 & 1);
    else
        liar_deed(&liars[what >> 1 & 1], (what >> 2) % LIAR_DEEDS);
}

static void new_liars(void)
{
    for (int i = 0; i < VNET_QUEUES; i++)
        liar_init(&liars[i], &fuzz.dev.q[i].ring);
}

static void up(void)
{
    static const uint16_t sizes[] = { 1, 2, 4, 8, 16, 64, 128, 256 };
    uint8_t how = fuzz_8(), size = fuzz_8();
    enum model_kind kind = (how & 3) % MODEL_KINDS;
    uint64_t features = FEATURES;
    features |= how & 0x10 ? VNET_F(RING_PACKED) : 0;
    features |= how & 0x20 ? VNET_F(EVENT_IDX) : 0;
    features |= how & 0x40 ? VNET_F(MRG_RXBUF) : 0;
    features |= how & 0x80 ? VNET_F(INDIRECT_DESC) : 0;
    model_any_init(&fuzz.model, kind, features, sizes[size % 8]);
    fuzz.config = (struct vnet_config){ .want = features, .vector = { 0, 1 }, .config_vector = 2 };
    if (kind == MODEL_MMIO || !vnet_mode.uses_irqs)
        fuzz.config.vector[0] = fuzz.config.vector[1] = fuzz.config.config_vector =
            VIRTIO_MSI_NO_VECTOR;
    if (kind == MODEL_MODERN && features & VNET_F(RING_PACKED) && size >> 3) /* of any size */
        fuzz.config.ring_size[VNET_RX] = 1 + (size >> 3) % sizes[size % 8];
    if (fuzz_attach() || fuzz_start())
        fuzz_fail("an honest device does not come up");
    new_liars();
}

static void send(unsigned frames, unsigned parts, uint32_t each)
{
    const struct vnet_offload none = { 0 };
    while (frames-- && fuzz_send(1 + parts, 1 + each, &none))
        ;
    vnet_flush(&fuzz.dev.q[VNET_TX]);
}

static void irq(uint8_t which)
{
    if (which < VNET_QUEUES) {
        fuzz_irq(which);
        return;
    }
    fuzz.in_irq = true;
    if (which == 2) {
        vnet_irq_any(&fuzz.dev);
    } else if (fuzz.config.vector[0] == VIRTIO_MSI_NO_VECTOR) {
        model_isr(&fuzz.model, VIRTIO_ISR_QUEUE);
        vnet_irq_shared(&fuzz.dev);
    }
    fuzz.in_irq = false;
}

static bool step(void)
{
    uint8_t a;
    switch (fuzz_8() % STEPS) {
    case SEND:
        a = fuzz_8();
        send(1 + a % 8, (a >> 3) % 24, fuzz_16() % (VNET_FRAME_MAX - 1));
        break;
    case POLL:
        a = fuzz_8();
        vnet_poll(&fuzz.dev.q[a & 1], 1 + (a >> 1));
        break;
    case IRQ:
        irq(fuzz_8() % 4);
        break;
    case WATCHDOG:
        fuzz.in_irq = true; /* interrupts are off */
        vnet_watchdog(&fuzz.dev.q[fuzz_8() & 1], env_now(), 10000000);
        fuzz.in_irq = false;
        break;
    case DEVICE_RX:
        liar_deed(&liars[VNET_RX], fuzz_8() % LIAR_DEEDS);
        break;
    case DEVICE_TX:
        liar_deed(&liars[VNET_TX], fuzz_8() % LIAR_DEEDS);
        break;
    case AMID:
        fuzz.wait = fuzz_8();
        fuzz.turn = amid;
        break;
    case SHORT:
        fuzz.alloc_left = fuzz_8();
        break;
    case RESET_ONE:
        fuzz.turn = NULL;
        if (!fuzz_queue_reset(fuzz_8() & 1))
            return false;
        new_liars();
        break;
    case RESET_ALL:
        fuzz.turn = NULL;
        if (fuzz_restart())
            return false; /* it found no buffers */
        new_liars();
        break;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin(data, size);
    up();
    while (fuzz_left() && step())
        fuzz_check();
    fuzz_stop();
    if (model_violation(&fuzz.model))
        fuzz_fail("%s", model_violation(&fuzz.model));
    return 0;
}

#define EACH_FORMAT_OF(name, ...)                                                                  \
    SEED(name "_split", 0x20, 4, __VA_ARGS__), SEED(name "_packed", 0x30, 4, __VA_ARGS__),         \
        SEED(name "_merge", 0x60, 7, __VA_ARGS__),                                                 \
        SEED(name "_mmio", 0x30 | MODEL_MMIO, 5, __VA_ARGS__),                                     \
        SEED(name "_legacy", MODEL_LEGACY, 3, __VA_ARGS__)

const struct seed seeds[] = {
    EACH_FORMAT_OF("traffic", SEND, 3, 100, 0, DEVICE_TX, LIAR_MANY, 4, DEVICE_TX, LIAR_SHOW, IRQ,
                   1, POLL, 65, DEVICE_RX, LIAR_MANY, 8, DEVICE_RX, LIAR_SHOW, IRQ, 0, POLL, 64),
    EACH_FORMAT_OF("parts", SEND, 0x1f, 40, 0, DEVICE_TX, LIAR_USE, 2, 0, 0, DEVICE_TX, LIAR_SHOW,
                   POLL, 65),
    EACH_FORMAT_OF("bad_id", DEVICE_RX, LIAR_ENTRY, 16, 0, 60, 0, DEVICE_RX, LIAR_SHOW, POLL, 64,
                   SEND, 0, 9, 0),
    EACH_FORMAT_OF("id_twice", DEVICE_RX, LIAR_ENTRY, 1, 0, 60, 0, DEVICE_RX, LIAR_ENTRY, 1, 0, 60,
                   0, DEVICE_RX, LIAR_SHOW, POLL, 64, RESET_ALL, POLL, 64),
    EACH_FORMAT_OF("jump", DEVICE_RX, LIAR_INDEX, 0, 4, POLL, 64, RESET_ONE, 0, POLL, 64),
    EACH_FORMAT_OF("long", DEVICE_RX, LIAR_USE, 0, 0xff, 0xff, 0, 0, 1, 0, DEVICE_RX, LIAR_SHOW,
                   POLL, 64),
    EACH_FORMAT_OF("short_pool", SHORT, 2, DEVICE_RX, LIAR_MANY, 9, DEVICE_RX, LIAR_SHOW, POLL, 64,
                   SHORT, 200, POLL, 64),
    EACH_FORMAT_OF("amid_poll", DEVICE_RX, LIAR_MANY, 3, DEVICE_RX, LIAR_SHOW, AMID, 2, POLL, 64, 4,
                   5, AMID, 1, SEND, 2, 8, 0, 1, AMID, 3, POLL, 65, 8),
    EACH_FORMAT_OF("lost", DEVICE_RX, LIAR_MANY, 3, DEVICE_RX, LIAR_SHOW, WATCHDOG, 0, WATCHDOG, 0,
                   IRQ, 2, IRQ, 3),
    EACH_FORMAT_OF("scribble", DEVICE_TX, LIAR_KICKS, 0, 1, 2, DEVICE_RX, LIAR_BYTES, 4, 0, 8, 1, 2,
                   3, 4, 5, 6, 7, 8, POLL, 64, SEND, 7, 1, 1, POLL, 65),
};
const unsigned seeds_used = sizeof(seeds) / sizeof(seeds[0]);
