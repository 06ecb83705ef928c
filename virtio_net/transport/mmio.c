/* Virtio over MMIO, version 2: "MMIO Device Register Layout". Control registers are 32 bits wide;
 * fields of the configuration have their natural width. */
#include "mmio.h"
#include "../vnet.h"

static struct virtio_mmio *self(struct vnet_transport *t)
{
    return (struct virtio_mmio *)t;
}

static uint32_t reg_read(struct vnet_transport *t, uint32_t at)
{
    return env_mmio_read32(self(t)->regs + at);
}

static void reg_write(struct vnet_transport *t, uint32_t at, uint32_t value)
{
    env_mmio_write32(self(t)->regs + at, value);
}

/* "To stop using the queue the driver MUST write zero to QueueReady and MUST read the value back".
 */
static void op_reset(struct vnet_transport *t)
{
    for (uint16_t queue = 0; queue < self(t)->queues_ready; queue++) {
        reg_write(t, VIRTIO_MMIO_QUEUE_SEL, queue);
        reg_write(t, VIRTIO_MMIO_QUEUE_READY, 0);
        (void)reg_read(t, VIRTIO_MMIO_QUEUE_READY);
    }
    self(t)->queues_ready = 0;
    reg_write(t, VIRTIO_MMIO_STATUS, 0);
}

static uint8_t op_status_get(struct vnet_transport *t)
{
    return (uint8_t)reg_read(t, VIRTIO_MMIO_STATUS);
}

static void op_status_set(struct vnet_transport *t, uint8_t status)
{
    reg_write(t, VIRTIO_MMIO_STATUS, status);
}

static uint64_t op_features_get(struct vnet_transport *t)
{
    uint64_t bits = 0;
    for (uint32_t word = 0; word < 2; word++) {
        reg_write(t, VIRTIO_MMIO_DEVICE_FEATURES_SEL, word);
        bits |= (uint64_t)reg_read(t, VIRTIO_MMIO_DEVICE_FEATURES) << 32 * word;
    }
    return bits;
}

static void op_features_set(struct vnet_transport *t, uint64_t features)
{
    self(t)->accepted = features;
    for (uint32_t word = 0; word < 2; word++) {
        reg_write(t, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
        reg_write(t, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32 * word));
    }
}

static uint32_t op_config_generation(struct vnet_transport *t)
{
    return reg_read(t, VIRTIO_MMIO_CONFIG_GENERATION);
}

static uint8_t op_config_read8(struct vnet_transport *t, uint32_t offset)
{
    struct virtio_mmio *m = self(t);
    return offset < m->config_bytes ? env_mmio_read8(m->regs + VIRTIO_MMIO_CONFIG + offset) : 0;
}

static uint16_t op_config_read16(struct vnet_transport *t, uint32_t offset)
{
    struct virtio_mmio *m = self(t);
    return offset + 2 <= m->config_bytes ? env_mmio_read16(m->regs + VIRTIO_MMIO_CONFIG + offset)
                                         : 0;
}

static uint32_t op_config_read32(struct vnet_transport *t, uint32_t offset)
{
    struct virtio_mmio *m = self(t);
    return offset + 4 <= m->config_bytes ? env_mmio_read32(m->regs + VIRTIO_MMIO_CONFIG + offset)
                                         : 0;
}

/* One line is all there is. */
static int op_set_config_vector(struct vnet_transport *t, uint16_t vector)
{
    (void)t;
    return vector == VIRTIO_MSI_NO_VECTOR ? 0 : -VNET_E_VECTOR;
}

static uint16_t op_queue_max(struct vnet_transport *t, uint16_t queue)
{
    reg_write(t, VIRTIO_MMIO_QUEUE_SEL, queue);
    uint32_t max = reg_read(t, VIRTIO_MMIO_QUEUE_SIZE_MAX);
    return max > VIRTQ_SIZE_MAX ? VIRTQ_SIZE_MAX : (uint16_t)max;
}

static void write_address(struct vnet_transport *t, uint32_t at, uint64_t address)
{
    reg_write(t, at, (uint32_t)address);
    reg_write(t, at + 4, (uint32_t)(address >> 32));
}

/* "Virtqueue Configuration" */
static int op_queue_setup(struct vnet_transport *t, uint16_t queue, uint16_t size,
                          const struct vnet_ring_addr *addr, uint16_t vector, struct env_bell *bell)
{
    if (vector != VIRTIO_MSI_NO_VECTOR)
        return -VNET_E_VECTOR;
    reg_write(t, VIRTIO_MMIO_QUEUE_SEL, queue);
    if (reg_read(t, VIRTIO_MMIO_QUEUE_READY))
        return -VNET_E_QUEUE_IN_USE;
    reg_write(t, VIRTIO_MMIO_QUEUE_SIZE, size);
    write_address(t, VIRTIO_MMIO_QUEUE_DESC, addr->desc);
    write_address(t, VIRTIO_MMIO_QUEUE_DRIVER, addr->avail);
    write_address(t, VIRTIO_MMIO_QUEUE_DEVICE, addr->used);
    reg_write(t, VIRTIO_MMIO_QUEUE_READY, 1);
    if (self(t)->queues_ready <= queue)
        self(t)->queues_ready = (uint16_t)(queue + 1);
    *bell = (struct env_bell){
        .at = (uintptr_t)(self(t)->regs + VIRTIO_MMIO_QUEUE_NOTIFY),
        .value = queue,
        .kind = ENV_BELL_MMIO32,
    };
    return 0;
}

static bool op_queue_enabled(struct vnet_transport *t, uint16_t queue)
{
    reg_write(t, VIRTIO_MMIO_QUEUE_SEL, queue);
    return reg_read(t, VIRTIO_MMIO_QUEUE_READY) == 1;
}

static int op_queue_reset(struct vnet_transport *t, uint16_t queue)
{
    if (!(self(t)->accepted & VNET_F(RING_RESET)))
        return -VNET_E_NO_QUEUE_RESET;
    reg_write(t, VIRTIO_MMIO_QUEUE_SEL, queue);
    reg_write(t, VIRTIO_MMIO_QUEUE_RESET, 1);
    return 0;
}

static bool op_queue_reset_over(struct vnet_transport *t, uint16_t queue)
{
    reg_write(t, VIRTIO_MMIO_QUEUE_SEL, queue);
    return reg_read(t, VIRTIO_MMIO_QUEUE_RESET) == 0;
}

static uint8_t op_isr_read(struct vnet_transport *t)
{
    return (uint8_t)reg_read(t, VIRTIO_MMIO_INTERRUPT_STATUS);
}

static void op_irq_ack(struct vnet_transport *t, uint8_t causes)
{
    reg_write(t, VIRTIO_MMIO_INTERRUPT_ACK, causes);
}

static const struct vnet_transport_ops ops = {
    .reset = op_reset,
    .status_get = op_status_get,
    .status_set = op_status_set,
    .features_get = op_features_get,
    .features_set = op_features_set,
    .config_generation = op_config_generation,
    .config_read8 = op_config_read8,
    .config_read16 = op_config_read16,
    .config_read32 = op_config_read32,
    .set_config_vector = op_set_config_vector,
    .queue_max = op_queue_max,
    .queue_setup = op_queue_setup,
    .queue_enabled = op_queue_enabled,
    .queue_reset = op_queue_reset,
    .queue_reset_over = op_queue_reset_over,
    .isr_read = op_isr_read,
    .irq_ack = op_irq_ack,
};

int virtio_mmio_probe(struct virtio_mmio *t, volatile void *regs, uint32_t bytes)
{
    *t = (struct virtio_mmio){
        .base = { .ops = &ops, .name = "mmio", .features = VNET_F(RING_RESET) },
        .regs = regs,
        .config_bytes = bytes - VIRTIO_MMIO_CONFIG,
    };
    if (reg_read(&t->base, VIRTIO_MMIO_MAGIC_VALUE) != VIRTIO_MMIO_MAGIC)
        return -VNET_E_MMIO_MAGIC;
    if (reg_read(&t->base, VIRTIO_MMIO_VERSION) != 2)
        return -VNET_E_MMIO_VERSION;
    uint32_t id = reg_read(&t->base, VIRTIO_MMIO_DEVICE_ID);
    if (id != VIRTIO_ID_NET)
        return id ? -VNET_E_NOT_NET : -VNET_E_NO_DEVICE;
    return 0;
}
