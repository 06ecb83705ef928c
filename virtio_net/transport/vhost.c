/* What vhost-user and vhost-net share: the device's registers, which no backend has. */
#include "vhost.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Served from here, whatever the backend offers: the configuration, the control queue with those
 * commands that vhost_ctrl.c knows, and what the messages of a backend amount to together. */
#define CONFIG_FEATURES (VNET_F(MAC) | VNET_F(STATUS))
#define CTRL_FEATURES                                                                              \
    (VNET_F(CTRL_VQ) | VNET_F(CTRL_RX) | VNET_F(CTRL_RX_EXTRA) | VNET_F(CTRL_VLAN) |               \
     VNET_F(CTRL_MAC_ADDR))
#define LOCAL_FEATURES (CONFIG_FEATURES | CTRL_FEATURES | VNET_F(RING_RESET))

/* What a front end would have to serve and does not. */
#define ABSENT_FEATURES                                                                            \
    (VNET_F(MTU) | VNET_F(MQ) | VNET_F(RSS) | VNET_F(GUEST_ANNOUNCE) |                             \
     VNET_F(CTRL_GUEST_OFFLOADS) | VNET_F(NOTF_COAL) | VNET_F(VQ_NOTF_COAL))

static struct vhost *self(struct vnet_transport *t)
{
    return (struct vhost *)t;
}

int vhost_fail(struct vhost *v, const char *format, ...)
{
    if (!v->error[0]) {
        va_list args;
        int n = snprintf(v->error, sizeof(v->error), "%s %s: ", v->base.name, v->where);
        va_start(args, format);
        if (n > 0 && n < (int)sizeof(v->error))
            vsnprintf(v->error + n, sizeof(v->error) - (size_t)n, format, args);
        va_end(args);
    }
    return -VNET_E_BACKEND;
}

static int enable(struct vhost *v, struct vhost_ring *r, bool on)
{
    int error = v->ops->ring_enable(v, r, on);
    r->enabled = on;
    return error;
}

static int start_ring(struct vhost *v, struct vhost_ring *r)
{
    /* Even of a start that failed it is not known how far the backend came. */
    r->running = true;
    int error = v->ops->ring_start(v, r);
    return error || r->index >= VNET_QUEUES * v->pairs_on ? error : enable(v, r, true);
}

/* 0: the backend has let go of it and no longer touches its buffers. */
static int stop_ring(struct vhost *v, struct vhost_ring *r)
{
    if (v->error[0] || (r->enabled && enable(v, r, false)) || v->ops->ring_stop(v, r))
        return -VNET_E_BACKEND;
    r->running = r->set = false;
    return 0;
}

static int use_pair(struct vhost *v, uint16_t pair, bool on)
{
    return v->ops->pair_use ? v->ops->pair_use(v, pair, on) : 0;
}

static int enable_pair(struct vhost *v, uint16_t pair, bool on)
{
    int error = 0;
    for (int i = 0; i < VNET_QUEUES && !error; i++) {
        struct vhost_ring *r = &v->ring[VNET_QUEUES * pair + i];
        error = r->running && r->enabled != on ? enable(v, r, on) : 0;
    }
    return error;
}

int vhost_pairs_set(struct vhost *v, uint16_t pairs)
{
    int error = v->error[0] ? -VNET_E_BACKEND : 0;
    for (; v->pairs_on < pairs && !error; v->pairs_on++) {
        error = enable_pair(v, v->pairs_on, true);
        if (!error)
            error = use_pair(v, v->pairs_on, true);
    }
    /* Frames stop before the rings do. */
    for (; v->pairs_on > pairs && !error; v->pairs_on--) {
        error = use_pair(v, v->pairs_on - 1, false);
        if (!error)
            error = enable_pair(v, v->pairs_on - 1, false);
    }
    return error;
}

/* Rings first. If the backend lets go of one not, the status stays, and the driver learns that its
 * memory is still in use. */
static void op_reset(struct vnet_transport *t)
{
    struct vhost *v = self(t);
    for (unsigned i = 0; i < VNET_QUEUES_MAX; i++) {
        struct vhost_ring *r = &v->ring[i];
        if (r->running && stop_ring(v, r))
            return;
        r->set = false;
    }
    if (!v->error[0] && vhost_pairs_set(v, 1))
        return;
    v->ctrl.set = false;
    v->status = 0;
}

static uint8_t op_status_get(struct vnet_transport *t)
{
    return self(t)->status;
}

static void start_rings(struct vhost *v)
{
    for (unsigned i = 0; i < VNET_QUEUES_MAX; i++) {
        struct vhost_ring *r = &v->ring[i];
        if (r->set && !r->running && start_ring(v, r))
            return;
    }
}

/* The backend is told of no feature that it did not offer. */
static void op_status_set(struct vnet_transport *t, uint8_t status)
{
    struct vhost *v = self(t);
    uint64_t told = v->accepted & v->backend_features & ~(CONFIG_FEATURES | CTRL_FEATURES);
    if (status & VIRTIO_STATUS_FEATURES_OK && !(v->status & VIRTIO_STATUS_FEATURES_OK) &&
        (v->error[0] || v->ops->features_set(v, told)))
        status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    if (status & VIRTIO_STATUS_DRIVER_OK && !(v->status & VIRTIO_STATUS_DRIVER_OK))
        start_rings(v);
    v->status = status;
}

static uint64_t op_features_get(struct vnet_transport *t)
{
    struct vhost *v = self(t);
    return (v->backend_features & ~ABSENT_FEATURES) | LOCAL_FEATURES |
           (v->pairs > 1 ? VNET_F(MQ) : 0);
}

static void op_features_set(struct vnet_transport *t, uint64_t features)
{
    self(t)->accepted = features;
}

static uint32_t op_config_generation(struct vnet_transport *t)
{
    (void)t;
    return 0;
}

static uint8_t op_config_read8(struct vnet_transport *t, uint32_t offset)
{
    uint8_t value = 0;
    if (offset < sizeof(self(t)->config))
        memcpy(&value, (const uint8_t *)&self(t)->config + offset, sizeof(value));
    return value;
}

static uint16_t op_config_read16(struct vnet_transport *t, uint32_t offset)
{
    uint16_t value = 0;
    if (offset + sizeof(value) <= sizeof(self(t)->config))
        memcpy(&value, (const uint8_t *)&self(t)->config + offset, sizeof(value));
    return le16(value);
}

/* The configuration never changes. */
static int op_set_config_vector(struct vnet_transport *t, uint16_t vector)
{
    (void)t;
    return vector == VIRTIO_MSI_NO_VECTOR ? 0 : -VNET_E_VECTOR;
}

/* After the queues of all pairs that the driver knows of. */
static uint16_t ctrl_index(const struct vhost *v)
{
    return v->accepted & VNET_F(MQ) ? VNET_QUEUES * v->pairs : VNET_QUEUES;
}

static uint16_t op_queue_max(struct vnet_transport *t, uint16_t queue)
{
    return queue <= ctrl_index(self(t)) ? VHOST_QUEUE_MAX : 0;
}

/* A queue's "vector" says only whether it has interrupts at all. */
static int make_eventfds(struct vhost *v, struct vhost_ring *r, bool interrupts)
{
    if (r->kick < 0)
        r->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->call < 0 && interrupts)
        r->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->kick < 0 || (r->call < 0 && interrupts))
        return vhost_fail(v, "no more file descriptors for eventfds: raise ulimit -n");
    return 0;
}

static int ctrl_setup(struct vhost *v, uint16_t queue, uint16_t size,
                      const struct vnet_ring_addr *addr, struct env_bell *bell)
{
    if (v->ctrl.set)
        return -VNET_E_QUEUE_IN_USE;
    vhost_ctrl_set(v, size, addr);
    *bell = (struct env_bell){ .at = (uintptr_t)v, .value = queue, .kind = ENV_BELL_HERE };
    return 0;
}

/* A queue that is set up while the device runs starts at once. */
static int op_queue_setup(struct vnet_transport *t, uint16_t queue, uint16_t size,
                          const struct vnet_ring_addr *addr, uint16_t vector, struct env_bell *bell)
{
    struct vhost *v = self(t);
    if (queue == ctrl_index(v))
        return ctrl_setup(v, queue, size, addr, bell);
    struct vhost_ring *r = &v->ring[queue];
    if (r->set)
        return -VNET_E_QUEUE_IN_USE;
    int error = make_eventfds(v, r, vector != VIRTIO_MSI_NO_VECTOR);
    r->index = queue;
    r->size = size;
    r->addr = *addr;
    if (!error && !v->memory_known)
        error = v->ops->memory_set(v);
    v->memory_known |= !error;
    if (!error)
        error = v->ops->ring_set(v, r);
    if (!error)
        r->set = true;
    if (!error && v->status & VIRTIO_STATUS_DRIVER_OK)
        error = start_ring(v, r);
    if (error)
        return error;
    *bell = (struct env_bell){ .at = (uintptr_t)r->kick, .value = queue, .kind = ENV_BELL_EVENTFD };
    return 0;
}

static bool op_queue_enabled(struct vnet_transport *t, uint16_t queue)
{
    struct vhost *v = self(t);
    return queue == ctrl_index(v) ? v->ctrl.set : v->ring[queue].set;
}

/* No backend resets a queue as such: it is disabled and taken back, and set up anew afterwards. If
 * the backend does not let go of it, it stays enabled, and the driver's patience ends. */
static int op_queue_reset(struct vnet_transport *t, uint16_t queue)
{
    struct vhost *v = self(t);
    if (!(v->accepted & VNET_F(RING_RESET)))
        return -VNET_E_NO_QUEUE_RESET;
    if (v->ring[queue].running)
        stop_ring(v, &v->ring[queue]);
    return 0;
}

static bool op_queue_reset_over(struct vnet_transport *t, uint16_t queue)
{
    return !self(t)->ring[queue].running;
}

/* Every queue has its own eventfd: there is no line to share. */
static uint8_t op_isr_read(struct vnet_transport *t)
{
    (void)t;
    return 0;
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
    .set_config_vector = op_set_config_vector,
    .queue_max = op_queue_max,
    .queue_setup = op_queue_setup,
    .queue_enabled = op_queue_enabled,
    .queue_reset = op_queue_reset,
    .queue_reset_over = op_queue_reset_over,
    .isr_read = op_isr_read,
};

void vhost_init(struct vhost *v, const struct vhost_ops *backend, const char *name,
                const char *where, uint16_t pairs, unsigned deadline_ms)
{
    *v = (struct vhost){
        .base = { .ops = &ops, .name = name, .features = VNET_F(RING_RESET) },
        .ops = backend,
        .where = where,
        .socket = -1,
        .pairs = pairs,
        .pairs_on = 1,
        .deadline_ms = deadline_ms,
        .config = { .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 },
                    .status = le16(VIRTIO_NET_S_LINK_UP),
                    .max_virtqueue_pairs = le16(pairs) },
    };
    for (unsigned i = 0; i < VNET_PAIRS_MAX; i++)
        v->pair[i] = (struct vhost_pair){ .vhost = -1, .tap = -1 };
    for (unsigned i = 0; i < VNET_QUEUES_MAX; i++)
        v->ring[i].kick = v->ring[i].call = -1;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void vhost_close(struct vhost *v)
{
    close_fd(&v->socket);
    for (unsigned i = 0; i < VNET_PAIRS_MAX; i++) {
        close_fd(&v->pair[i].vhost);
        close_fd(&v->pair[i].tap);
    }
    for (unsigned i = 0; i < VNET_QUEUES_MAX; i++) {
        close_fd(&v->ring[i].kick);
        close_fd(&v->ring[i].call);
    }
}

bool vhost_gone(struct vhost *v)
{
    char byte;
    if (v->socket < 0) /* the kernel stays */
        return false;
    return recv(v->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Index 0; packed: slot 0 with the wrap counter 1, in both halves. */
uint32_t vhost_ring_base(const struct vhost *v)
{
    return v->accepted & VNET_F(RING_PACKED) ? PVIRTQ_WRAP << 16 | PVIRTQ_WRAP : 0;
}

bool vhost_base_possible(const struct vhost *v, const struct vhost_ring *r, uint32_t base)
{
    if (!(v->accepted & VNET_F(RING_PACKED)))
        return base <= UINT16_MAX;
    return (base & (PVIRTQ_WRAP - 1)) < r->size && (base >> 16 & (PVIRTQ_WRAP - 1)) < r->size;
}
