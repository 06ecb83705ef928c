/* UDP on the loopback address, one frame per datagram: the other end is QEMU's dgram backend. */
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct sockaddr_in loopback(unsigned number)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)number),
                                 .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static bool parse_address(const char *address, unsigned *local, unsigned *remote)
{
    char rest;

    if (strspn(address, "0123456789:") != strlen(address))
        return false;
    if (sscanf(address, "%5u:%5u%c", local, remote, &rest) != 2)
        return false;
    return *local >= 1 && *local <= 65535 && *remote >= 1 && *remote <= 65535;
}

static bool udp_open(struct port *port, const char *address, bool receives)
{
    unsigned local, remote;
    struct sockaddr_in near, far;

    (void)receives;
    if (!parse_address(address, &local, &remote)) {
        fprintf(stderr, "loadgen: --port udp:%s: give udp:LOCAL:REMOTE, ports 1 to 65535\n",
                address);
        return false;
    }
    near = loopback(local);
    far = loopback(remote);
    port->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (port->fd < 0 || bind(port->fd, (struct sockaddr *)&near, sizeof(near)) != 0 ||
        connect(port->fd, (struct sockaddr *)&far, sizeof(far)) != 0) {
        fprintf(stderr, "loadgen: --port udp:%s: %s; choose a free local port\n", address,
                strerror(errno));
        return false;
    }
    return true;
}

static uint64_t udp_drops(const struct port *port)
{
    uint32_t info[SK_MEMINFO_VARS] = { 0 };
    socklen_t bytes = sizeof(info);

    if (getsockopt(port->fd, SOL_SOCKET, SO_MEMINFO, info, &bytes) != 0)
        return 0;
    return info[SK_MEMINFO_DROPS];
}

const struct port_ops port_udp = { .prefix = "udp:", .open = udp_open, .drops = udp_drops };
