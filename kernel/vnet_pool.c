/* The pool of frame buffers: half a page each, so that none crosses a page and the device sees it
 * contiguous. Allocation and free happen in whatever context the driver works in. */
#include "page.h"
#include "slab.h"
#include "vnet_port.h"
#include "x86.h"

#define BUF_SLOT (PAGE_SIZE / 2)
_Static_assert(VNET_BUF_BYTES <= BUF_SLOT, "a buffer fits its slot");

struct port_stats port_stats;
static struct vnet_buf **free_bufs;

struct vnet_buf *port_buf_alloc(void)
{
    bool was = irq_save();
    struct vnet_buf *b = NULL;
    if (port_stats.pool_free) {
        b = free_bufs[--port_stats.pool_free];
        b->next = NULL;
        b->offload = (struct vnet_offload){ 0 };
    } else {
        port_stats.pool_short++;
    }
    irq_restore(was);
    return b;
}

void port_buf_free(struct vnet_buf *b)
{
    bool was = irq_save();
    free_bufs[port_stats.pool_free++] = b;
    irq_restore(was);
}

void port_frame_free(struct vnet_buf *frame)
{
    for (struct vnet_buf *next; frame; frame = next) {
        next = frame->next;
        port_buf_free(frame);
    }
}

int port_pool_init(uint32_t count)
{
    unsigned order = page_order(count * sizeof(struct vnet_buf));
    unsigned list_order = page_order(count * sizeof(struct vnet_buf *));
    if (order > PAGE_MAX_ORDER || list_order > PAGE_MAX_ORDER)
        return -1;
    struct vnet_buf *bufs = page_alloc(order);
    free_bufs = page_alloc(list_order);
    if (!bufs || !free_bufs)
        return -1;
    uint8_t *page = NULL;
    for (uint32_t i = 0; i < count; i++) {
        page = i % 2 ? page + BUF_SLOT : page_alloc(0);
        if (!page)
            return -1;
        bufs[i] = (struct vnet_buf){ .data = page, .capacity = BUF_SLOT };
        port_buf_free(&bufs[i]);
    }
    port_stats.pool_total = count;
    return 0;
}
