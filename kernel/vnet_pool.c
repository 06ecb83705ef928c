/* The pools of frame buffers: half a page each, so that none crosses a page and the device sees it
 * contiguous. Each CPU has a pool, for the queue pairs that it serves; allocation and free happen
 * in whatever context the driver works in. */
#include "page.h"
#include "slab.h"
#include "vnet_port.h"
#include "x86.h"

#define BUF_SLOT (PAGE_SIZE / 2)
_Static_assert(VNET_BUF_BYTES <= BUF_SLOT, "a buffer fits its slot");

struct port_stats port_stats[CPU_MAX];
static struct vnet_buf **free_bufs[CPU_MAX];

struct vnet_buf *port_buf_alloc(unsigned pair)
{
    bool was = irq_save();
    struct port_stats *stats = port_stats_of(pair);
    struct vnet_buf *b = NULL;
    if (stats->pool_free) {
        b = free_bufs[port_cpu(pair)][--stats->pool_free];
        b->next = NULL;
        b->offload = (struct vnet_offload){ 0 };
    } else {
        stats->pool_short++;
    }
    irq_restore(was);
    return b;
}

void port_buf_free(unsigned pair, struct vnet_buf *b)
{
    bool was = irq_save();
    free_bufs[port_cpu(pair)][port_stats_of(pair)->pool_free++] = b;
    irq_restore(was);
}

void port_frame_free(unsigned pair, struct vnet_buf *frame)
{
    for (struct vnet_buf *next; frame; frame = next) {
        next = frame->next;
        port_buf_free(pair, frame);
    }
}

int port_pool_init(unsigned cpu, uint32_t count)
{
    unsigned order = page_order(count * sizeof(struct vnet_buf));
    unsigned list_order = page_order(count * sizeof(struct vnet_buf *));
    if (order > PAGE_MAX_ORDER || list_order > PAGE_MAX_ORDER)
        return -1;
    struct vnet_buf *bufs = page_alloc(order);
    free_bufs[cpu] = page_alloc(list_order);
    if (!bufs || !free_bufs[cpu])
        return -1;
    uint8_t *page = NULL;
    for (uint32_t i = 0; i < count; i++) {
        page = i % 2 ? page + BUF_SLOT : page_alloc(0);
        if (!page)
            return -1;
        bufs[i] = (struct vnet_buf){ .data = page, .capacity = BUF_SLOT };
        free_bufs[cpu][port_stats[cpu].pool_free++] = &bufs[i];
    }
    port_stats[cpu].pool_total = count;
    return 0;
}
