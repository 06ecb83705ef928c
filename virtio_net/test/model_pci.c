/* Registers of a modern virtio PCI device ("Virtio Over PCI Bus"). */
#include "model_pci.h"
#include <string.h>

#define REG(field) offsetof(struct virtio_pci_common_cfg, field)

static const struct {
    uint8_t at, bytes;
} common_registers[] = {
#define R(field)                                                                                   \
    {                                                                                              \
        REG(field), sizeof(((struct virtio_pci_common_cfg *)0)->field)                             \
    }
    R(device_feature_select), R(device_feature),
    R(driver_feature_select), R(driver_feature),
    R(config_msix_vector),    R(num_queues),
    R(device_status),         R(config_generation),
    R(queue_select),          R(queue_size),
    R(queue_msix_vector),     R(queue_enable),
    R(queue_notify_off),      R(queue_desc_lo),
    R(queue_desc_hi),         R(queue_driver_lo),
    R(queue_driver_hi),       R(queue_device_lo),
    R(queue_device_hi),       R(queue_notif_config_data),
    R(queue_reset),
#undef R
};

static const char width[] = "PC-4: register accessed at a place or width that it does not have";

static void check_width(struct model *m, uint32_t at, unsigned bytes)
{
    for (size_t i = 0; i < sizeof(common_registers) / sizeof(common_registers[0]); i++) {
        if (common_registers[i].at == at && common_registers[i].bytes == bytes)
            return;
    }
    model_blame(m, width);
}

static uint32_t read_vector(struct model_queue *q)
{
    q->vector_checked = true;
    return q->vector;
}

static uint32_t read_common(struct model *m, uint32_t at)
{
    switch (at) {
    case REG(device_feature):
        return model_features_read(m);
    case REG(config_msix_vector):
        return m->config_vector;
    case REG(num_queues):
        return m->num_queues;
    case REG(device_status):
        return model_status_read(m);
    case REG(config_generation):
        return (uint8_t)model_generation_read(m);
    case REG(queue_size):
        return model_selected(m)->size;
    case REG(queue_msix_vector):
        return read_vector(model_selected(m));
    case REG(queue_enable):
        return model_queue_enabled(m, model_selected(m));
    case REG(queue_notify_off):
        return m->queue_select;
    case REG(queue_notif_config_data):
        if (m->accepted & VNET_F(NOTIF_CONFIG_DATA))
            return model_selected(m)->doorbell_data;
        break;
    case REG(queue_reset):
        if (m->accepted & VNET_F(RING_RESET))
            return model_queue_resetting(m, model_selected(m));
        break;
    }
    model_blame(m, "read of a register that is not there or that nobody needs to read");
    return 0;
}

static void write_queue(struct model *m, uint32_t at, uint32_t value)
{
    if (at == REG(queue_reset)) {
        model_queue_reset(m, model_selected(m), value);
        return;
    }
    if (at == REG(queue_enable) && value != 1)
        model_blame(m, "PC-17: queue_enable written with something else than 1");
    struct model_queue *q = model_configured(m);
    if (at == REG(queue_size)) {
        model_queue_size(m, q, value, "PC-14: queue size that is 0 or above the maximum");
    } else if (at == REG(queue_msix_vector)) {
        q->vector = model_vector(m, value);
        q->vector_checked = false;
    } else if (at == REG(queue_enable)) {
        if (!q->vector_checked)
            model_blame(m, "PC-27: vector not read back");
        model_queue_enable(m, q);
    } else if (at >= REG(queue_desc_lo) && at <= REG(queue_device_hi)) {
        q->addr[(at - REG(queue_desc_lo)) / 4] = value;
    } else {
        model_blame(m, "PC-12: write to a read-only register");
    }
}

static void write_common(struct model *m, uint32_t at, uint32_t value)
{
    if (at == REG(device_status)) {
        model_status_write(m, value);
        return;
    }
    model_touched(m);
    if (at == REG(device_feature_select))
        m->feature_select[0] = value;
    else if (at == REG(driver_feature_select))
        m->feature_select[1] = value;
    else if (at == REG(driver_feature))
        model_features_write(m, value);
    else if (at == REG(queue_select))
        m->queue_select = (uint16_t)value;
    else if (at == REG(config_msix_vector))
        m->config_vector = model_vector(m, value);
    else if (at < REG(queue_size))
        model_blame(m, "PC-12: write to a read-only register");
    else
        write_queue(m, at, value);
}

static uint32_t read_register(struct model *m, uint32_t at, unsigned bytes)
{
    if (at < MODEL_ISR) {
        check_width(m, at, bytes);
        return read_common(m, at);
    }
    if (at == MODEL_ISR && bytes == 1)
        return model_isr_read(m);
    if (at >= MODEL_DEVICE && at < MODEL_NOTIFY)
        return model_config_read(m, at - MODEL_DEVICE, bytes);
    model_blame(m, "read outside the device's structures");
    return 0;
}

/* What the queue is called in a kick. */
static uint32_t kick_name(const struct model *m, uint32_t queue)
{
    return m->accepted & VNET_F(NOTIF_CONFIG_DATA) ? m->queue[queue].doorbell_data : queue;
}

static void kick(struct model *m, uint32_t at, unsigned bytes, uint32_t value)
{
    uint32_t queue = 0;
    if (bytes != 2)
        model_blame(m, "PC-28: kick that is not 16 bits wide");
    while (queue < m->num_queues &&
           (at != MODEL_NOTIFY + queue * m->multiplier || value != kick_name(m, queue)))
        queue++;
    if (queue < m->num_queues)
        model_kick(m, queue);
    else
        model_blame(m, m->accepted & VNET_F(NOTIF_CONFIG_DATA)
                           ? "PC-31: kick that names no queue as the device wants it"
                           : "PC-30: kick that does not name its queue");
}

static void write_register(struct model *m, uint32_t at, unsigned bytes, uint32_t value)
{
    if (at < MODEL_ISR) {
        check_width(m, at, bytes);
        write_common(m, at, value);
    } else if (at >= MODEL_NOTIFY) {
        kick(m, at, bytes, value);
    } else {
        model_blame(m, at < MODEL_DEVICE ? "write to the ISR status"
                                         : "NC-1: write to the net configuration");
    }
}

static const struct model_front front = {
    .mmio_read = read_register,
    .mmio_write = write_register,
    .width = width,
    .in_reset = "PC-16: register written before the reset was over",
    .enabled = "PC-15: queue field written after the queue was enabled",
    .in_queue_reset = "PC-18: queue field written before the queue's reset was over",
};

void model_pci_init(struct model *m, uint64_t offered, uint16_t max)
{
    static const struct model_cap caps[] = {
        { VIRTIO_PCI_CAP_DEVICE_CFG, MODEL_BAR, MODEL_DEVICE, 0x1000, 16 },
        { VIRTIO_PCI_CAP_COMMON_CFG, MODEL_BAR, MODEL_COMMON, 0x1000, 16 },
        { VIRTIO_PCI_CAP_ISR_CFG, MODEL_BAR, MODEL_ISR, 0x1000, 16 },
        { VIRTIO_PCI_CAP_NOTIFY_CFG, MODEL_BAR, MODEL_NOTIFY, 0x1000, 20 },
    };
    model_init(m, &front, offered, max);
    m->ids = VIRTIO_PCI_VENDOR | VIRTIO_PCI_NET << 16;
    m->multiplier = MODEL_MULTIPLY;
    memcpy(m->caps, caps, sizeof(caps));
    m->caps_used = sizeof(caps) / sizeof(caps[0]);
    for (int i = 0; i < MODEL_QUEUES; i++)
        m->queue[i].doorbell_data = (uint16_t)(0x4000 + i);
}
