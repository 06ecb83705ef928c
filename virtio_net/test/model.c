#include "model.h"
#include "points.h"
#include <string.h>

static struct model *model; /* the one in this process's address space */

void model_blame(struct model *m, const char *what)
{
    if (!m->violation)
        m->violation = what;
}

static bool is_legacy(const struct model *m)
{
    return m->front->kind == MODEL_LEGACY;
}

uint32_t hosted_mmio_read(const volatile void *p, unsigned bytes)
{
    test_point(POINT_REGISTER, p, 0);
    return model->front->mmio_read(model, (uint32_t)((const volatile uint8_t *)p - model->bar),
                                   bytes);
}

void hosted_mmio_write(volatile void *p, unsigned bytes, uint32_t v)
{
    test_point(POINT_REGISTER, p, 0);
    model->front->mmio_write(model, (uint32_t)((volatile uint8_t *)p - model->bar), bytes, v);
}

uint32_t hosted_port_read(uint16_t port, unsigned bytes)
{
    test_point(POINT_REGISTER, NULL, 0);
    return model->front->port_read(model, port, bytes);
}

void hosted_port_write(uint16_t port, unsigned bytes, uint32_t v)
{
    test_point(POINT_REGISTER, NULL, 0);
    model->front->port_write(model, port, bytes, v);
}

void model_touched(struct model *m)
{
    if (m->reset_left)
        model_blame(m, m->front->in_reset);
    if (m->status & VIRTIO_STATUS_FAILED)
        model_blame(m, "DI-5: register written after FAILED");
}

void model_queue_clear(struct model_queue *q)
{
    q->size = q->max;
    q->vector = VIRTIO_MSI_NO_VECTOR;
    q->enable = 0;
    q->resetting = q->was_reset = false;
    memset(q->addr, 0, sizeof(q->addr));
}

static void finish_reset(struct model *m)
{
    m->status = 0;
    m->accepted = 0;
    m->isr = 0;
    m->features_ok_read = false;
    m->features_ok_left = 0;
    m->config_vector = VIRTIO_MSI_NO_VECTOR;
    for (int i = 0; i < MODEL_QUEUES; i++)
        model_queue_clear(&m->queue[i]);
}

uint8_t model_status_read(struct model *m)
{
    if (m->reset_left && !m->hangs_in_reset && !--m->reset_left)
        finish_reset(m);
    if (m->features_ok_left && !--m->features_ok_left)
        m->status |= VIRTIO_STATUS_FEATURES_OK;
    m->features_ok_read |= m->status & VIRTIO_STATUS_FEATURES_OK;
    return m->status;
}

/* "Device Initialization": each bit only after the one before it. */
static void check_order(struct model *m, uint32_t value)
{
    static const uint8_t order[] = { VIRTIO_STATUS_ACKNOWLEDGE, VIRTIO_STATUS_DRIVER,
                                     VIRTIO_STATUS_FEATURES_OK, VIRTIO_STATUS_DRIVER_OK };
    uint8_t before = m->status;
    if (is_legacy(m)) {
        if (value & VIRTIO_STATUS_FEATURES_OK)
            model_blame(m, "DI-1: FEATURES_OK, which a legacy device does not know");
        before |= before & VIRTIO_STATUS_DRIVER ? VIRTIO_STATUS_FEATURES_OK : 0;
    }
    for (int i = 1; i < 4; i++) {
        if ((value & order[i]) && !(before & order[i - 1]))
            model_blame(m, "DS-1: status bits set out of order, or two at a time");
    }
    if ((value & VIRTIO_STATUS_DRIVER_OK) && !is_legacy(m) && !m->features_ok_read)
        model_blame(m, "DI-1: FEATURES_OK was not read back");
}

void model_status_write(struct model *m, uint32_t value)
{
    const uint32_t driver = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
                            VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK |
                            VIRTIO_STATUS_FAILED;
    if (!value) {
        m->reset_left = m->reset_reads;
        return;
    }
    if (m->reset_left)
        model_blame(m, m->front->in_reset);
    if (m->status & VIRTIO_STATUS_FAILED)
        model_blame(m, "DS-3: no reset after FAILED");
    if (m->status & ~value)
        model_blame(m, "DS-2: a status bit taken back");
    if (value & ~driver)
        model_blame(m, "DS-1: a status bit that the driver has no business with");
    if (!(value & VIRTIO_STATUS_FAILED))
        check_order(m, value);
    if ((value & ~m->status & VIRTIO_STATUS_FEATURES_OK) && !is_legacy(m)) {
        if (m->offered & ~m->accepted & VNET_F(VERSION_1))
            model_blame(m, "RF-1: VERSION_1 was not accepted");
        m->features_ok_left = m->features_ok_reads;
        if (m->features_ok_left || m->refuses_features)
            value &= ~VIRTIO_STATUS_FEATURES_OK;
    }
    m->status = (uint8_t)value;
}

uint32_t model_generation_read(struct model *m)
{
    if (m->churn) {
        m->churn--;
        m->generation++;
    }
    return m->generation;
}

static uint32_t feature_word(uint64_t bits, uint32_t word)
{
    return word < 2 ? (uint32_t)(bits >> 32 * word) : 0;
}

uint32_t model_features_read(const struct model *m)
{
    return feature_word(m->offered, m->feature_select[0]);
}

void model_features_write(struct model *m, uint32_t value)
{
    uint32_t word = m->feature_select[1];
    if (word > 1)
        model_blame(m, "FB-5: driver feature word above 1");
    if (!(m->status & VIRTIO_STATUS_DRIVER))
        model_blame(m, "DI-1: features written before DRIVER");
    if (m->status & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK))
        model_blame(m, "DI-3: features written after they were settled");
    if (value & ~feature_word(m->offered, word))
        model_blame(m, "FB-1: feature accepted that was not offered");
    m->accepted &= ~(0xffffffffull << 32 * (word & 1));
    m->accepted |= (uint64_t)value << 32 * (word & 1);
}

/* The fields of model.config are in host byte order, as the driver reads them in the end. */
static uint32_t config_value(const struct model *m, uint32_t at, unsigned bytes)
{
    const uint8_t *field = (const uint8_t *)&m->config + at;
    uint16_t half;
    uint32_t word;
    switch (bytes) {
    case 1:
        return *field;
    case 2:
        memcpy(&half, field, sizeof(half));
        return half;
    default:
        memcpy(&word, field, sizeof(word));
        return word;
    }
}

uint32_t model_config_read(struct model *m, uint32_t at, unsigned bytes)
{
    static const struct {
        uint8_t first, last, bytes;
        uint64_t features;
    } fields[] = {
        { 0, 5, 1, VNET_F(MAC) },
        { offsetof(struct virtio_net_config, status), 7, 2, VNET_F(STATUS) },
        { offsetof(struct virtio_net_config, max_virtqueue_pairs), 9, 2, VNET_F(MQ) | VNET_F(RSS) },
        { offsetof(struct virtio_net_config, mtu), 11, 2, VNET_F(MTU) },
        { offsetof(struct virtio_net_config, rss_max_key_size), 17, 1,
          VNET_F(RSS) | VNET_F(HASH_REPORT) },
        { offsetof(struct virtio_net_config, rss_max_indirection_table_length), 19, 2,
          VNET_F(RSS) },
        { offsetof(struct virtio_net_config, supported_hash_types), 23, 4,
          VNET_F(RSS) | VNET_F(HASH_REPORT) },
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (at < fields[i].first || at > fields[i].last)
            continue;
        if (!(m->offered & fields[i].features))
            model_blame(m, "CS-3: configuration field read whose feature is not offered");
        if ((bytes != fields[i].bytes || at % bytes) && m->front->width)
            model_blame(m, m->front->width);
        return config_value(m, at, bytes);
    }
    model_blame(m, "CS-3: configuration read where no known field is");
    return 0;
}

uint8_t model_isr_read(struct model *m)
{
    for (int i = 0; i < MODEL_QUEUES; i++) {
        if (m->queue[i].vector != VIRTIO_MSI_NO_VECTOR)
            model_blame(m, "PC-20: ISR status read although queues have vectors");
    }
    uint8_t isr = m->isr;
    m->isr = 0;
    return isr;
}

uint16_t model_vector(struct model *m, uint32_t value)
{
    if (value != VIRTIO_MSI_NO_VECTOR && value >= m->vectors) {
        model_blame(m, "PC-26: vector outside the MSI-X table");
        return VIRTIO_MSI_NO_VECTOR;
    }
    return m->refuses_vectors ? VIRTIO_MSI_NO_VECTOR : (uint16_t)value;
}

struct model_queue *model_selected(struct model *m)
{
    if (m->queue_select >= m->num_queues) {
        model_blame(m, "register of a queue that does not exist");
        return &m->queue[0];
    }
    return &m->queue[m->queue_select];
}

struct model_queue *model_configured(struct model *m)
{
    struct model_queue *q = model_selected(m);
    if (!(is_legacy(m) ? m->status & VIRTIO_STATUS_DRIVER : m->features_ok_read))
        model_blame(m, "DI-1: queue set up before the features were settled");
    if ((m->status & VIRTIO_STATUS_DRIVER_OK) && !q->was_reset && !q->enable)
        model_blame(m, "DI-1: queue set up after DRIVER_OK");
    if (q->resetting)
        model_blame(m, m->front->in_queue_reset);
    else if (q->enable)
        model_blame(m, m->front->enabled);
    return q;
}

void model_queue_size(struct model *m, struct model_queue *q, uint32_t value, const char *rule)
{
    if (!value || value > q->max)
        model_blame(m, rule);
    else if (!(m->accepted & VNET_F(RING_PACKED)) && value & (value - 1))
        model_blame(m, "PC-14: queue size that is no power of two");
    q->size = (uint16_t)value;
}

static uint64_t address(const struct model_queue *q, int part)
{
    return q->addr[2 * part] | (uint64_t)q->addr[2 * part + 1] << 32;
}

void model_queue_enable(struct model *m, struct model_queue *q)
{
    if (!address(q, 0) || !address(q, 1) || !address(q, 2))
        model_blame(m, q->was_reset ? "VR-2: queue enabled again without its addresses"
                                    : "PC-15: queue enabled before its addresses were set");
    q->enable = 1;
    q->enable_left = m->enable_reads;
    bool packed = m->accepted & VNET_F(RING_PACKED);
    struct ring_dev_config c = {
        .size = q->size,
        .start = packed ? PVIRTQ_WRAP : 0,
        .packed = packed,
        .event_idx = m->accepted & VNET_F(EVENT_IDX),
        .indirect = m->accepted & VNET_F(INDIRECT_DESC),
        .desc = address(q, 0),
        .avail = address(q, 1),
        .used = address(q, 2),
    };
    ring_dev_init(&q->ring, &c);
}

bool model_queue_enabled(struct model *m, struct model_queue *q)
{
    if (!q->enable || m->never_enables)
        return false;
    if (q->enable_left) {
        q->enable_left--;
        return false;
    }
    return true;
}

void model_queue_reset(struct model *m, struct model_queue *q, uint32_t value)
{
    if (!(m->accepted & VNET_F(RING_RESET)))
        model_blame(m, "queue reset that was not negotiated");
    if (value != 1 || !q->enable)
        model_blame(m,
                    "queue reset written with something else than 1, or the queue is not enabled");
    q->resetting = true;
    q->reset_left = m->queue_reset_reads;
}

bool model_queue_resetting(struct model *m, struct model_queue *q)
{
    if (!q->resetting)
        return false;
    if (q->reset_left) {
        q->reset_left--;
        return true;
    }
    if (m->hangs_in_queue_reset)
        return true;
    if (m->keeps_queue_enabled)
        return false;
    model_queue_clear(q);
    q->was_reset = true;
    return false;
}

void model_kick(struct model *m, uint32_t queue)
{
    if (queue >= m->num_queues) {
        model_blame(m, "PC-30: kick of a queue that does not exist");
        return;
    }
    struct model_queue *q = &m->queue[queue];
    if (!(m->status & VIRTIO_STATUS_DRIVER_OK))
        model_blame(m, "DI-6: kick before DRIVER_OK");
    if (!q->enable || q->resetting)
        model_blame(m, "kick of a queue that is not enabled");
    q->doorbells++;
    if (m->on_doorbell)
        m->on_doorbell((uint16_t)queue);
}

void model_init(struct model *m, const struct model_front *front, uint64_t offered, uint16_t max)
{
    memset(m, 0, sizeof(*m));
    m->front = front;
    m->offered = offered;
    m->num_queues = MODEL_QUEUES;
    m->vectors = MODEL_VECTORS;
    m->reset_reads = 2;
    m->config =
        (struct virtio_net_config){ .mac = { 0x52, 0x54, 0, 1, 2, 3 },
                                    .status = VIRTIO_NET_S_LINK_UP,
                                    .max_virtqueue_pairs = 2,
                                    .mtu = 1500,
                                    .rss_max_key_size = VIRTIO_NET_RSS_KEY_LEAST,
                                    .rss_max_indirection_table_length = VIRTIO_NET_RSS_TABLE_LEAST,
                                    .supported_hash_types = VIRTIO_NET_HASH_TYPES };
    for (int i = 0; i < MODEL_QUEUES; i++) {
        m->queue[i].max = max;
        model_queue_clear(&m->queue[i]);
    }
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
