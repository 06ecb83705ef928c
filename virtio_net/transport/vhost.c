/* What vhost-user and vhost-net share: the device's registers, which no backend has. */
#include "vhost.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Served from here, whatever the backend offers; and what a front end would have to serve and does
 * not: a control queue, and with it several pairs and who gets which frame. */
#define LOCAL_FEATURES  (VNET_F(MAC) | VNET_F(STATUS))
#define ABSENT_FEATURES (VNET_F(CTRL_VQ) | VNET_F(MQ) | VNET_F(RSS) | VNET_F(MTU))

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

/* Rings first: a backend that has let go of one no longer touches its buffers. If one does not, the
 * status stays, and the driver learns that its memory is still in use. */
static void op_reset(struct vnet_transport *t)
{
    struct vhost *v = self(t);
    for (int i = 0; i < VNET_QUEUES; i++) {
        struct vhost_ring *r = &v->ring[i];
        if (r->running && (v->error[0] || v->ops->ring_stop(v, r)))
            return;
        r->running = r->set = false;
    }
    v->status = 0;
}

static uint8_t op_status_get(struct vnet_transport *t)
{
    return self(t)->status;
}

static void start_rings(struct vhost *v)
{
    for (int i = 0; i < VNET_QUEUES; i++) {
        struct vhost_ring *r = &v->ring[i];
        if (!r->set || r->running)
            continue;
        /* Even of a start that failed it is not known how far the backend came. */
        r->running = true;
        if (v->ops->ring_start(v, r))
            return;
    }
}

static void op_status_set(struct vnet_transport *t, uint8_t status)
{
    struct vhost *v = self(t);
    if (status & VIRTIO_STATUS_FEATURES_OK && !(v->status & VIRTIO_STATUS_FEATURES_OK) &&
        (v->error[0] || v->ops->features_set(v, v->accepted & ~LOCAL_FEATURES)))
        status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    if (status & VIRTIO_STATUS_DRIVER_OK && !(v->status & VIRTIO_STATUS_DRIVER_OK))
        start_rings(v);
    v->status = status;
}

static uint64_t op_features_get(struct vnet_transport *t)
{
    return (self(t)->backend_features & ~ABSENT_FEATURES) | LOCAL_FEATURES;
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

static uint16_t op_queue_max(struct vnet_transport *t, uint16_t queue)
{
    (void)t;
    return queue < VNET_QUEUES ? VHOST_QUEUE_MAX : 0;
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

static int op_queue_setup(struct vnet_transport *t, uint16_t queue, uint16_t size,
                          const struct vnet_ring_addr *addr, uint16_t vector, struct env_bell *bell)
{
    struct vhost *v = self(t);
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
    if (error)
        return error;
    r->set = true;
    *bell = (struct env_bell){ .at = (uintptr_t)r->kick, .value = queue, .kind = ENV_BELL_EVENTFD };
    return 0;
}

static bool op_queue_enabled(struct vnet_transport *t, uint16_t queue)
{
    return self(t)->ring[queue].set;
}

static int op_queue_reset(struct vnet_transport *t, uint16_t queue)
{
    (void)t;
    (void)queue;
    return -VNET_E_NO_QUEUE_RESET;
}

static bool op_queue_reset_over(struct vnet_transport *t, uint16_t queue)
{
    (void)t;
    (void)queue;
    return true;
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
                const char *where, unsigned deadline_ms)
{
    *v = (struct vhost){
        .base = { .ops = &ops, .name = name },
        .ops = backend,
        .where = where,
        .fd = -1,
        .tap = -1,
        .deadline_ms = deadline_ms,
        .config = { .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 },
                    .status = le16(VIRTIO_NET_S_LINK_UP) },
    };
    for (int i = 0; i < VNET_QUEUES; i++)
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
    close_fd(&v->fd);
    close_fd(&v->tap);
    for (int i = 0; i < VNET_QUEUES; i++) {
        close_fd(&v->ring[i].kick);
        close_fd(&v->ring[i].call);
    }
}

bool vhost_gone(struct vhost *v)
{
    char byte;
    if (v->tap >= 0) /* the kernel stays */
        return false;
    return recv(v->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
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
