/* The layout of a trace: 32-byte records in 4096-byte packets that are CTF 1.8 packets as they
 * stand, and the region of guest RAM that holds them. Shared by the guest, the hosted driver and
 * every reader; nothing here depends on libc or on the kernel.
 */
#ifndef TRACE_RECORD_H
#define TRACE_RECORD_H

#include <stdint.h>

enum trace_event {
    TRACE_EV_none = 0,
#define GUEST_EVENT(id, name, class, seq, a, b, text) TRACE_EV_##name = id,
#define HOST_EVENT(id, name, class, seq, a, b, text)  TRACE_EV_##name = id,
#include "events.def"
};
#define TRACE_EV_MAX 128

enum trace_class {
    TRACE_CLASS_control,
    TRACE_CLASS_ring,
    TRACE_CLASS_notify,
    TRACE_CLASS_poll,
    TRACE_CLASS_service,
    TRACE_CLASS_sched,
};
#define TRACE_MASK_ALL (~0u)

/* Flags of a record. The low bits mean the same in both traces. */
#define TRACE_F_IN_IRQ     0x01 /* written in interrupt context */
#define TRACE_F_EVENT_IDX  0x02 /* kick_suppressed: by avail_event, not by used.flags */
#define TRACE_F_MERGED     0x04 /* host_kick: the work was queued already */
#define TRACE_F_SIGNALLED  0x08 /* used: the call eventfd was signalled */
#define TRACE_F_CAUSE_KICK 0x10 /* run_begin: entered from handle_*_kick */
#define TRACE_F_CAUSE_NET  0x20 /* run_begin: entered from handle_*_net (socket ready) */

/* run_begin with TRACE_F_CAUSE_KICK, in the full set of probes: why handle_*_kick ran, where it was
 * not a kick alone. Weight may stand beside a kick that came meanwhile. */
#define TRACE_F_CAUSE_START  0x02 /* first run of a queue, with no kick since vhost took it over */
#define TRACE_F_CAUSE_WEIGHT 0x40 /* the run before had used up its weight */
#define TRACE_F_CAUSE_BUSY   0x80 /* the run before was called away while it polled (poll-us) */

/* Virtqueues by the number the device gives them (virtio "Network Device: Virtqueues"). */
#define TRACE_VQ_RX   0
#define TRACE_VQ_TX   1
#define TRACE_VQ_NONE 255

/* Reasons of a drop record. */
#define TRACE_DROP_LENGTH  1 /* the used length cannot be */
#define TRACE_DROP_ALLOC   2 /* no replacement buffer */
#define TRACE_DROP_HEADER  3 /* the header cannot be */
#define TRACE_DROP_OFFLOAD 4 /* asks for what was not negotiated */

struct trace_record {
    uint64_t time; /* guest: TSC; host: ns of CLOCK_BOOTTIME */
    uint16_t id;   /* stored last: 0 means reserved and not committed */
    uint8_t vq;
    uint8_t flags;
    uint32_t seq;
    uint64_t a;
    uint64_t b;
};
_Static_assert(sizeof(struct trace_record) == 32, "a record is 32 bytes");

#define TRACE_CTF_MAGIC          0xC1FC1FC1u
#define TRACE_PACKET_BYTES       4096
#define TRACE_RECORDS_PER_PACKET 126

struct trace_packet_header {
    uint32_t magic;
    uint32_t stream_id;
    uint64_t time_begin;
    uint64_t time_end;
    uint64_t content_bits; /* 0 while the packet is open: a reader closes it by the commit marks */
    uint64_t packet_bits;
    uint64_t packet_seq;
    uint64_t discarded; /* records lost on this CPU since the start, as CTF counts them */
    uint32_t cpu;
    uint32_t pad;
};
_Static_assert(sizeof(struct trace_packet_header) == 64, "a packet header is 64 bytes");

struct trace_packet {
    struct trace_packet_header header;
    struct trace_record records[TRACE_RECORDS_PER_PACKET];
};
_Static_assert(sizeof(struct trace_packet) == TRACE_PACKET_BYTES, "header + 126 records fill it");

/* The shared region: a head that a host finds at a fixed guest-physical address, then the
 * packets of each CPU. Guest RAM is a file that the host maps, so all of it can be read while the
 * guest runs, after a panic and after QEMU was killed. The guest writes, the host only reads. */
#define TRACE_REGION_PADDR   0x1000000ull          /* 16 MiB: above the kernel image, below 4 GiB */
#define TRACE_REGION_MAGIC   0x65706f6373676e72ull /* "rngscope" */
#define TRACE_REGION_VERSION 3
#define TRACE_HEAD_BYTES     (6 * TRACE_PACKET_BYTES)
#define TRACE_MAX_CPUS       8
#define TRACE_MAX_COUNTERS   640 /* 8 queue pairs, 8 CPUs, and the rest */
#define TRACE_COUNTER_NAME   24

enum trace_guest_state { /* what the guest is doing, for the host that waits for it */
                         TRACE_GUEST_BOOTING,
                         TRACE_GUEST_READY,   /* driver up, workload waiting for frames */
                         TRACE_GUEST_RUNNING, /* a source is sending */
                         TRACE_GUEST_DONE,    /* the workload has finished its count */
                         TRACE_GUEST_PANIC,
};

struct trace_cpu_area {
    uint64_t first_packet; /* byte offset of its packets from the region's start */
    uint64_t packets;
    uint64_t reserved; /* records reserved so far: slot = reserved % (packets * 126) */
    uint64_t lost;     /* records dropped, or overwritten before any reader could be sure of them */
};

/* Where a counter lives: the host reads the live 64-bit value in guest RAM, so counting costs the
 * guest nothing beyond the increment and the last values survive a crash. Self-describing, so a
 * reader needs no header of the same build. */
struct trace_counter {
    char name[TRACE_COUNTER_NAME];
    uint64_t paddr; /* guest-physical address of the uint64_t */
};

struct trace_region {
    uint64_t magic; /* stored last, when everything else is set up */
    uint32_t version;
    uint32_t cpus;
    uint64_t bytes; /* of the whole region, this head included */
    uint64_t tsc_hz;
    uint64_t boot_tsc;
    uint32_t mask;      /* event classes on: 1 << enum trace_class; the host may write it */
    uint32_t overwrite; /* 1 flight recorder, 0 discard when full */
    uint32_t state;     /* enum trace_guest_state */
    uint32_t counters_used;
    char about[128]; /* "mode=hybrid event_idx=1 ...": what runs, one line */
    struct trace_cpu_area cpu[TRACE_MAX_CPUS];
    struct trace_counter counters[TRACE_MAX_COUNTERS];
};
_Static_assert(sizeof(struct trace_region) <= TRACE_HEAD_BYTES, "the region's head");

#endif
