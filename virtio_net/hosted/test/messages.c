/* Each message of the protocol, with the rules that the driver has to keep. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "backend.h"

#define FDS_MAX 8

static const char *name_of(uint32_t request)
{
#define NAME(name, number)                                                                         \
    if (request == number)                                                                         \
        return #name;
    VHOST_USER_REQUESTS(NAME)
#undef NAME
    blame("request %u, which no one announced", request);
}

/* Reads a message whole. Returns the number of descriptors with it, -1: the driver hung up. */
static int receive(struct vhost_user_msg *m, int fds[FDS_MAX])
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = { m, VHOST_USER_HEADER_BYTES };
    struct msghdr h = { .msg_iov = &part,
                        .msg_iovlen = 1,
                        .msg_control = control.room,
                        .msg_controllen = sizeof(control.room) };
    ssize_t n = recvmsg(backend.socket, &h, MSG_WAITALL);
    if (n <= 0)
        return -1;
    if (n != VHOST_USER_HEADER_BYTES || m->size > sizeof(m->payload))
        blame("a header of %zd bytes, with a payload of %u", n, m->size);
    if (m->size && recv(backend.socket, &m->payload, m->size, MSG_WAITALL) != (ssize_t)m->size)
        blame("%s: the payload is shorter than it says", name_of(m->request));
    struct cmsghdr *c = CMSG_FIRSTHDR(&h);
    if (!c)
        return 0;
    int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(c), (size_t)count * sizeof(int));
    return count;
}

static void check(bool right, uint32_t request, const char *rule)
{
    if (!right)
        blame("%s: %s", name_of(request), rule);
}

static struct queue *queue_of(uint32_t request, uint64_t index)
{
    check(index < QUEUES, request, "there is no such queue");
    return &backend.queue[index];
}

static void answer(const struct vhost_user_msg *to, const void *payload, uint32_t bytes)
{
    struct vhost_user_msg m = { .request = to->request,
                                .flags = VHOST_USER_VERSION | VHOST_USER_REPLY,
                                .size = bytes };
    memcpy(&m.payload, payload, bytes);
    enum flaw flaw = to->request == backend.flaw_at ? backend.flaw : FLAW_NONE;
    if (flaw == FLAW_SILENT)
        return;
    if (flaw == FLAW_NONSENSE)
        m.request++;
    if (flaw == FLAW_SHORT)
        m.size -= 4;
    if (flaw == FLAW_REFUSE)
        m.payload.u64 = 1;
    if (flaw == FLAW_BASE)
        m.payload.state.index ^= 1;
    (void)!send(backend.socket, &m, VHOST_USER_HEADER_BYTES + m.size, MSG_NOSIGNAL);
}

static void take_memory(const struct vhost_user_msg *m, int fd)
{
    const struct vhost_user_region region = m->payload.memory.region[0], *r = &region;
    struct stat file;
    check(backend.owned && backend.features_set, m->request, "before SET_OWNER or SET_FEATURES");
    check(m->payload.memory.regions == 1 && m->size == 40, m->request, "one region was expected");
    check(!fstat(fd, &file) && (uint64_t)file.st_size >= r->mmap_offset + r->bytes, m->request,
          "the region is larger than its file");
    void *at = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)r->mmap_offset);
    check(at != MAP_FAILED, m->request, "the file cannot be mapped");
    close(fd);
    backend.memory = at;
    backend.memory_guest = r->guest_address;
    backend.memory_user = r->user_address;
    backend.memory_bytes = r->bytes;
}

void *memory_at(uint64_t address, uint32_t bytes)
{
    uint64_t offset = address - backend.memory_guest;
    if (!backend.memory || offset >= backend.memory_bytes || bytes > backend.memory_bytes - offset)
        return NULL;
    return backend.memory + offset;
}

static uint64_t ring_part(uint32_t request, uint64_t user_address)
{
    check(backend.memory, request, "before SET_MEM_TABLE");
    check(user_address - backend.memory_user < backend.memory_bytes, request,
          "an address outside the memory table");
    return (uint64_t)(uintptr_t)(backend.memory + (user_address - backend.memory_user));
}

static void take_address(const struct vhost_user_msg *m)
{
    struct queue *q = queue_of(m->request, m->payload.addr.index);
    q->config.desc = ring_part(m->request, m->payload.addr.desc);
    q->config.avail = ring_part(m->request, m->payload.addr.avail);
    q->config.used = ring_part(m->request, m->payload.addr.used);
    check(q->numbered, m->request, "before SET_VRING_NUM");
    check(!m->payload.addr.flags, m->request, "logging was not negotiated");
    q->addressed = true;
}

static void take_state(const struct vhost_user_msg *m)
{
    bool packed = backend.features & VNET_F(RING_PACKED);
    struct queue *q = queue_of(m->request, m->payload.state.index);
    uint32_t num = m->payload.state.num;
    if (m->request == VHOST_USER_SET_VRING_NUM) {
        check(num && num <= RING_DEV_SIZE_MAX && (packed || !(num & (num - 1))), m->request,
              "a ring cannot have this size");
        q->config.size = (uint16_t)num;
        q->numbered = true;
    } else if (m->request == VHOST_USER_SET_VRING_BASE) {
        check(num == (packed ? 0x80008000u : 0), m->request, "a new ring begins elsewhere");
        q->based = true;
    } else {
        check(backend.offered & VHOST_USER_F_PROTOCOL_FEATURES, m->request,
              "without protocol features rings are enabled");
        q->enabled = num;
    }
}

static void take_eventfd(const struct vhost_user_msg *m, int fd)
{
    struct queue *q = queue_of(m->request, m->payload.u64 & VHOST_USER_VRING_INDEX);
    bool none = m->payload.u64 & VHOST_USER_VRING_NOFD;
    check(none == (fd < 0), m->request, "NOFD and the descriptor contradict each other");
    if (m->request == VHOST_USER_SET_VRING_CALL) {
        check(!backend.expect_no_calls || none, m->request, "mode poll asked for calls");
        q->call = fd;
        q->called = true;
    } else {
        check(!none, m->request, "this backend does not poll");
        q->kick = fd;
    }
}

/* "A ring is started once its kick is known"; with protocol features, and once it is enabled. */
void start_if_ready(struct queue *q)
{
    bool enabled = q->enabled || !(backend.offered & VHOST_USER_F_PROTOCOL_FEATURES);
    if (q->running || q->kick < 0 || !enabled)
        return;
    if (!q->numbered || !q->addressed || !q->based || !q->called)
        blame("a ring was started without number, address, base or call");
    q->config.packed = backend.features & VNET_F(RING_PACKED);
    q->config.event_idx = backend.features & VNET_F(EVENT_IDX);
    q->config.indirect = backend.features & VNET_F(INDIRECT_DESC);
    q->config.start = q->config.packed ? PVIRTQ_WRAP : 0;
    q->config.at = memory_at;
    ring_dev_init(&q->dev, &q->config);
    q->running = true;
}

static void stop_ring(const struct vhost_user_msg *m)
{
    struct queue *q = queue_of(m->request, m->payload.state.index);
    check(q->running, m->request, "of a ring that does not run");
    q->running = false;
    close(q->kick);
    q->kick = -1;
    struct {
        uint32_t index, num;
    } state = { m->payload.state.index, q->dev.avail_at };
    if (q->config.packed)
        state.num |= (uint32_t)q->dev.used_at << 16;
    answer(m, &state, sizeof(state));
}

static void take_features(const struct vhost_user_msg *m)
{
    check(!(m->payload.u64 & ~backend.offered), m->request, "features that were not offered");
    check(!(m->payload.u64 & (VNET_F(CTRL_VQ) | VNET_F(MQ) | VNET_F(RSS) | VNET_F(MTU))),
          m->request, "what this front end does not serve");
    check(m->payload.u64 & VNET_F(VERSION_1), m->request, "without VERSION_1");
    check(!!(m->payload.u64 & VHOST_USER_F_PROTOCOL_FEATURES) == backend.protocol_set, m->request,
          "protocol features are on here and off there");
    backend.features = m->payload.u64;
    backend.features_set = true;
}

static void handle(const struct vhost_user_msg *m, int fd)
{
    switch (m->request) {
    case VHOST_USER_GET_FEATURES:
        answer(m, &backend.offered, sizeof(backend.offered));
        break;
    case VHOST_USER_GET_PROTOCOL_FEATURES:
        check(backend.offered & VHOST_USER_F_PROTOCOL_FEATURES, m->request, "not offered");
        answer(m, &backend.protocol_offered, sizeof(backend.protocol_offered));
        break;
    case VHOST_USER_SET_PROTOCOL_FEATURES:
        check(!(m->payload.u64 & ~backend.protocol_offered), m->request, "not offered");
        backend.protocol_set = true;
        break;
    case VHOST_USER_SET_OWNER:
        check(!backend.owned, m->request, "twice");
        backend.owned = true;
        break;
    case VHOST_USER_SET_FEATURES:
        take_features(m);
        break;
    case VHOST_USER_SET_MEM_TABLE:
        take_memory(m, fd);
        break;
    case VHOST_USER_SET_VRING_ADDR:
        take_address(m);
        break;
    case VHOST_USER_SET_VRING_KICK:
    case VHOST_USER_SET_VRING_CALL:
        take_eventfd(m, fd);
        break;
    case VHOST_USER_GET_VRING_BASE:
        stop_ring(m);
        break;
    default:
        take_state(m);
    }
}

bool message(void)
{
    static const uint64_t done;
    struct vhost_user_msg m;
    int fds[FDS_MAX], count = receive(&m, fds);
    if (count < 0)
        return false;
    bool wants_fd = m.request == VHOST_USER_SET_MEM_TABLE ||
                    m.request == VHOST_USER_SET_VRING_KICK ||
                    m.request == VHOST_USER_SET_VRING_CALL;
    check((m.flags & VHOST_USER_VERSION_MASK) == VHOST_USER_VERSION, m.request, "not version 1");
    check(count <= wants_fd, m.request, "descriptors that no one asked for");
    check(m.request != VHOST_USER_SET_MEM_TABLE || count == 1, m.request, "without its descriptor");
    bool acknowledge = m.flags & VHOST_USER_NEED_REPLY;
    check(!acknowledge || backend.protocol & VHOST_USER_PROTOCOL(REPLY_ACK), m.request,
          "asks for an acknowledgement that was not negotiated");
    if (backend.flaw == FLAW_CLOSE && m.request == backend.flaw_at)
        exit(0);
    handle(&m, count ? fds[0] : -1);
    if (acknowledge)
        answer(&m, &done, sizeof(done));
    if (m.request == VHOST_USER_SET_PROTOCOL_FEATURES)
        backend.protocol = m.payload.u64;
    return true;
}
