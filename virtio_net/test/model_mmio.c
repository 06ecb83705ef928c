/* Registers of a virtio-mmio device ("MMIO Device Register Layout"). */
#include "model_mmio.h"

enum { R = 1, W = 2, RW = R | W };

static const struct {
    uint16_t at;
    uint8_t direction;
} registers[] = {
    { VIRTIO_MMIO_MAGIC_VALUE, R },     { VIRTIO_MMIO_VERSION, R },
    { VIRTIO_MMIO_DEVICE_ID, R },       { VIRTIO_MMIO_VENDOR_ID, R },
    { VIRTIO_MMIO_DEVICE_FEATURES, R }, { VIRTIO_MMIO_DEVICE_FEATURES_SEL, W },
    { VIRTIO_MMIO_DRIVER_FEATURES, W }, { VIRTIO_MMIO_DRIVER_FEATURES_SEL, W },
    { VIRTIO_MMIO_QUEUE_SEL, W },       { VIRTIO_MMIO_QUEUE_SIZE_MAX, R },
    { VIRTIO_MMIO_QUEUE_SIZE, W },      { VIRTIO_MMIO_QUEUE_READY, RW },
    { VIRTIO_MMIO_QUEUE_NOTIFY, W },    { VIRTIO_MMIO_INTERRUPT_STATUS, R },
    { VIRTIO_MMIO_INTERRUPT_ACK, W },   { VIRTIO_MMIO_STATUS, RW },
    { VIRTIO_MMIO_QUEUE_DESC, W },      { VIRTIO_MMIO_QUEUE_DESC + 4, W },
    { VIRTIO_MMIO_QUEUE_DRIVER, W },    { VIRTIO_MMIO_QUEUE_DRIVER + 4, W },
    { VIRTIO_MMIO_QUEUE_DEVICE, W },    { VIRTIO_MMIO_QUEUE_DEVICE + 4, W },
    { VIRTIO_MMIO_QUEUE_RESET, RW },    { VIRTIO_MMIO_CONFIG_GENERATION, R },
};

/* What the driver has to have done before: bits of model.looked_at. */
enum {
    MAGIC = 1,
    VERSION = 2,
    DEVICE_ID = 4,
    DEVICE_WORD = 8,
    DRIVER_WORD = 16,
    CAUSES = 32,
};

static void check_access(struct model *m, uint32_t at, unsigned bytes, uint8_t direction)
{
    if (at >= VIRTIO_MMIO_SHM_SEL && at <= VIRTIO_MMIO_SHM_BASE_HIGH)
        model_blame(m, "MM-20: shared memory register of a device that has none");
    if (bytes != 4 || at % 4)
        model_blame(m, "MM-4: control register not accessed as an aligned 32-bit word");
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        if (registers[i].at != at)
            continue;
        if (!(registers[i].direction & direction))
            model_blame(m, direction == R ? "MM-3: read of a write-only register"
                                          : "MM-2: write to a read-only register");
        return;
    }
    model_blame(m, "MM-1: access where no register is");
}

/* The first three registers come first and in their order, and of an empty slot nothing else. */
static void check_discovery(struct model *m, uint32_t at)
{
    unsigned had = m->looked_at;
    if (at == VIRTIO_MMIO_MAGIC_VALUE || at == VIRTIO_MMIO_VERSION)
        return;
    if ((had & (MAGIC | VERSION)) != (MAGIC | VERSION) ||
        (at != VIRTIO_MMIO_DEVICE_ID && !(had & DEVICE_ID)))
        model_blame(m, "MM-18: used before magic, version and device id were looked at");
    if (m->magic != VIRTIO_MMIO_MAGIC)
        model_blame(m, "MM-6: device with another magic value used");
    if (m->version != 2)
        model_blame(m, "MM-7: device of another version used");
    if (at != VIRTIO_MMIO_DEVICE_ID && !m->device_id)
        model_blame(m, "MM-19: register of an empty slot accessed");
}

static uint32_t look(struct model *m, unsigned what, uint32_t value)
{
    m->looked_at |= what;
    return value;
}

static uint32_t read_control(struct model *m, uint32_t at)
{
    switch (at) {
    case VIRTIO_MMIO_MAGIC_VALUE:
        return look(m, MAGIC, m->magic);
    case VIRTIO_MMIO_VERSION:
        return look(m, VERSION, m->version);
    case VIRTIO_MMIO_DEVICE_ID:
        return look(m, DEVICE_ID, m->device_id);
    case VIRTIO_MMIO_DEVICE_FEATURES:
        if (!(m->looked_at & DEVICE_WORD))
            model_blame(m, "MM-9: DeviceFeatures read before DeviceFeaturesSel was written");
        return model_features_read(m);
    case VIRTIO_MMIO_QUEUE_SIZE_MAX:
        return m->queue_select < m->num_queues ? model_selected(m)->max : 0;
    case VIRTIO_MMIO_QUEUE_READY:
        return model_queue_enabled(m, model_selected(m));
    case VIRTIO_MMIO_INTERRUPT_STATUS:
        return look(m, CAUSES, m->isr);
    case VIRTIO_MMIO_STATUS:
        return model_status_read(m);
    case VIRTIO_MMIO_QUEUE_RESET:
        return model_queue_resetting(m, model_selected(m));
    case VIRTIO_MMIO_CONFIG_GENERATION:
        return model_generation_read(m);
    }
    return 0;
}

static uint32_t read_register(struct model *m, uint32_t at, unsigned bytes)
{
    if (at < VIRTIO_MMIO_CONFIG)
        check_access(m, at, bytes, R);
    check_discovery(m, at);
    if (m->stopping && at != VIRTIO_MMIO_QUEUE_READY)
        model_blame(m, "MM-13: QueueReady not read back after the queue was stopped");
    m->stopping = false;
    return at < VIRTIO_MMIO_CONFIG ? read_control(m, at)
                                   : model_config_read(m, at - VIRTIO_MMIO_CONFIG, bytes);
}

static void write_ready(struct model *m, uint32_t value)
{
    if (value) {
        model_queue_enable(m, model_configured(m));
        return;
    }
    model_queue_clear(model_selected(m));
    m->stopping = true;
}

static void write_ack(struct model *m, uint32_t value)
{
    if (!(m->looked_at & CAUSES))
        model_blame(m, "MM-22: interrupt acknowledged whose cause was not read");
    if (value & ~(VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG))
        model_blame(m, "MM-16: undefined bits acknowledged");
    m->looked_at &= ~(unsigned)CAUSES;
    m->isr &= (uint8_t)~value;
    if (m->on_ack)
        m->on_ack();
}

static void write_control(struct model *m, uint32_t at, uint32_t value)
{
    switch (at) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
        m->feature_select[0] = look(m, DEVICE_WORD, value);
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
        m->feature_select[1] = look(m, DRIVER_WORD, value);
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES:
        if (!(m->looked_at & DRIVER_WORD))
            model_blame(m, "MM-10: DriverFeatures written before DriverFeaturesSel");
        model_features_write(m, value);
        break;
    case VIRTIO_MMIO_QUEUE_SEL:
        m->queue_select = (uint16_t)value;
        break;
    case VIRTIO_MMIO_QUEUE_SIZE:
        model_queue_size(m, model_configured(m), value, "MM-11: QueueSize 0 or above QueueSizeMax");
        break;
    case VIRTIO_MMIO_QUEUE_READY:
        write_ready(m, value);
        break;
    case VIRTIO_MMIO_QUEUE_NOTIFY:
        model_kick(m, value);
        break;
    case VIRTIO_MMIO_INTERRUPT_ACK:
        write_ack(m, value);
        break;
    case VIRTIO_MMIO_QUEUE_RESET:
        model_queue_reset(m, model_selected(m), value);
        break;
    default: /* the addresses: two words each, 16 bytes apart */
        model_configured(m)->addr[(at - VIRTIO_MMIO_QUEUE_DESC) / 16 * 2 + at / 4 % 2] = value;
    }
}

/* A driver that has given up may still stop its queues. */
static bool stops_a_queue(uint32_t at, uint32_t value)
{
    return at == VIRTIO_MMIO_QUEUE_SEL || (at == VIRTIO_MMIO_QUEUE_READY && !value);
}

static void write_register(struct model *m, uint32_t at, unsigned bytes, uint32_t value)
{
    if (at >= VIRTIO_MMIO_CONFIG) {
        model_blame(m, "NC-1: write to the net configuration");
        return;
    }
    check_access(m, at, bytes, W);
    check_discovery(m, at);
    if (m->stopping)
        model_blame(m, "MM-13: QueueReady not read back after the queue was stopped");
    m->stopping = false;
    if (at == VIRTIO_MMIO_STATUS) {
        m->looked_at &= value ? ~0u : MAGIC | VERSION | DEVICE_ID;
        model_status_write(m, value);
        return;
    }
    if (!stops_a_queue(at, value))
        model_touched(m);
    if (!m->violation) /* what is no register has no place to go */
        write_control(m, at, value);
}

void model_mmio_init(struct model *m, uint64_t offered, uint16_t max)
{
    static const struct model_front front = {
        .kind = MODEL_MMIO,
        .mmio_read = read_register,
        .mmio_write = write_register,
        .width = "MM-5: configuration field not accessed by its natural width",
        .in_reset = "RS-1: register written before the reset was over",
        .enabled = "MM-12: queue register written while QueueReady is set",
        .in_queue_reset = "MM-17: queue register written before the queue's reset was over",
    };
    model_init(m, &front, offered, max);
    m->magic = VIRTIO_MMIO_MAGIC;
    m->version = 2;
    m->device_id = VIRTIO_ID_NET;
    m->vectors = 0;
}
