/* Ports of a legacy virtio PCI device ("Legacy Interfaces: A Note on PCI Device Layout"). */
#include "model_legacy.h"

#define REG(name) VIRTIO_PCI_LEGACY_##name

enum { R = 1, W = 2, RW = R | W };

static const struct {
    uint8_t at, bytes, direction;
    bool with_msix;
} registers[] = {
    { REG(DEVICE_FEATURES), 4, R, false }, { REG(DRIVER_FEATURES), 4, RW, false },
    { REG(QUEUE_ADDRESS), 4, RW, false },  { REG(QUEUE_SIZE), 2, R, false },
    { REG(QUEUE_SELECT), 2, RW, false },   { REG(QUEUE_NOTIFY), 2, RW, false },
    { REG(DEVICE_STATUS), 1, RW, false },  { REG(ISR_STATUS), 1, R, false },
    { REG(CONFIG_VECTOR), 2, RW, true },   { REG(QUEUE_VECTOR), 2, RW, true },
};

static uint32_t config_at(const struct model *m)
{
    return m->vectors ? REG(CONFIG_MSIX) : REG(CONFIG);
}

static void check_access(struct model *m, uint32_t at, unsigned bytes, uint8_t direction)
{
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        if (registers[i].at != at || (registers[i].with_msix && !m->vectors))
            continue;
        if (registers[i].bytes == bytes && (registers[i].direction & direction))
            return;
    }
    model_blame(m, "legacy register accessed at a place, width or direction that it does not have");
}

/* There is no generation: the configuration just changes under the driver. */
static uint32_t read_config(struct model *m, uint32_t at, unsigned bytes)
{
    if (m->churn && at == 0) {
        m->churn--;
        m->config.mac[5]++;
    }
    return model_config_read(m, at, bytes);
}

static uint32_t read_vector(struct model_queue *q)
{
    q->vector_checked = true;
    return q->vector;
}

static uint32_t read_port(struct model *m, uint16_t port, unsigned bytes)
{
    uint32_t at = port - MODEL_PORTS;
    if (at >= config_at(m))
        return read_config(m, at - config_at(m), bytes);
    check_access(m, at, bytes, R);
    switch (at) {
    case REG(DEVICE_FEATURES):
        return (uint32_t)m->offered;
    case REG(QUEUE_ADDRESS):
        return model_queue_enabled(m, model_selected(m)) ? model_selected(m)->page : 0;
    case REG(QUEUE_SIZE):
        return m->queue_select < m->num_queues ? model_selected(m)->size : 0;
    case REG(DEVICE_STATUS):
        return model_status_read(m);
    case REG(ISR_STATUS):
        return model_isr_read(m);
    case REG(CONFIG_VECTOR):
        return m->config_vector;
    case REG(QUEUE_VECTOR):
        return read_vector(model_selected(m));
    }
    return 0;
}

/* "Legacy Interfaces: A Note on Virtqueue Layout" */
static void write_address(struct model *m, struct model_queue *q, uint32_t page)
{
    uint64_t desc = (uint64_t)page * REG(ALIGN), avail = desc + 16ull * q->size;
    uint64_t used = (avail + 2ull * (3 + q->size) + REG(ALIGN) - 1) / REG(ALIGN) * REG(ALIGN);
    const uint64_t parts[] = { desc, avail, used };
    if (m->vectors && !q->vector_checked)
        model_blame(m, "PC-27: vector not read back");
    for (int i = 0; i < 3; i++) {
        q->addr[2 * i] = (uint32_t)parts[i];
        q->addr[2 * i + 1] = (uint32_t)(parts[i] >> 32);
    }
    q->page = page;
    model_queue_enable(m, q);
}

static void write_vector(struct model *m, struct model_queue *q, uint32_t value)
{
    q->vector = model_vector(m, value);
    q->vector_checked = false;
}

static void write_port(struct model *m, uint16_t port, unsigned bytes, uint32_t value)
{
    uint32_t at = port - MODEL_PORTS;
    if (at >= config_at(m)) {
        model_blame(m, "NC-1: write to the net configuration");
        return;
    }
    check_access(m, at, bytes, W);
    if (at == REG(DEVICE_STATUS)) {
        model_status_write(m, value);
        return;
    }
    model_touched(m);
    if (at == REG(DRIVER_FEATURES))
        model_features_write(m, value);
    else if (at == REG(QUEUE_SELECT))
        m->queue_select = (uint16_t)value;
    else if (at == REG(QUEUE_ADDRESS))
        write_address(m, model_configured(m), value);
    else if (at == REG(QUEUE_NOTIFY))
        model_kick(m, value);
    else if (at == REG(CONFIG_VECTOR))
        m->config_vector = model_vector(m, value);
    else if (at == REG(QUEUE_VECTOR))
        write_vector(m, model_configured(m), value);
}

void model_legacy_init(struct model *m, uint64_t offered, uint16_t max)
{
    static const struct model_front front = {
        .port_read = read_port,
        .port_write = write_port,
        .in_reset = "PC-16: register written before the reset was over",
        .enabled = "legacy queue register written while the queue has an address",
        .kind = MODEL_LEGACY,
    };
    model_init(m, &front, offered, max);
    m->ids = VIRTIO_PCI_VENDOR | VIRTIO_PCI_NET_TRANSITIONAL << 16;
    m->port_bytes = 64;
}
