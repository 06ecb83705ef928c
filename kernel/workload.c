/* The guest's frame-level workloads: echo, sink and source. */
#include "../experiments/loadgen/frame.h"
#include "../trace/buffer.h"
#include "clock.h"
#include "cmdline.h"
#include "console.h"
#include "main.h"
#include "panic.h"
#include "power.h"
#include "spinlock.h"
#include "string.h"
#include "thread.h"
#include "vnet_port.h"

static bool is_echo;
static size_t limited; /* offset in struct port_stats of the counter that `count` limits */
static struct spinlock done_lock = SPINLOCK("workload done");
static bool done; /* under the lock */

/* Over all CPUs. */
static uint64_t progress(void)
{
    uint64_t n = 0;
    for (unsigned cpu = 0; cpu < port_cpus(); cpu++)
        n += *(volatile uint64_t *)((char *)&port_stats[cpu] + limited);
    return n;
}

static void check_done(void)
{
    if (!cmdline.count || done)
        return;
    /* Of two CPUs that count their last frames at once, the later one sees both. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (progress() < cmdline.count)
        return;
    bool was = spin_lock(&done_lock);
    done = true;
    trace_guest_state(TRACE_GUEST_DONE);
    spin_unlock(&done_lock, was);
    thread_wakeup_shared(&done);
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
    port_stats_of(pair)->echoed += sent;
    port_stats_of(pair)->echo_full += n - sent;
    while (sent < n)
        port_frame_free(pair, bufs[sent++]);
}

static void sink(unsigned pair, struct vnet_buf **bufs, uint32_t n)
{
    port_stats_of(pair)->sunk += n;
    for (uint32_t i = 0; i < n; i++)
        port_frame_free(pair, bufs[i]);
}

void workload_rx(unsigned pair, struct vnet_buf **bufs, uint32_t n)
{
    struct vnet_buf *keep[VNET_BATCH];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (ours(bufs[i])) {
            keep[kept++] = bufs[i];
        } else {
            port_stats_of(pair)->foreign++;
            port_frame_free(pair, bufs[i]);
        }
    }
    if (!kept)
        return;
    if (is_echo)
        echo(pair, keep, kept);
    else
        sink(pair, keep, kept);
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
    struct vnet_buf *b = port_buf_alloc(0);
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
        port_frame_free(0, bufs[i]);
    return sent;
}

/* By the first pair, on its CPU, which is the booting one. */
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
        port_stats_of(0)->sourced += sent;
        /* Whether the next frame is early is looked at once: asked again here, it may have become
         * due, and the wait for room would be one with nothing in flight. */
        if (!sent && !early) {
            port_stats_of(0)->source_waits++;
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

static void panic_as_asked(void *arg)
{
    (void)arg;
    panic("panic_cpu=%lu", cmdline.panic_cpu);
}

/* Waits for the end and says what became of the frames. */
static void finish(void *arg)
{
    (void)arg;
    bool was = spin_lock(&done_lock);
    while (!done)
        thread_sleep_shared(&done, THREAD_FOREVER, &done_lock);
    spin_unlock(&done_lock, was);
    kprintf("workload %s: done after %lu frames, %lu ms\n", cmdline.workload, progress(),
            now_ns() / 1000000);
    if (cmdline.panic_cpu < cpu_count())
        thread_create_on((unsigned)cmdline.panic_cpu, "panic", panic_as_asked, NULL);
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
    limited = is_echo ? offsetof(struct port_stats, echoed) : offsetof(struct port_stats, sunk);
    if (!strcmp(cmdline.workload, "source")) {
        limited = offsetof(struct port_stats, sourced);
        sender = source;
    }
    if (!thread_create("finish", finish, NULL) ||
        (sender && !thread_create("source", sender, NULL)))
        panic("no memory for the workload's threads");
    if (!sender)
        trace_guest_state(TRACE_GUEST_READY);
    kprintf("workload %s: ready at %lu ms\n", cmdline.workload, now_ns() / 1000000);
}
