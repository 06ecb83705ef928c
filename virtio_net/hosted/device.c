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
        port_frame_free(bufs[i]);
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
    return port_complain("%s %s: %s%s", port_vhost.base.name, port_vhost.where,
                         vnet_error_text(error),
                         error == -VNET_E_FEATURE_MISSING ? ": VERSION_1" : "");
}

static uint64_t wanted_features(const struct options *o)
{
    uint64_t want = vnet_features_default();
    const char *word;
    want = o->no_event_idx ? want & ~VNET_F(EVENT_IDX) : want;
    want = o->packed ? want | VNET_F(RING_PACKED) : want;
    if (!o->features)
        return want;
    int error = vnet_features_edit(&want, o->features, &word);
    if (error)
        port_complain("--features %s: %s", word, vnet_error_text(error));
    return error ? 0 : want;
}

/* What was asked for by name is not silently left out. */
static int check_features(uint64_t want)
{
    uint64_t missing = want & ~vnet_features_default() & ~port_dev.features.accepted;
    for (unsigned bit = 0; bit < 64; bit++)
        if (missing & 1ull << bit)
            return port_complain("%s %s offers no %s, or not what it needs: leave it out",
                                 port_vhost.base.name, port_vhost.where, vnet_feature_name(bit));
    return 0;
}

static int attach(const struct options *o, uint64_t want)
{
    uint16_t none = VIRTIO_MSI_NO_VECTOR;
    struct vnet_config cfg = { .want = want, .config_vector = none };
    for (uint16_t i = 0; i < VNET_QUEUES; i++) {
        cfg.ring_size[i] = (uint16_t)o->ring;
        cfg.vector[i] = vnet_mode.uses_irqs ? i : none;
    }
    int error = vnet_attach(&port_dev, &port_vhost.base, &cfg);
    return error ? explain(error) : check_features(want);
}

int port_start(const struct options *o)
{
    unsigned ms = (unsigned)o->timeout;
    uint64_t want = wanted_features(o);
    if (!want)
        return -1;
    int error = o->vhost_user ? vhost_user_open(&port_vhost, o->vhost_user, 1, ms)
                              : vhost_net_open(&port_vhost, o->vhost_net, 1, ms);
    if (error)
        return explain(error);
    if (attach(o, want) || pool_init(&port_vhost.memory, rings, shadows))
        return -1;
    error = vnet_start(&port_dev, rings, shadows);
    return error || port_vhost.error[0] ? explain(error) : 0;
}

static void give_back(struct vnet_q *q, struct vnet_buf *b)
{
    (void)q;
    port_frame_free(b);
}

/* "free + with the device = size", of each ring, while it still runs. */
static int check_rings(void)
{
    for (int i = 0; i < vnet_queues(&port_dev); i++) {
        int line = vnet_check(&port_dev.q[i]);
        if (line)
            return port_complain("queue %d breaks the invariant at vring.c:%d", i, line);
    }
    return 0;
}

int port_stop(void)
{
    int error = check_rings();
    int stopped = vnet_stop(&port_dev, give_back);
    if (stopped)
        error = explain(stopped);
    if (!error && port_stats.pool_free != port_stats.pool_total)
        error = port_complain("%lu buffers were made and %lu are back: some are lost",
                              port_stats.pool_total, port_stats.pool_free);
    vhost_close(&port_vhost);
    pool_release(&port_vhost.memory, shadows);
    return error;
}
