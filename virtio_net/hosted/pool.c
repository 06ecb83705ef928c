/* Memory that the backend shares: a memfd with both rings, each from a page on, and a pool of
 * buffers of half a page and a cache line: of half a page alone, all would lie in two sets of a
 * first-level cache. */
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

struct port_stats port_stats;
static struct vnet_buf *bufs, **free_bufs;

struct vnet_buf *port_buf_alloc(void)
{
    if (!port_stats.pool_free) {
        port_stats.pool_short++;
        return NULL;
    }
    struct vnet_buf *b = free_bufs[--port_stats.pool_free];
    b->next = NULL;
    b->offload = (struct vnet_offload){ 0 };
    return b;
}

void port_buf_free(struct vnet_buf *b)
{
    free_bufs[port_stats.pool_free++] = b;
}

void port_frame_free(struct vnet_buf *frame)
{
    for (struct vnet_buf *next; frame; frame = next) {
        next = frame->next;
        port_buf_free(frame);
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

static int make_pool(uint8_t *data, uint32_t count)
{
    bufs = calloc(count, sizeof(*bufs));
    free_bufs = calloc(count, sizeof(struct vnet_buf *));
    if (!bufs || !free_bufs)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        bufs[i] = (struct vnet_buf){ .data = data + (size_t)i * BUF_SLOT + BUF_AT,
                                     .capacity = BUF_BYTES };
        port_buf_free(&bufs[i]);
    }
    port_stats.pool_total = count;
    return 0;
}

int pool_init(struct vhost_shared *m, void *rings[VNET_QUEUES], void *shadows[VNET_QUEUES])
{
    size_t ring_bytes[VNET_QUEUES], at = 0;
    uint32_t count = 2 * VNET_BATCH;
    for (int i = 0; i < VNET_QUEUES; i++) {
        const struct vring_config *layout = &port_dev.q[i].layout;
        ring_bytes[i] = pages(vring_bytes(layout));
        at += ring_bytes[i];
        count += layout->size;
        shadows[i] = calloc(1, vring_shadow_bytes(layout));
        if (!shadows[i])
            return port_complain("no memory for rings of %u: give a smaller --ring", layout->size);
    }
    *m = (struct vhost_shared){ .bytes = pages(at + (size_t)count * BUF_SLOT), .fd = -1 };
    if (map(m))
        return port_complain("no shared memory of %zu bytes: %s", m->bytes, strerror(errno));
    uint8_t *next = m->at;
    for (int i = 0; i < VNET_QUEUES; i++) {
        rings[i] = next;
        next += ring_bytes[i];
    }
    if (make_pool(next, count))
        return port_complain("no memory for %u buffers: give a smaller --ring", count);
    return 0;
}

void pool_release(struct vhost_shared *m, void *shadows[VNET_QUEUES])
{
    for (int i = 0; i < VNET_QUEUES; i++)
        free(shadows[i]);
    free(bufs);
    free(free_bufs);
    if (m->at && m->at != MAP_FAILED)
        munmap(m->at, m->bytes);
    if (m->fd > 0)
        close(m->fd);
}
