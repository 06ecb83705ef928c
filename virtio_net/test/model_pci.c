/* Registers of a modern virtio PCI device ("Virtio Over PCI Bus"). */
#include "model_pci.h"
#include <string.h>

static struct model *model;

static void blame(const char *what)
{
    if (!model->violation)
        model->violation = what;
}

#define REG(field) offsetof(struct virtio_pci_common_cfg, field)

static const struct {
    uint8_t at, bytes;
} common_registers[] = {
#define R(field)                                                                                   \
    {                                                                                              \
        REG(field), sizeof(((struct virtio_pci_common_cfg *)0)->field)                             \
    }
    R(device_feature_select), R(device_feature),  R(driver_feature_select), R(driver_feature),
    R(config_msix_vector),    R(num_queues),      R(device_status),         R(config_generation),
    R(queue_select),          R(queue_size),      R(queue_msix_vector),     R(queue_enable),
    R(queue_notify_off),      R(queue_desc_lo),   R(queue_desc_hi),         R(queue_driver_lo),
    R(queue_driver_hi),       R(queue_device_lo), R(queue_device_hi),
#undef R
};

static void check_width(uint32_t at, unsigned bytes)
{
    for (size_t i = 0; i < sizeof(common_registers) / sizeof(common_registers[0]); i++) {
        if (common_registers[i].at == at && common_registers[i].bytes == bytes)
            return;
    }
    blame("common configuration accessed at a place or width that is no register");
}

static struct model_queue *selected(void)
{
    if (model->queue_select >= model->num_queues) {
        blame("register of a queue that does not exist");
        return &model->queue[0];
    }
    return &model->queue[model->queue_select];
}

static uint8_t read_status(void)
{
    if (model->reset_left && !model->hangs_in_reset && !--model->reset_left)
        model->status = 0;
    return model->status;
}

static uint8_t read_generation(void)
{
    if (model->churn) {
        model->churn--;
        model->generation++;
    }
    return model->generation;
}

static uint32_t feature_word(uint64_t bits, uint32_t select)
{
    return select < 2 ? (uint32_t)(bits >> 32 * select) : 0;
}

static uint32_t read_common(uint32_t at)
{
    switch (at) {
    case REG(device_feature):
        return feature_word(model->offered, model->feature_select[0]);
    case REG(num_queues):
        return model->num_queues;
    case REG(device_status):
        return read_status();
    case REG(config_generation):
        return read_generation();
    case REG(queue_size):
        return selected()->size;
    case REG(queue_msix_vector):
        return selected()->vector;
    case REG(queue_enable):
        return selected()->enable;
    case REG(queue_notify_off):
        return model->queue_select;
    }
    blame("read of a register that nobody needs to read");
    return 0;
}

static void start_reset(void)
{
    model->accepted = 0;
    model->isr = 0;
    model->reset_left = model->reset_reads;
    if (!model->reset_left && !model->hangs_in_reset)
        model->status = 0;
    for (int i = 0; i < MODEL_QUEUES; i++) {
        struct model_queue *q = &model->queue[i];
        q->size = q->max;
        q->vector = VIRTIO_MSI_NO_VECTOR;
        q->enable = 0;
        memset(q->addr, 0, sizeof(q->addr));
    }
}

/* "Device Initialization": each bit only after the ones before it. */
static void write_status(uint8_t value)
{
    static const uint8_t order[] = { VIRTIO_STATUS_ACKNOWLEDGE, VIRTIO_STATUS_DRIVER,
                                     VIRTIO_STATUS_FEATURES_OK, VIRTIO_STATUS_DRIVER_OK };
    if (!value) {
        start_reset();
        return;
    }
    if (model->reset_left || (model->status & ~value))
        blame("status written during a reset, or a status bit taken back");
    if (!(value & VIRTIO_STATUS_FAILED)) {
        for (int i = 1; i < 4; i++) {
            if ((value & order[i]) && !(model->status & order[i - 1]))
                blame("status bits set out of order, or two at a time");
        }
    }
    if (model->refuses_features)
        value &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    model->status = value;
}

static void write_features(uint32_t value)
{
    uint32_t word = model->feature_select[1];
    if (word > 1)
        blame("driver feature word above 1");
    if (!(model->status & VIRTIO_STATUS_DRIVER) || (model->status & VIRTIO_STATUS_FEATURES_OK))
        blame("features written before DRIVER or after FEATURES_OK");
    if (value & ~feature_word(model->offered, word))
        blame("feature accepted that was not offered");
    model->accepted &= ~(0xffffffffull << 32 * (word & 1));
    model->accepted |= (uint64_t)value << 32 * (word & 1);
}

static uint64_t address(const struct model_queue *q, int part)
{
    return q->addr[2 * part] | (uint64_t)q->addr[2 * part + 1] << 32;
}

static void enable(struct model_queue *q, uint32_t value)
{
    if (value != 1 || q->enable)
        blame("queue_enable written with something else than a first 1");
    if (!address(q, 0) || !address(q, 1) || !address(q, 2))
        blame("queue enabled before its addresses were set");
    q->enable = 1;
    ring_dev_init(&q->ring, q->size, model->accepted & VNET_F(EVENT_IDX), address(q, 0),
                  address(q, 1), address(q, 2));
}

static void write_queue(uint32_t at, uint32_t value)
{
    struct model_queue *q = selected();
    if (!(model->status & VIRTIO_STATUS_FEATURES_OK) || (model->status & VIRTIO_STATUS_DRIVER_OK))
        blame("queue set up before FEATURES_OK or after DRIVER_OK");
    if (q->enable)
        blame("queue field written after the queue was enabled");
    if (at == REG(queue_size)) {
        if (!value || value > q->max || (value & (value - 1)))
            blame("queue size that is no power of two or above the maximum");
        q->size = (uint16_t)value;
    } else if (at == REG(queue_msix_vector)) {
        q->vector = model->refuses_vectors ? VIRTIO_MSI_NO_VECTOR : (uint16_t)value;
    } else if (at == REG(queue_enable)) {
        enable(q, value);
    } else if (at >= REG(queue_desc_lo) && at <= REG(queue_device_hi)) {
        q->addr[(at - REG(queue_desc_lo)) / 4] = value;
    } else {
        blame("write to a read-only register");
    }
}

static void write_common(uint32_t at, uint32_t value)
{
    if ((model->status & VIRTIO_STATUS_FAILED) && at != REG(device_status))
        blame("register written after FAILED");
    if (at == REG(device_feature_select))
        model->feature_select[0] = value;
    else if (at == REG(driver_feature_select))
        model->feature_select[1] = value;
    else if (at == REG(driver_feature))
        write_features(value);
    else if (at == REG(device_status))
        write_status((uint8_t)value);
    else if (at == REG(queue_select))
        model->queue_select = (uint16_t)value;
    else
        write_queue(at, value);
}

uint32_t hosted_mmio_read(const volatile void *p, unsigned bytes)
{
    uint32_t at = (uint32_t)((const volatile uint8_t *)p - model->bar);
    if (at < MODEL_ISR) {
        check_width(at, bytes);
        return read_common(at);
    }
    if (at == MODEL_ISR && bytes == 1) {
        uint8_t isr = model->isr;
        model->isr = 0;
        return isr;
    }
    if (at >= MODEL_DEVICE && at < MODEL_DEVICE + sizeof(model->config) && bytes == 1)
        return ((const uint8_t *)&model->config)[at - MODEL_DEVICE];
    blame("read outside the device's structures");
    return 0;
}

void hosted_mmio_write(volatile void *p, unsigned bytes, uint32_t v)
{
    uint32_t at = (uint32_t)((volatile uint8_t *)p - model->bar);
    if (at >= MODEL_ISR) {
        blame("write outside the common configuration");
        return;
    }
    check_width(at, bytes);
    write_common(at, v);
}

void hosted_doorbell(void *bell, uint16_t queue)
{
    if (queue >= model->num_queues ||
        (uint8_t *)bell != &model->bar[MODEL_NOTIFY + queue * model->multiplier]) {
        blame("doorbell at the wrong address");
        return;
    }
    if (!(model->status & VIRTIO_STATUS_DRIVER_OK) || !model->queue[queue].enable)
        blame("kick before DRIVER_OK");
    model->queue[queue].doorbells++;
    if (model->on_doorbell)
        model->on_doorbell(queue);
}

void model_pci_init(struct model *m, uint64_t offered, uint16_t max)
{
    static const struct model_cap caps[] = {
        { VIRTIO_PCI_CAP_DEVICE_CFG, MODEL_BAR, MODEL_DEVICE, 0x1000 },
        { VIRTIO_PCI_CAP_COMMON_CFG, MODEL_BAR, MODEL_COMMON, 0x1000 },
        { VIRTIO_PCI_CAP_ISR_CFG, MODEL_BAR, MODEL_ISR, 0x1000 },
        { VIRTIO_PCI_CAP_NOTIFY_CFG, MODEL_BAR, MODEL_NOTIFY, 0x1000 },
    };
    memset(m, 0, sizeof(*m));
    m->offered = offered;
    m->num_queues = MODEL_QUEUES;
    m->multiplier = MODEL_MULTIPLY;
    m->reset_reads = 2;
    memcpy(m->caps, caps, sizeof(caps));
    m->caps_used = sizeof(caps) / sizeof(caps[0]);
    m->config = (struct virtio_net_config){ .mac = { 0x52, 0x54, 0, 1, 2, 3 },
                                            .status = VIRTIO_NET_S_LINK_UP };
    for (int i = 0; i < MODEL_QUEUES; i++)
        m->queue[i].max = m->queue[i].size = max;
    m->status = VIRTIO_STATUS_FAILED; /* what firmware left behind */
    model = m;
}

const char *model_violation(const struct model *m)
{
    for (int i = 0; i < MODEL_QUEUES && !m->violation; i++) {
        if (m->queue[i].ring.driver_error)
            return m->queue[i].ring.driver_error;
    }
    return m->violation;
}

void model_isr(struct model *m, uint8_t bits)
{
    m->isr |= bits;
}

/* Capability i lies at 0x40 + 0x18 * i. */
static const struct model_cap *cap_at(const struct model *m, unsigned offset, unsigned *field)
{
    unsigned i = (offset - 0x40) / 0x18;
    *field = (offset - 0x40) % 0x18;
    return offset >= 0x40 && i < m->caps_used ? &m->caps[i] : NULL;
}

uint8_t vnet_pci_read8(const struct vnet_pci *pci, unsigned offset)
{
    unsigned field;
    const struct model_cap *c = cap_at(pci->model, offset, &field);
    if (!c)
        return 0xff;
    return field == 3 ? c->type : field == VIRTIO_PCI_CAP_BAR ? c->bar : 0;
}

uint32_t vnet_pci_read32(const struct vnet_pci *pci, unsigned offset)
{
    unsigned field;
    const struct model_cap *c = cap_at(pci->model, offset, &field);
    if (!c)
        return 0xffffffff;
    switch (field) {
    case VIRTIO_PCI_CAP_OFFSET:
        return c->offset;
    case VIRTIO_PCI_CAP_LENGTH:
        return c->length;
    case VIRTIO_PCI_CAP_NOTIFY_MUL:
        return c->type == VIRTIO_PCI_CAP_NOTIFY_CFG ? pci->model->multiplier : 0;
    }
    return 0;
}

unsigned vnet_pci_next_vendor_cap(const struct vnet_pci *pci, unsigned from)
{
    unsigned next = from ? from + 0x18 : 0x40;
    return (next - 0x40) / 0x18 < pci->model->caps_used ? next : 0;
}

volatile void *vnet_pci_map(const struct vnet_pci *pci, unsigned bar, uint64_t offset, size_t bytes)
{
    if (bar > 5)
        blame("capability with a reserved BAR number used");
    if (bar != MODEL_BAR || offset > MODEL_BYTES || bytes > MODEL_BYTES - offset)
        return NULL;
    return pci->model->bar + offset;
}
