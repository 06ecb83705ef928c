/* Where frames leave and arrive. A port is a datagram socket that carries one Ethernet frame per
 * datagram; the kinds differ in how it is opened and how its drops are read. */
#ifndef RINGSCOPE_LOADGEN_PORT_H
#define RINGSCOPE_LOADGEN_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "frame.h"

#define PORT_BATCH     32
#define PORT_HEAD_ROOM 64

struct port;

struct port_ops {
    const char *prefix; /* "packet:" */

    /* `address` is what follows the prefix. On failure one line went to stderr. */
    bool (*open)(struct port *port, const char *address, bool receives);

    /* Frames that arrived and found the receive buffer full. Read once, at the end: for some
     * kinds reading resets it. */
    uint64_t (*drops)(const struct port *port);
};

extern const struct port_ops port_packet;
extern const struct port_ops port_udp;

struct port {
    const struct port_ops *ops;
    int fd;
    uint32_t frame_limit; /* largest frame it carries, bytes */
    bool has_mac;
    uint8_t mac[FRAME_MAC_BYTES]; /* valid if has_mac */
};

/* Opens the port named by `spec` ("packet:tap0", "udp:5000:5001"). On failure one line naming the
 * remedy went to stderr and nothing is open. A port that does not receive queues no frames. */
bool port_open(struct port *port, const char *spec, bool receives);
void port_close(struct port *port);

enum port_sent { PORT_SENT, PORT_REFUSED, PORT_BROKEN };

/* Sends one frame without blocking. PORT_REFUSED: no room or nobody there, this frame did not
 * leave. PORT_BROKEN: no further frame will; one line went to stderr. */
enum port_sent port_send(struct port *port, const uint8_t *frame, uint32_t bytes);

/* One batch of received frames. Only the head of each is copied. */
struct port_batch {
    struct mmsghdr message[PORT_BATCH];
    struct iovec vector[PORT_BATCH];
    uint8_t head[PORT_BATCH][PORT_HEAD_ROOM];
    _Alignas(struct cmsghdr) uint8_t control[PORT_BATCH][PORT_HEAD_ROOM];
};

/* Receives what is there, at most PORT_BATCH, without blocking. Returns how many, or -1 if the
 * port is broken and one line went to stderr. */
int port_receive(struct port *port, struct port_batch *batch);

/* Of frame `i` of the batch: its full length, the part of it held in head[i], and the kernel's
 * receive stamp (CLOCK_REALTIME ns, 0 if it has none). */
uint32_t port_batch_bytes(const struct port_batch *batch, int i);
uint32_t port_batch_head_bytes(const struct port_batch *batch, int i);
uint64_t port_batch_stamp(struct port_batch *batch, int i);

#endif
