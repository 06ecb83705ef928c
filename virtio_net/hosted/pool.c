/* Memory that the backend shares: a memfd with all rings, each from a page on, and for each pair a
 * pool of buffers of half a page and a cache line: of half a page alone, all would lie in two sets
 * of a first-level cache. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "port.h"

#define PAGE     4096u
#define BUF_SLOT (PAGE / 2 + 64)
/* The frame begins a cache line and the header ends the one before: a short frame is one line to
 * hand over, and copies are aligned. */
#define BUF_AT    (64 - VNET_HDR_BYTES)
#define BUF_BYTES (BUF_SLOT - BUF_AT)
_Static_assert(VNET_BUF_BYTES <= BUF_BYTES, "a buffer fits its slot");

struct vnet_buf *port_buf_alloc(struct port_pair *p)
{
    if (!p->stats.pool_free) {
        p->stats.pool_short++;
        return NULL;
    }
    struct vnet_buf *b = p->free_bufs[--p->stats.pool_free];
    b->next = NULL;
    b->offload = (struct vnet_offload){ 0 };
    return b;
}

void port_buf_free(struct port_pair *p, struct vnet_buf *b)
{
    p->free_bufs[p->stats.pool_free++] = b;
}

void port_frame_free(struct port_pair *p, struct vnet_buf *frame)
{
    for (struct vnet_buf *next; frame; frame = next) {
        next = frame->next;
        port_buf_free(p, frame);
    }
}

static size_t pages(size_t bytes)
{
    return (bytes + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static int map(struct vhost_shared *m)
{
    m->fd = memfd_create("ringscope", MFD_CLOEXEC);
    if (m->fd < 0 || ftruncate(m->fd, (off_t)m->bytes))
        return -1;
    m->at = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
    return m->at == MAP_FAILED ? -1 : 0;
}

/* Both rings full, and some in hand. */
static uint32_t bufs_of(const struct port_pair *p)
{
    return p->rx->layout.size + p->tx->layout.size + 2 * VNET_BATCH;
}

static int make_pool(struct port_pair *p, uint8_t *data)
{
    uint32_t count = bufs_of(p);
    p->bufs = calloc(count, sizeof(*p->bufs));
    p->free_bufs = calloc(count, sizeof(struct vnet_buf *));
    if (!p->bufs || !p->free_bufs)
        return port_complain("no memory for %u buffers: give a smaller --ring", count);
    for (uint32_t i = 0; i < count; i++) {
        p->bufs[i] = (struct vnet_buf){ .data = data + (size_t)i * BUF_SLOT + BUF_AT,
                                        .capacity = BUF_BYTES };
        port_buf_free(p, &p->bufs[i]);
    }
    p->stats.pool_total = count;
    return 0;
}

struct room { /* in the shared memory, in this order */
    size_t ring[VNET_QUEUES_MAX + 1], pool[VNET_PAIRS_MAX], bytes;
};

static struct room measure(void)
{
    struct room r = { .bytes = 0 };
    int n = vnet_queues(&port_dev);
    for (int i = 0; i < n; i++)
        r.bytes += r.ring[i] = pages(vring_bytes(&port_dev.q[i].layout));
    if (port_dev.ctrl.on)
        r.bytes += r.ring[n] = pages(vnet_ctrl_bytes(&port_dev));
    for (unsigned i = 0; i < port_dev.pairs; i++)
        r.bytes += r.pool[i] = pages((size_t)bufs_of(&port_pairs[i]) * BUF_SLOT);
    return r;
}

static int make_shadows(void **shadows)
{
    int n = vnet_queues(&port_dev);
    for (int i = 0; i < n + port_dev.ctrl.on; i++) {
        const struct vring_config *layout = i < n ? &port_dev.q[i].layout : &port_dev.ctrl.layout;
        shadows[i] = calloc(1, vring_shadow_bytes(layout));
        if (!shadows[i])
            return port_complain("no memory for rings of %u: give a smaller --ring", layout->size);
    }
    return 0;
}

int pool_init(struct vhost_shared *m, void **rings, void **shadows)
{
    struct room room = measure();
    *m = (struct vhost_shared){ .bytes = room.bytes, .fd = -1 };
    if (make_shadows(shadows))
        return -1;
    if (map(m))
        return port_complain("no shared memory of %zu bytes: %s", m->bytes, strerror(errno));
    uint8_t *next = m->at;
    for (int i = 0; i < vnet_queues(&port_dev) + port_dev.ctrl.on; i++) {
        rings[i] = next;
        next += room.ring[i];
    }
    int error = 0;
    for (unsigned i = 0; i < port_dev.pairs && !error; i++) {
        error = make_pool(&port_pairs[i], next);
        next += room.pool[i];
    }
    return error;
}

void pool_release(struct vhost_shared *m, void **shadows)
{
    for (unsigned i = 0; i < VNET_QUEUES_MAX + 1; i++)
        free(shadows[i]);
    for (unsigned i = 0; i < VNET_PAIRS_MAX; i++) {
        free(port_pairs[i].bufs);
        free(port_pairs[i].free_bufs);
    }
    if (m->at && m->at != MAP_FAILED)
        munmap(m->at, m->bytes);
    if (m->fd > 0)
        close(m->fd);
}
