/* The guest's frame-level workloads: echo, sink and source. */
#include "../experiments/loadgen/frame.h"
#include "../trace/buffer.h"
#include "clock.h"
#include "cmdline.h"
#include "console.h"
#include "main.h"
#include "panic.h"
#include "power.h"
#include "string.h"
#include "thread.h"
#include "vnet_port.h"

static bool is_echo;
static uint64_t *progress; /* the counter that `count` limits */

static void check_done(void)
{
    if (!cmdline.count || *progress < cmdline.count)
        return;
    trace_guest_state(TRACE_GUEST_DONE);
    thread_wakeup(&is_echo);
}

static bool ours(const struct vnet_buf *b)
{
    struct frame_info info;
    return frame_parse(b->data + VNET_HDR_BYTES, b->len, &info);
}

static void echo(unsigned pair, struct vnet_buf **bufs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        frame_swap_macs(bufs[i]->data + VNET_HDR_BYTES);
        /* What was validated on the way in is not to be computed on the way out. */
        bufs[i]->offload.flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
    }
    uint32_t sent = port_send(pair, bufs, n);
    port_stats.echoed += sent;
    port_stats.echo_full += n - sent;
    while (sent < n)
        port_frame_free(bufs[sent++]);
}

static void sink(struct vnet_buf **bufs, uint32_t n)
{
    port_stats.sunk += n;
    for (uint32_t i = 0; i < n; i++)
        port_frame_free(bufs[i]);
}

void workload_rx(unsigned pair, struct vnet_buf **bufs, uint32_t n)
{
    struct vnet_buf *keep[VNET_BATCH];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (ours(bufs[i])) {
            keep[kept++] = bufs[i];
        } else {
            port_stats.foreign++;
            port_frame_free(bufs[i]);
        }
    }
    if (!kept)
        return;
    if (is_echo)
        echo(pair, keep, kept);
    else
        sink(keep, kept);
    check_done();
}

/* Open loop: frame k is due at start + k / rate whatever became of those before it. */
static uint64_t due_ns(uint64_t start, uint64_t k)
{
    return cmdline.rate ? start + k / cmdline.rate * 1000000000 +
                              k % cmdline.rate * 1000000000 / cmdline.rate
                        : 0;
}

static struct vnet_buf *source_frame(uint64_t seq, uint64_t due)
{
    static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct frame_info info = { .run = 0, .seq = seq, .intended_ns = due ? due : now_ns() };
    struct vnet_buf *b = port_buf_alloc();
    if (!b)
        return NULL;
    b->len = (uint32_t)cmdline.size;
    frame_build(b->data + VNET_HDR_BYTES, b->len, everyone, port_mac(), &info);
    return b;
}

/* Sends the next frames that are due, up to a batch. Returns how many the ring took; *early: the
 * batch ended at a frame that is not due yet. */
static uint32_t source_batch(uint64_t start, uint64_t seq, bool *early)
{
    struct vnet_buf *bufs[VNET_BATCH];
    uint32_t n = 0;
    uint64_t now = now_ns();
    *early = false;
    while (n < VNET_BATCH && (!cmdline.count || seq + n < cmdline.count)) {
        uint64_t due = due_ns(start, seq + n);
        *early = due > now;
        if (*early || !(bufs[n] = source_frame(seq + n, due)))
            break;
        n++;
    }
    uint32_t sent = n ? port_send(0, bufs, n) : 0;
    for (uint32_t i = sent; i < n; i++)
        port_frame_free(bufs[i]);
    return sent;
}

static void source(void *arg)
{
    uint64_t start = now_ns(), seq = 0;
    (void)arg;
    trace_guest_state(TRACE_GUEST_RUNNING);
    while (!cmdline.count || seq < cmdline.count) {
        /* Held from the failed attempt into the sleep: the interrupt that makes room must not come
         * between the two. */
        bool was = port_lock(), early;
        uint32_t sent = source_batch(start, seq, &early);
        seq += sent;
        port_stats.sourced += sent;
        /* Whether the next frame is early is looked at once: asked again here, it may have become
         * due, and the wait for room would be one with nothing in flight. */
        if (!sent && !early) {
            port_stats.source_waits++;
            port_wait_for_sent();
        }
        port_unlock(was);
        uint64_t due = due_ns(start, seq), now = now_ns();
        if (early && due > now)
            thread_sleep_ns(due - now);
        else
            thread_yield();
    }
    check_done();
}

/* Waits for the end and says what became of the frames. */
static void finish(void *arg)
{
    (void)arg;
    bool was = port_lock();
    while (!cmdline.count || *progress < cmdline.count)
        thread_sleep(&is_echo, THREAD_FOREVER);
    port_unlock(was);
    kprintf("workload %s: done after %lu frames, %lu ms\n", cmdline.workload, *progress,
            now_ns() / 1000000);
    if (!cmdline.exit_when_done)
        return;
    /* The last frames may still be with the device: leave once all have come back. */
    thread_sleep_ns(50000000);
    qemu_exit(EXIT_OK);
}

void workload_start(void)
{
    void (*sender)(void *) = NULL;
    is_echo = !strcmp(cmdline.workload, "echo");
    progress = is_echo ? &port_stats.echoed : &port_stats.sunk;
    if (!strcmp(cmdline.workload, "source")) {
        progress = &port_stats.sourced;
        sender = source;
    }
    if (!thread_create("finish", finish, NULL) ||
        (sender && !thread_create("source", sender, NULL)))
        panic("no memory for the workload's threads");
    if (!sender)
        trace_guest_state(TRACE_GUEST_READY);
    kprintf("workload %s: ready at %lu ms\n", cmdline.workload, now_ns() / 1000000);
}
