#include "model_any.h"

void model_any_init(struct model *m, enum model_kind kind, uint64_t offered, uint16_t max)
{
    if (kind == MODEL_MODERN)
        model_pci_init(m, offered, max);
    else if (kind == MODEL_LEGACY)
        model_legacy_init(m, offered, max);
    else
        model_mmio_init(m, offered, max);
}

int model_any_probe(struct model *m, struct vnet_transport **transport)
{
    static struct pci_modern modern;
    static struct virtio_mmio mmio;
    const struct vnet_pci bus = { m };
    switch (m->front->kind) {
    case MODEL_MODERN:
        *transport = &modern.base;
        return pci_modern_probe(&modern, &bus);
#if MODEL_KINDS > 2
    case MODEL_LEGACY: {
        static struct pci_legacy legacy;
        *transport = &legacy.base;
        return pci_legacy_probe(&legacy, &bus);
    }
#endif
    default:
        *transport = &mmio.base;
        return virtio_mmio_probe(&mmio, m->bar, MODEL_MMIO_BYTES);
    }
}

uint32_t model_header_bytes(const struct model *m)
{
    return m->accepted & (VNET_F(VERSION_1) | VNET_F(MRG_RXBUF)) ? 12 : 10;
}
