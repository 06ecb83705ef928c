/* A raw packet socket on one interface, bound to the EtherType of the test frame. */
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define ETHERNET_HEADER_BYTES 14u

static bool fail(const char *name, const char *what)
{
    fprintf(stderr, "loadgen: --port packet:%s: %s\n", name, what);
    return false;
}

static bool query_interface(struct port *port, const char *name)
{
    struct ifreq request = { 0 };

    if (strlen(name) >= IFNAMSIZ || if_nametoindex(name) == 0)
        return fail(name, "no such interface; see ip link");
    memcpy(request.ifr_name, name, strlen(name) + 1);
    if (ioctl(port->fd, SIOCGIFFLAGS, &request) != 0)
        return fail(name, strerror(errno));
    if (!(request.ifr_flags & IFF_UP))
        return fail(name, "the interface is down; run ip link set it up");
    if (ioctl(port->fd, SIOCGIFMTU, &request) != 0)
        return fail(name, strerror(errno));
    port->frame_limit = (uint32_t)request.ifr_mtu + ETHERNET_HEADER_BYTES;
    if (ioctl(port->fd, SIOCGIFHWADDR, &request) != 0)
        return fail(name, strerror(errno));
    if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        return fail(name, "not an Ethernet interface; give a tap, bridge or veth");
    memcpy(port->mac, request.ifr_hwaddr.sa_data, FRAME_MAC_BYTES);
    port->has_mac = true;
    return true;
}

static bool packet_open(struct port *port, const char *name, bool receives)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET };
    struct tpacket_stats stats;
    socklen_t bytes = sizeof(stats);
    int on = 1;

    /* Protocol 0 at first: bound to none, the socket cannot fill with frames of other interfaces
     * before bind() has named the right one. */
    port->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (port->fd < 0 && errno == EPERM)
        return fail(name, "raw sockets need root or CAP_NET_RAW");
    if (port->fd < 0)
        return fail(name, strerror(errno));
    if (!query_interface(port, name))
        return false;
    if (setsockopt(port->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0)
        return fail(name, "this kernel cannot hide outgoing frames; 4.20 or newer is needed");
    /* Without the bypass frames pass the interface's queueing discipline: slower, still right. */
    setsockopt(port->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
    address.sll_ifindex = (int)if_nametoindex(name);
    address.sll_protocol = receives ? htons(FRAME_ETHERTYPE) : 0;
    if (bind(port->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return fail(name, strerror(errno));
    /* Reading the statistics resets them, so drops() counts from here. */
    getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes);
    return true;
}

static uint64_t packet_drops(const struct port *port)
{
    struct tpacket_stats stats = { 0 };
    socklen_t bytes = sizeof(stats);

    if (getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) != 0)
        return 0;
    return stats.tp_drops;
}

const struct port_ops port_packet = {
    .prefix = "packet:", .open = packet_open, .drops = packet_drops
};
