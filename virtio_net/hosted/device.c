/* The life of the device in this process, and the driver's upcalls. */
#include "port.h"
#include "program.h"

struct vnet_dev port_dev;
struct vhost port_vhost;
static void *rings[VNET_QUEUES], *shadows[VNET_QUEUES];

void vnet_up_rx(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    program_rx(bufs, n);
}

void vnet_up_free(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    (void)q;
    for (uint32_t i = 0; i < n; i++)
        port_buf_free(bufs[i]);
}

void vnet_up_tx_done(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    vnet_up_free(q, bufs, n);
}

uint32_t vnet_up_alloc(struct vnet_q *q, struct vnet_buf **bufs, uint32_t n)
{
    uint32_t k = 0;
    (void)q;
    while (k < n && (bufs[k] = port_buf_alloc()))
        k++;
    return k;
}

uint32_t port_send(struct vnet_buf **bufs, uint32_t n)
{
    uint32_t k = vnet_tx(&port_dev.q[VNET_TX], bufs, n);
    vnet_flush(&port_dev.q[VNET_TX]);
    return k;
}

static int explain(int error)
{
    if (port_vhost.error[0])
        return port_complain("%s", port_vhost.error);
    return port_complain("%s", vnet_error_text(error));
}

/* What was asked for by name is not silently left out. */
static int check_features(const struct options *o)
{
    uint64_t accepted = port_dev.features.accepted;
    if (o->packed && !(accepted & VNET_F(RING_PACKED)))
        return port_complain("--packed: the backend offers no packed rings; leave it out");
    return 0;
}

static int attach(const struct options *o)
{
    uint16_t none = VIRTIO_MSI_NO_VECTOR;
    struct vnet_config cfg = { .event_idx = !o->no_event_idx,
                               .packed = o->packed,
                               .config_vector = none };
    for (uint16_t i = 0; i < VNET_QUEUES; i++) {
        cfg.ring_size[i] = (uint16_t)o->ring;
        cfg.vector[i] = vnet_mode.uses_irqs ? i : none;
    }
    int error = vnet_attach(&port_dev, &port_vhost.base, &cfg);
    return error ? explain(error) : check_features(o);
}

int port_start(const struct options *o)
{
    unsigned ms = (unsigned)o->timeout;
    int error = o->vhost_user ? vhost_user_open(&port_vhost, o->vhost_user, ms)
                              : vhost_net_open(&port_vhost, o->vhost_net, ms);
    if (error)
        return explain(error);
    if (attach(o) || pool_init(&port_vhost.memory, rings, shadows))
        return -1;
    error = vnet_start(&port_dev, rings, shadows);
    return error || port_vhost.error[0] ? explain(error) : 0;
}

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    (void)q;
    port_buf_free(b);
}

static int check_rings(void)
{
    for (int i = 0; i < VNET_QUEUES; i++) {
        const struct vnet_q *q = &port_dev.q[i];
        if (q->stats.broken)
            return port_complain("%s queue: %s", i == VNET_RX ? "receive" : "transmit",
                                 vnet_error_text(q->ring.broken));
    }
    return 0;
}

int port_stop(void)
{
    int error = check_rings();
    int stopped = vnet_stop(&port_dev, give_back);
    if (stopped && !error)
        error = explain(stopped);
    if (!error && port_stats.pool_free != port_stats.pool_total)
        error = port_complain("%lu buffers were made and %lu are back: some are lost",
                              port_stats.pool_total, port_stats.pool_free);
    vhost_close(&port_vhost);
    pool_release(&port_vhost.memory, shadows);
    return error;
}
