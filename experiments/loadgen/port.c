#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define BUFFER_BYTES (16 * 1024 * 1024)

static const struct port_ops *const all_ports[] = { &port_packet, &port_udp };

/* Large buffers keep a late wake-up of the generator from looking like loss in the device. The
 * FORCE variants pass the system's limit but need privilege; a smaller buffer still works and its
 * drops are reported. */
static void enlarge_buffers(int fd)
{
    int bytes = BUFFER_BYTES;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

bool port_open(struct port *port, const char *spec, bool receives)
{
    int on = 1;

    for (size_t i = 0; i < sizeof(all_ports) / sizeof(all_ports[0]); i++) {
        size_t prefix = strlen(all_ports[i]->prefix);

        if (strncmp(spec, all_ports[i]->prefix, prefix) != 0)
            continue;
        *port = (struct port){ .ops = all_ports[i], .fd = -1, .frame_limit = FRAME_MAX_BYTES };
        if (!port->ops->open(port, spec + prefix, receives)) {
            port_close(port);
            return false;
        }
        enlarge_buffers(port->fd);
        /* Stamping slows every arrival on the machine a little: ask only where stamps are read. */
        if (receives)
            setsockopt(port->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
        return true;
    }
    fprintf(stderr, "loadgen: --port %s: give packet:IFACE or udp:LOCAL:REMOTE\n", spec);
    return false;
}

void port_close(struct port *port)
{
    if (port->fd >= 0)
        close(port->fd);
    port->fd = -1;
}

enum port_sent port_send(struct port *port, const uint8_t *frame, uint32_t bytes)
{
    ssize_t sent;

    do {
        sent = send(port->fd, frame, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return PORT_SENT;
    switch (errno) {
    case ENOBUFS:
    case ENOMEM:
    case EAGAIN:
    case ECONNREFUSED:
        return PORT_REFUSED;
    default:
        fprintf(stderr, "loadgen: sending on the port failed: %s; is the interface still up?\n",
                strerror(errno));
        return PORT_BROKEN;
    }
}

static void prepare(struct port_batch *batch)
{
    for (int i = 0; i < PORT_BATCH; i++) {
        batch->vector[i] = (struct iovec){ batch->head[i], sizeof(batch->head[i]) };
        batch->message[i] =
            (struct mmsghdr){ .msg_hdr = { .msg_iov = &batch->vector[i],
                                           .msg_iovlen = 1,
                                           .msg_control = batch->control[i],
                                           .msg_controllen = sizeof(batch->control[i]) } };
    }
}

int port_receive(struct port *port, struct port_batch *batch)
{
    int received;

    prepare(batch);
    /* MSG_TRUNC makes the kernel report the length on the wire and not what it copied. */
    received = recvmmsg(port->fd, batch->message, PORT_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (received >= 0)
        return received;
    switch (errno) {
    case EAGAIN:
    case EINTR:
    case ECONNREFUSED:
        return 0;
    default:
        fprintf(stderr, "loadgen: receiving on the port failed: %s; is the interface still up?\n",
                strerror(errno));
        return -1;
    }
}

uint32_t port_batch_bytes(const struct port_batch *batch, int i)
{
    return batch->message[i].msg_len;
}

uint32_t port_batch_head_bytes(const struct port_batch *batch, int i)
{
    uint32_t bytes = port_batch_bytes(batch, i);

    return bytes < PORT_HEAD_ROOM ? bytes : PORT_HEAD_ROOM;
}

uint64_t port_batch_stamp(struct port_batch *batch, int i)
{
    struct msghdr *header = &batch->message[i].msg_hdr;
    struct timespec ts;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&ts, CMSG_DATA(c), sizeof(ts));
            return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
        }
    }
    return 0;
}
