/* vhost-user, front-end side: messages on a unix socket, file descriptors beside them.
 * https://qemu-project.gitlab.io/qemu/interop/vhost-user.html */
#include "vhost.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "vhost_user.h"

static const char *name_of(uint32_t request)
{
    switch (request) {
#define VHOST_USER_NAME(name, number)                                                              \
    case number:                                                                                   \
        return #name;
        VHOST_USER_REQUESTS(VHOST_USER_NAME)
#undef VHOST_USER_NAME
    }
    return "a message";
}

/* Waits until the socket can be read or written. */
static int wait_for(struct vhost *v, short events, uint64_t until, const char *what)
{
    for (;;) {
        uint64_t now = env_now();
        struct pollfd p = { .fd = v->socket, .events = events };
        int n = poll(&p, 1, now < until ? (int)((until - now) / 1000000) + 1 : 0);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return vhost_fail(v, "%s: poll: %s", what, strerror(errno));
        if (n == 0 && now >= until)
            return vhost_fail(v, "no answer to %s within %u ms: is the backend stuck?", what,
                              v->deadline_ms);
    }
}

static uint64_t deadline(const struct vhost *v)
{
    return env_now() + v->deadline_ms * 1000000ull;
}

static int hung_up(struct vhost *v, const char *what)
{
    return vhost_fail(v, "the backend closed the connection at %s: its log says why", what);
}

/* Descriptors go with the first byte. */
static ssize_t send_some(struct vhost *v, const char *from, size_t bytes, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec part = { (void *)(uintptr_t)from, bytes };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
    if (fd >= 0) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof(control.room);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)),
            .cmsg_level = SOL_SOCKET,
            .cmsg_type = SCM_RIGHTS,
        };
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
    }
    return sendmsg(v->socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int send_message(struct vhost *v, const struct vhost_user_msg *m, int fd)
{
    const char *what = name_of(m->request);
    size_t bytes = VHOST_USER_HEADER_BYTES + m->size, sent = 0;
    uint64_t until = deadline(v);
    while (sent < bytes) {
        ssize_t n = send_some(v, (const char *)m + sent, bytes - sent, sent ? -1 : fd);
        if (n > 0)
            sent += (size_t)n;
        else if (errno == EAGAIN && wait_for(v, POLLOUT, until, what))
            return -VNET_E_BACKEND;
        else if (errno == EPIPE || errno == ECONNRESET)
            return hung_up(v, what);
        else if (errno != EAGAIN && errno != EINTR)
            return vhost_fail(v, "%s: sendmsg: %s", what, strerror(errno));
    }
    return 0;
}

static int receive(struct vhost *v, void *to, size_t bytes, uint64_t until, const char *what)
{
    for (size_t got = 0; got < bytes;) {
        if (wait_for(v, POLLIN, until, what))
            return -VNET_E_BACKEND;
        ssize_t n = recv(v->socket, (char *)to + got, bytes - got, MSG_DONTWAIT);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0 || errno == ECONNRESET)
            return hung_up(v, what);
        else if (errno != EAGAIN && errno != EINTR)
            return vhost_fail(v, "%s: recv: %s", what, strerror(errno));
    }
    return 0;
}

/* The answer to a request: the same request, marked as a reply, with as many bytes as it has to
 * have. Anything else leaves the stream unreadable. */
static int receive_reply(struct vhost *v, uint32_t request, struct vhost_user_msg *m, uint32_t size)
{
    const char *what = name_of(request);
    uint64_t until = deadline(v);
    if (receive(v, m, VHOST_USER_HEADER_BYTES, until, what))
        return -VNET_E_BACKEND;
    uint32_t flags = m->flags & (VHOST_USER_VERSION_MASK | VHOST_USER_REPLY);
    if (m->request != request || flags != (VHOST_USER_VERSION | VHOST_USER_REPLY) ||
        m->size != size)
        return vhost_fail(v,
                          "%s was answered by request %u, flags 0x%x, %u bytes instead of a reply "
                          "of %u: this is no vhost-user backend",
                          what, m->request, m->flags, m->size, size);
    return receive(v, &m->payload, size, until, what);
}

/* A request that has no answer of its own, and with REPLY_ACK is acknowledged. */
static int tell(struct vhost *v, struct vhost_user_msg *m, int fd)
{
    struct vhost_user_msg reply;
    bool acknowledged = v->protocol_features & VHOST_USER_PROTOCOL(REPLY_ACK);
    uint32_t request = m->request;
    m->flags = VHOST_USER_VERSION | (acknowledged ? VHOST_USER_NEED_REPLY : 0);
    if (send_message(v, m, fd))
        return -VNET_E_BACKEND;
    if (!acknowledged)
        return 0;
    if (receive_reply(v, request, &reply, sizeof(reply.payload.u64)))
        return -VNET_E_BACKEND;
    if (reply.payload.u64)
        return vhost_fail(v, "the backend refused %s: its log says why", name_of(request));
    return 0;
}

static int ask(struct vhost *v, struct vhost_user_msg *m, uint32_t reply_size)
{
    uint32_t request = m->request;
    m->flags = VHOST_USER_VERSION;
    if (send_message(v, m, -1))
        return -VNET_E_BACKEND;
    return receive_reply(v, request, m, reply_size);
}

static int ask_u64(struct vhost *v, uint32_t request, uint64_t *value)
{
    struct vhost_user_msg m = { .request = request };
    int error = ask(v, &m, sizeof(m.payload.u64));
    *value = m.payload.u64;
    return error;
}

static int tell_u64(struct vhost *v, uint32_t request, uint64_t value, int fd)
{
    struct vhost_user_msg m = { .request = request, .size = sizeof(value), .payload.u64 = value };
    return tell(v, &m, fd);
}

static int tell_state(struct vhost *v, uint32_t request, unsigned index, uint32_t num)
{
    struct vhost_user_msg m = {
        .request = request,
        .size = sizeof(m.payload.state),
        .payload.state = { index, num },
    };
    return tell(v, &m, -1);
}

static bool has_protocol_features(const struct vhost *v)
{
    return v->backend_features & VHOST_USER_F_PROTOCOL_FEATURES;
}

static int features_set(struct vhost *v, uint64_t features)
{
    if (has_protocol_features(v))
        features |= VHOST_USER_F_PROTOCOL_FEATURES;
    return tell_u64(v, VHOST_USER_SET_FEATURES, features, -1);
}

static int memory_set(struct vhost *v)
{
    struct vhost_user_msg m = {
        .request = VHOST_USER_SET_MEM_TABLE,
        .size = sizeof(m.payload.memory),
        .payload.memory = { .regions = 1 },
    };
    uint64_t at = (uint64_t)(uintptr_t)v->memory.at;
    m.payload.memory.region[0] = (struct vhost_user_region){
        .guest_address = at,
        .bytes = v->memory.bytes,
        .user_address = at,
    };
    return tell(v, &m, v->memory.fd);
}

static int tell_fd(struct vhost *v, uint32_t request, unsigned index, int fd)
{
    return tell_u64(v, request, index | (fd < 0 ? VHOST_USER_VRING_NOFD : 0), fd);
}

/* The call first: there are backends that allocate the ring with it. */
static int ring_set(struct vhost *v, const struct vhost_ring *r)
{
    struct vhost_user_msg m = {
        .request = VHOST_USER_SET_VRING_ADDR,
        .size = sizeof(m.payload.addr),
        .payload.addr = { .index = r->index,
                          .desc = r->addr.desc,
                          .used = r->addr.used,
                          .avail = r->addr.avail },
    };
    int error = tell_fd(v, VHOST_USER_SET_VRING_CALL, r->index, r->call);
    if (!error)
        error = tell_state(v, VHOST_USER_SET_VRING_NUM, r->index, r->size);
    if (!error)
        error = tell_state(v, VHOST_USER_SET_VRING_BASE, r->index, vhost_ring_base(v));
    return error ? error : tell(v, &m, -1);
}

static int ring_start(struct vhost *v, const struct vhost_ring *r)
{
    return tell_fd(v, VHOST_USER_SET_VRING_KICK, r->index, r->kick);
}

/* With protocol features a ring starts disabled; without, it is enabled for good. */
static int ring_enable(struct vhost *v, const struct vhost_ring *r, bool on)
{
    if (!has_protocol_features(v))
        return 0;
    return tell_state(v, VHOST_USER_SET_VRING_ENABLE, r->index, on);
}

/* "The back-end must stop the ring upon receiving GET_VRING_BASE." */
static int ring_stop(struct vhost *v, const struct vhost_ring *r)
{
    struct vhost_user_msg m = {
        .request = VHOST_USER_GET_VRING_BASE,
        .size = sizeof(m.payload.state),
        .payload.state = { r->index, 0 },
    };
    if (ask(v, &m, sizeof(m.payload.state)))
        return -VNET_E_BACKEND;
    if (m.payload.state.index != r->index || !vhost_base_possible(v, r, m.payload.state.num))
        return vhost_fail(v, "GET_VRING_BASE of queue %u was answered by queue %u, base 0x%x",
                          r->index, m.payload.state.index, m.payload.state.num);
    return 0;
}

static const struct vhost_ops ops = {
    .features_set = features_set,
    .memory_set = memory_set,
    .ring_set = ring_set,
    .ring_start = ring_start,
    .ring_enable = ring_enable,
    .ring_stop = ring_stop,
};

static int connect_to(struct vhost *v, const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(to.sun_path))
        return vhost_fail(v, "the path of a socket has at most %zu bytes: use a shorter one",
                          sizeof(to.sun_path) - 1);
    memcpy(to.sun_path, path, strlen(path) + 1);
    v->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (v->socket < 0)
        return vhost_fail(v, "socket: %s", strerror(errno));
    if (connect(v->socket, (const struct sockaddr *)&to, sizeof(to)))
        return vhost_fail(v, "%s: start the backend first, with its socket there", strerror(errno));
    return 0;
}

static int negotiate_protocol(struct vhost *v)
{
    uint64_t offered, wanted = VHOST_USER_PROTOCOL(REPLY_ACK);
    if (v->pairs > 1)
        wanted |= VHOST_USER_PROTOCOL(MQ);
    if (!has_protocol_features(v))
        return 0;
    if (ask_u64(v, VHOST_USER_GET_PROTOCOL_FEATURES, &offered))
        return -VNET_E_BACKEND;
    uint64_t taken = offered & wanted;
    if (tell_u64(v, VHOST_USER_SET_PROTOCOL_FEATURES, taken, -1))
        return -VNET_E_BACKEND;
    v->protocol_features = taken;
    return 0;
}

/* "Multiple queue support": the number is of pairs, as the device is a network device. */
static int check_pairs(struct vhost *v)
{
    uint64_t there = 1;
    if (v->pairs > 1 && v->protocol_features & VHOST_USER_PROTOCOL(MQ) &&
        ask_u64(v, VHOST_USER_GET_QUEUE_NUM, &there))
        return -VNET_E_BACKEND;
    if (there < v->pairs)
        return vhost_fail(v, "%u pairs of queues are asked for and the backend has %llu", v->pairs,
                          (unsigned long long)there);
    return 0;
}

int vhost_user_open(struct vhost *v, const char *path, uint16_t pairs, unsigned deadline_ms)
{
    vhost_init(v, &ops, "vhost-user", path, pairs, deadline_ms);
    int error = connect_to(v, path);
    if (!error)
        error = ask_u64(v, VHOST_USER_GET_FEATURES, &v->backend_features);
    if (!error)
        error = negotiate_protocol(v);
    if (!error)
        error = check_pairs(v);
    if (!error) {
        struct vhost_user_msg m = { .request = VHOST_USER_SET_OWNER };
        error = tell(v, &m, -1);
    }
    return error;
}
