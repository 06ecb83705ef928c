/* The model device is not blind: each rule it holds the driver to is broken here once, by hand, and
 * it says which one it was. */
#include "kit.h"
#include <stdio.h>
#include <string.h>

#define PCI(field)  (device.bar + MODEL_COMMON + offsetof(struct virtio_pci_common_cfg, field))
#define MMIO(name)  (device.bar + VIRTIO_MMIO_##name)
#define PORT(name)  (uint16_t)(MODEL_PORTS + VIRTIO_PCI_LEGACY_##name)
#define FEATURES    (KIT_BASIC | VNET_F(RING_RESET) | VNET_F(ANY_LAYOUT))
#define STATUS(bit) transport->ops->status_set(transport, bit)

static uint8_t status(void)
{
    return transport->ops->status_get(transport);
}

static void upto_reset(void)
{
    transport->ops->reset(transport);
    while (status())
        ;
}

static void upto_driver(void)
{
    upto_reset();
    STATUS(VIRTIO_STATUS_ACKNOWLEDGE);
    STATUS(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
}

static void upto_features(void)
{
    upto_driver();
    transport->ops->features_set(transport, device.offered);
    if (!transport->legacy)
        STATUS(status() | VIRTIO_STATUS_FEATURES_OK);
    status();
}

static void upto_queue(void)
{
    struct env_bell bell;
    struct vnet_ring_addr addr = { .desc = (uintptr_t)kit_rings[0] };
    addr.avail = addr.desc + 16 * 256;
    addr.used = addr.desc + 8192;
    upto_features();
    assert_int_equal(
        transport->ops->queue_setup(transport, 0, 256, &addr, VIRTIO_MSI_NO_VECTOR, &bell), 0);
}

static void upto_running(void)
{
    upto_queue();
    STATUS(status() | VIRTIO_STATUS_DRIVER_OK);
}

/* Of every transport */

static void out_of_order(void)
{
    upto_reset();
    STATUS(VIRTIO_STATUS_DRIVER);
}

static void two_at_a_time(void)
{
    upto_reset();
    STATUS(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
}

static void bit_taken_back(void)
{
    upto_driver();
    STATUS(VIRTIO_STATUS_DRIVER);
}

static void on_after_failed(void)
{
    upto_driver();
    STATUS(status() | VIRTIO_STATUS_FAILED);
    STATUS(VIRTIO_STATUS_FAILED | VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
           VIRTIO_STATUS_FEATURES_OK);
}

static void register_after_failed(void)
{
    upto_features();
    STATUS(status() | VIRTIO_STATUS_FAILED);
    transport->ops->features_set(transport, 0);
}

static void impatient(void)
{
    transport->ops->reset(transport);
    STATUS(VIRTIO_STATUS_ACKNOWLEDGE);
}

static void not_read_back(void)
{
    upto_driver();
    transport->ops->features_set(transport, device.offered);
    STATUS(device.status | VIRTIO_STATUS_FEATURES_OK);
    STATUS(device.status | VIRTIO_STATUS_DRIVER_OK);
}

static void features_before_driver(void)
{
    upto_reset();
    transport->ops->features_set(transport, 0);
}

static void features_afterwards(void)
{
    upto_features();
    STATUS(status() | VIRTIO_STATUS_DRIVER_OK);
    transport->ops->features_set(transport, 0);
}

static void not_offered(void)
{
    upto_driver();
    transport->ops->features_set(transport, VNET_F(MTU));
}

static void no_version_1(void)
{
    upto_driver();
    transport->ops->features_set(transport, 0);
    STATUS(status() | VIRTIO_STATUS_FEATURES_OK);
}

static void kick_too_early(void)
{
    upto_queue();
    model_kick(&device, 0);
}

static void unknown_config(void)
{
    upto_driver();
    transport->ops->config_read16(transport, offsetof(struct virtio_net_config, mtu));
}

/* PCI */

static void narrow_access(void)
{
    hosted_mmio_read(PCI(queue_size), 1);
}

static void unnatural_config(void)
{
    hosted_mmio_read(device.bar + MODEL_DEVICE + offsetof(struct virtio_net_config, status), 1);
}

static void read_only(void)
{
    upto_features();
    env_mmio_write16(PCI(num_queues), 1);
}

static void read_only_of_queue(void)
{
    upto_features();
    env_mmio_write16(PCI(queue_notify_off), 1);
}

static void odd_size(void)
{
    upto_features();
    env_mmio_write16(PCI(queue_size), 100);
}

static void size_after_enable(void)
{
    upto_queue();
    env_mmio_write16(PCI(queue_size), 128);
}

static void disable(void)
{
    upto_queue();
    env_mmio_write16(PCI(queue_enable), 0);
}

static void enable_without_addresses(void)
{
    upto_features();
    hosted_mmio_read(PCI(queue_msix_vector), 2);
    env_mmio_write16(PCI(queue_enable), 1);
}

static void enable_unchecked(void)
{
    upto_features();
    env_mmio_write16(PCI(queue_msix_vector), 1);
    env_mmio_write16(PCI(queue_enable), 1);
}

static void queue_reset(void)
{
    upto_running();
    env_mmio_write16(PCI(queue_reset), 1);
}

static void set_up_in_reset(void)
{
    device.queue_reset_reads = 5;
    queue_reset();
    hosted_mmio_read(PCI(queue_reset), 2);
    env_mmio_write16(PCI(queue_size), 128);
}

static void enable_as_it_was(void)
{
    queue_reset();
    hosted_mmio_read(PCI(queue_reset), 2);
    hosted_mmio_read(PCI(queue_msix_vector), 2);
    env_mmio_write16(PCI(queue_enable), 1);
}

static void vector_out_of_table(void)
{
    upto_features();
    env_mmio_write16(PCI(config_msix_vector), MODEL_VECTORS);
}

static void isr_with_vectors(void)
{
    upto_features();
    env_mmio_write16(PCI(queue_msix_vector), 1);
    transport->ops->isr_read(transport);
}

static void wide_kick(void)
{
    upto_running();
    env_mmio_write32(device.bar + MODEL_NOTIFY, 0);
}

static void kick_of_another(void)
{
    upto_running();
    env_mmio_write16(device.bar + MODEL_NOTIFY, 1);
}

static void kick_by_index(void)
{
    device.offered |= VNET_F(NOTIF_CONFIG_DATA);
    upto_running();
    env_mmio_write16(device.bar + MODEL_NOTIFY, 0);
}

static void write_config(void)
{
    env_mmio_write8(device.bar + MODEL_DEVICE, 0);
}

static const struct vnet_pci bus = { &device };

static void reserved_bar(void)
{
    vnet_pci_map(&bus, 6, 0, 1);
}

static void vendor_data(void)
{
    device.caps[0].type = MODEL_CAP_VENDOR;
    vnet_pci_read32(&bus, 0x40 + VIRTIO_PCI_CAP_OFFSET);
}

/* MMIO */

static void no_register(void)
{
    hosted_mmio_read(device.bar + 0x050 - 4, 4);
}

static void write_to_read_only(void)
{
    env_mmio_write32(MMIO(QUEUE_SIZE_MAX), 1);
}

static void read_of_write_only(void)
{
    hosted_mmio_read(MMIO(QUEUE_NOTIFY), 4);
}

static void halfword(void)
{
    hosted_mmio_read(MMIO(STATUS), 2);
}

static void unnatural_field(void)
{
    hosted_mmio_read(device.bar + VIRTIO_MMIO_CONFIG + offsetof(struct virtio_net_config, status),
                     1);
}

static void other_magic(void)
{
    device.magic++;
    hosted_mmio_read(MMIO(DEVICE_ID), 4);
}

static void other_version(void)
{
    device.version = 1;
    hosted_mmio_read(MMIO(DEVICE_ID), 4);
}

static void no_device_word(void)
{
    upto_driver();
    hosted_mmio_read(MMIO(DEVICE_FEATURES), 4);
}

static void no_driver_word(void)
{
    upto_driver();
    env_mmio_write32(MMIO(DRIVER_FEATURES), 0);
}

static void size_above_max(void)
{
    upto_features();
    env_mmio_write32(MMIO(QUEUE_SIZE), 512);
}

static void address_while_ready(void)
{
    upto_queue();
    env_mmio_write32(MMIO(QUEUE_DRIVER), 0);
}

static void stopped_unseen(void)
{
    upto_queue();
    env_mmio_write32(MMIO(QUEUE_READY), 0);
    env_mmio_write32(MMIO(STATUS), 0);
}

static void undefined_acknowledged(void)
{
    upto_running();
    transport->ops->irq_ack(transport, (uint8_t)(transport->ops->isr_read(transport) | 4));
}

static void set_up_in_mmio_reset(void)
{
    device.queue_reset_reads = 5;
    upto_running();
    env_mmio_write32(MMIO(QUEUE_RESET), 1);
    hosted_mmio_read(MMIO(QUEUE_RESET), 4);
    env_mmio_write32(MMIO(QUEUE_SIZE), 128);
}

static void unlooked(void)
{
    device.looked_at = 0;
    hosted_mmio_read(MMIO(STATUS), 4);
}

static void empty_slot(void)
{
    device.device_id = 0;
    hosted_mmio_read(MMIO(STATUS), 4);
}

static void shared_memory(void)
{
    env_mmio_write32(MMIO(SHM_SEL), 0);
}

static void acknowledged_blindly(void)
{
    upto_running();
    transport->ops->irq_ack(transport, VIRTIO_ISR_QUEUE);
}

/* Legacy */

static void features_ok_of_old(void)
{
    upto_driver();
    STATUS(status() | VIRTIO_STATUS_FEATURES_OK);
}

static void vector_of_old_unchecked(void)
{
    upto_features();
    env_out16(PORT(QUEUE_VECTOR), 1);
    env_out32(PORT(QUEUE_ADDRESS), 1);
}

#define EVERY 3
static const struct {
    int kind; /* enum model_kind, or EVERY */
    const char *rule;
    void (*breach)(void);
} breaches[] = {
    { EVERY, "DS-1", out_of_order },
    { EVERY, "DS-1", two_at_a_time },
    { EVERY, "DS-2", bit_taken_back },
    { EVERY, "DS-3", on_after_failed },
    { EVERY, "DI-5", register_after_failed },
    { EVERY, "DI-1", features_before_driver },
    { EVERY, "DI-3", features_afterwards },
    { EVERY, "FB-1", not_offered },
    { EVERY, "DI-6", kick_too_early },
    { EVERY, "CS-3", unknown_config },
    { MODEL_MODERN, "PC-16", impatient },
    { MODEL_LEGACY, "PC-16", impatient },
    { MODEL_MMIO, "RS-1", impatient },
    { MODEL_MODERN, "DI-1", not_read_back },
    { MODEL_MMIO, "DI-1", not_read_back },
    { MODEL_LEGACY, "DI-1", features_ok_of_old },
    { MODEL_MODERN, "RF-1", no_version_1 },
    { MODEL_MMIO, "RF-1", no_version_1 },
    { MODEL_MODERN, "PC-4", narrow_access },
    { MODEL_MODERN, "PC-4", unnatural_config },
    { MODEL_MODERN, "PC-8", reserved_bar },
    { MODEL_MODERN, "PC-12", read_only },
    { MODEL_MODERN, "PC-12", read_only_of_queue },
    { MODEL_MODERN, "PC-14", odd_size },
    { MODEL_MODERN, "PC-15", size_after_enable },
    { MODEL_MODERN, "PC-15", enable_without_addresses },
    { MODEL_MODERN, "PC-17", disable },
    { MODEL_MODERN, "PC-18", set_up_in_reset },
    { MODEL_MODERN, "VR-2", enable_as_it_was },
    { MODEL_MODERN, "PC-20", isr_with_vectors },
    { MODEL_MODERN, "PC-22", vendor_data },
    { MODEL_MODERN, "PC-26", vector_out_of_table },
    { MODEL_MODERN, "PC-27", enable_unchecked },
    { MODEL_LEGACY, "PC-27", vector_of_old_unchecked },
    { MODEL_MODERN, "PC-28", wide_kick },
    { MODEL_MODERN, "PC-30", kick_of_another },
    { MODEL_MODERN, "PC-31", kick_by_index },
    { MODEL_MODERN, "NC-1", write_config },
    { MODEL_MMIO, "MM-1", no_register },
    { MODEL_MMIO, "MM-2", write_to_read_only },
    { MODEL_MMIO, "MM-3", read_of_write_only },
    { MODEL_MMIO, "MM-4", halfword },
    { MODEL_MMIO, "MM-5", unnatural_field },
    { MODEL_MMIO, "MM-6", other_magic },
    { MODEL_MMIO, "MM-7", other_version },
    { MODEL_MMIO, "MM-9", no_device_word },
    { MODEL_MMIO, "MM-10", no_driver_word },
    { MODEL_MMIO, "MM-11", size_above_max },
    { MODEL_MMIO, "MM-12", address_while_ready },
    { MODEL_MMIO, "MM-13", stopped_unseen },
    { MODEL_MMIO, "MM-16", undefined_acknowledged },
    { MODEL_MMIO, "MM-17", set_up_in_mmio_reset },
    { MODEL_MMIO, "MM-18", unlooked },
    { MODEL_MMIO, "MM-19", empty_slot },
    { MODEL_MMIO, "MM-20", shared_memory },
    { MODEL_MMIO, "MM-22", acknowledged_blindly },
};

static void check(enum model_kind kind, const char *rule, void (*breach)(void))
{
    char lead[16];
    kit_offer(kind, FEATURES);
    if (kind == MODEL_LEGACY) /* 32 bits, of which it knows what they are */
        device.offered &= UINT32_MAX & ~VNET_F(RING_RESET);
    assert_int_equal(kit_probe(), 0);
    breach();
    snprintf(lead, sizeof(lead), "%s: ", rule);
    if (!device.violation || strncmp(device.violation, lead, strlen(lead)))
        fail_msg("transport %d: %s expected, the model says: %s", (int)kind, rule,
                 device.violation ? device.violation : "nothing");
}

static void test_breaches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
        for (int kind = MODEL_MODERN; kind < MODEL_KINDS; kind++) {
            if (breaches[i].kind == kind || breaches[i].kind == EVERY)
                check((enum model_kind)kind, breaches[i].rule, breaches[i].breach);
        }
    }
}

/* The way there, on which the breaches above rest, is blameless. */
static void test_no_breach(void **state)
{
    (void)state;
    for (int kind = MODEL_MODERN; kind < MODEL_KINDS; kind++) {
        kit_offer((enum model_kind)kind, FEATURES);
        if (kind == MODEL_LEGACY)
            device.offered &= UINT32_MAX;
        assert_int_equal(kit_probe(), 0);
        upto_running();
        model_kick(&device, 0);
        assert_null(model_violation(&device));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_breaches),
        cmocka_unit_test(test_no_breach),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
