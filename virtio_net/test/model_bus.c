/* The PCI bus of the model devices: configuration space and BARs. */
#include "model_pci.h"

#define FIRST_CAP 0x40u /* capability i lies at FIRST_CAP + CAP_STEP * i */
#define CAP_STEP  0x18u

static const struct model_cap *cap_at(const struct model *m, unsigned offset, unsigned *field)
{
    unsigned i = (offset - FIRST_CAP) / CAP_STEP;
    *field = (offset - FIRST_CAP) % CAP_STEP;
    return offset >= FIRST_CAP && i < m->caps_used ? &m->caps[i] : NULL;
}

uint8_t vnet_pci_read8(const struct vnet_pci *pci, unsigned offset)
{
    unsigned field;
    const struct model_cap *c = cap_at(pci->model, offset, &field);
    if (!c)
        return 0xff;
    if (field == VIRTIO_PCI_CAP_TYPE)
        return c->type;
    if (field == VIRTIO_PCI_CAP_LEN)
        return c->bytes;
    if (c->type == MODEL_CAP_VENDOR)
        model_blame(pci->model, "PC-22: vendor data read and its vendor not asked for");
    return field == VIRTIO_PCI_CAP_BAR ? c->bar : 0;
}

uint32_t vnet_pci_read32(const struct vnet_pci *pci, unsigned offset)
{
    unsigned field;
    if (offset == 0)
        return pci->model->ids;
    if (offset == 8)
        return pci->model->revision;
    const struct model_cap *c = cap_at(pci->model, offset, &field);
    if (!c)
        return 0xffffffff;
    if (c->type == MODEL_CAP_VENDOR)
        model_blame(pci->model, "PC-22: vendor data read and its vendor not asked for");
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
    unsigned next = from ? from + CAP_STEP : FIRST_CAP;
    return (next - FIRST_CAP) / CAP_STEP < pci->model->caps_used ? next : 0;
}

volatile void *vnet_pci_map(const struct vnet_pci *pci, unsigned bar, uint64_t offset, size_t bytes)
{
    if (bar > 5)
        model_blame(pci->model, "PC-8: capability with a reserved BAR number used");
    if (bar != MODEL_BAR || offset > MODEL_BYTES || bytes > MODEL_BYTES - offset)
        return NULL;
    pci->model->bytes_mapped += bytes;
    return pci->model->bar + offset;
}

uint16_t vnet_pci_ports(const struct vnet_pci *pci, unsigned bar, uint32_t *bytes)
{
    if (bar != 0 || !pci->model->port_bytes)
        return 0;
    *bytes = pci->model->port_bytes;
    return MODEL_PORTS;
}

bool vnet_pci_msix_on(const struct vnet_pci *pci)
{
    return pci->model->vectors > 0;
}
