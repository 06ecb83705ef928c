/* The control queue of a device that is a vhost backend. A backend serves rings of frames and knows
 * no commands, so the front end has this queue: its kick is a call of this file, and the command is
 * carried out when the kick is over. The ring is the driver's own, of the format that was
 * negotiated, and its addresses are plain pointers. */
#include <string.h>
#include "vhost.h"

#define COMMAND_MAX (sizeof(struct virtio_net_ctrl_hdr) + VNET_CTRL_DATA)

struct command {
    uint8_t bytes[COMMAND_MAX]; /* class, number and data, which may come in several parts */
    uint32_t len;
    uint8_t *ack;
};

void vhost_ctrl_set(struct vhost *v, uint16_t size, const struct vnet_ring_addr *addr)
{
    bool packed = v->accepted & VNET_F(RING_PACKED);
    v->ctrl = (struct vhost_ctrl){
        .addr = *addr,
        .size = size,
        .at = packed ? PVIRTQ_WRAP : 0,
        .set = true,
    };
}

static void *pointer(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/* The first byte that is ours to write is the acknowledgement. */
static void take_part(struct command *c, uint64_t addr, uint32_t len, uint16_t flags)
{
    if (flags & VIRTQ_DESC_F_WRITE) {
        c->ack = c->ack ? c->ack : pointer(addr);
    } else if (len <= sizeof(c->bytes) - c->len) {
        memcpy(c->bytes + c->len, pointer(addr), len);
        c->len += len;
    }
}

static uint8_t set_mac(struct vhost *v, const uint8_t *data, uint32_t len)
{
    if (len != sizeof(v->config.mac))
        return VIRTIO_NET_CTRL_ERR;
    memcpy(v->config.mac, data, len);
    return VIRTIO_NET_CTRL_OK;
}

static uint8_t set_pairs(struct vhost *v, const uint8_t *data, uint32_t len)
{
    uint16_t pairs = len == 2 ? (uint16_t)(data[0] | data[1] << 8) : 0;
    if (!pairs || pairs > v->pairs || vhost_pairs_set(v, pairs))
        return VIRTIO_NET_CTRL_ERR;
    return VIRTIO_NET_CTRL_OK;
}

/* Nothing filters frames between a backend and the driver, and a device may always let through more
 * than it was asked for ("Packet Receive Filtering"): those commands have no more to do. */
static uint8_t obey(struct vhost *v, const struct command *c)
{
    struct virtio_net_ctrl_hdr h;
    if (c->len < sizeof(h))
        return VIRTIO_NET_CTRL_ERR;
    memcpy(&h, c->bytes, sizeof(h));
    const uint8_t *data = c->bytes + sizeof(h);
    uint32_t len = c->len - (uint32_t)sizeof(h);
    switch (h.class) {
    case VIRTIO_NET_CTRL_RX:
    case VIRTIO_NET_CTRL_VLAN:
        return VIRTIO_NET_CTRL_OK;
    case VIRTIO_NET_CTRL_MAC:
        return h.command == VIRTIO_NET_CTRL_MAC_ADDR_SET ? set_mac(v, data, len)
                                                         : VIRTIO_NET_CTRL_OK;
    case VIRTIO_NET_CTRL_MQ:
        return h.command == VIRTIO_NET_CTRL_MQ_PAIRS_SET ? set_pairs(v, data, len)
                                                         : VIRTIO_NET_CTRL_ERR;
    }
    return VIRTIO_NET_CTRL_ERR;
}

static void carry_out(struct vhost *v, const struct command *c)
{
    if (c->ack)
        *c->ack = obey(v, c);
}

/* False: there is no command. */
static bool serve_split(struct vhost *v)
{
    struct vhost_ctrl *q = &v->ctrl;
    const struct virtq_desc *desc = pointer(q->addr.desc);
    const struct virtq_avail *avail = pointer(q->addr.avail);
    struct virtq_used *used = pointer(q->addr.used);
    struct command c = { .len = 0 };
    if (le16(env_load_acquire16(&avail->idx)) == q->at)
        return false;
    uint16_t head = le16(avail->ring[q->at % q->size]), flags, id = head;
    do {
        const struct virtq_desc *d = &desc[id % q->size];
        flags = le16(d->flags);
        take_part(&c, le64(d->addr), le32(d->len), flags);
        id = le16(d->next);
    } while (flags & VIRTQ_DESC_F_NEXT);
    carry_out(v, &c);
    used->ring[q->at % q->size] = (struct virtq_used_elem){ le32(head), le32(1) };
    q->at++;
    /* avail_event: the next command is to be kicked for too. */
    env_store_release16((uint16_t *)&used->ring[q->size], le16(q->at));
    env_store_release16(&used->idx, le16(q->at));
    return true;
}

static uint16_t next_slot(const struct vhost_ctrl *q, uint16_t at)
{
    uint16_t slot = (uint16_t)((at & ~PVIRTQ_WRAP) + 1);
    return slot < q->size ? (uint16_t)(at + 1) : (uint16_t)((at & PVIRTQ_WRAP) ^ PVIRTQ_WRAP);
}

/* "Packed Virtqueue": kicks are wanted all the time, as the driver's zeroed memory says. */
static bool serve_packed(struct vhost *v)
{
    struct vhost_ctrl *q = &v->ctrl;
    struct pvirtq_desc *desc = pointer(q->addr.desc), *first = &desc[q->at & ~PVIRTQ_WRAP], *d;
    bool wrap = q->at & PVIRTQ_WRAP;
    uint16_t both = PVIRTQ_DESC_F_AVAIL | PVIRTQ_DESC_F_USED,
             ours = wrap ? PVIRTQ_DESC_F_AVAIL : PVIRTQ_DESC_F_USED, flags;
    struct command c = { .len = 0 };
    if ((le16(env_load_acquire16(&first->flags)) & both) != ours)
        return false;
    do {
        d = &desc[q->at & ~PVIRTQ_WRAP];
        flags = le16(d->flags);
        take_part(&c, le64(d->addr), le32(d->len), flags);
        q->at = next_slot(q, q->at);
    } while (flags & VIRTQ_DESC_F_NEXT);
    carry_out(v, &c);
    first->id = d->id; /* the last of a chain has it */
    first->len = le32(1);
    env_store_release16(&first->flags, wrap ? le16(both) : 0);
    return true;
}

void env_kick_here(void *served_by)
{
    struct vhost *v = served_by;
    bool packed = v->accepted & VNET_F(RING_PACKED);
    while (v->ctrl.set && (packed ? serve_packed(v) : serve_split(v)))
        ;
}
