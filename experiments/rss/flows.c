/* Foretells which pair of queues each of many flows goes to, and sends one frame of each that goes
 * to a given pair. The flows are the same ones each time. */
#include "toeplitz.h"
#include "../../virtio_net/virtio_spec.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_BYTES 78 /* Ethernet, IPv6, TCP and a little */
#define IP          14 /* where the network header begins */
#define TCP         6
#define UDP         17
#define OTHER       253 /* "for experimentation" */

struct steering { /* as the device was told */
    unsigned pairs, entries, unclassified;
    uint32_t types;
};

struct flow {
    bool v6;
    uint8_t protocol; /* 0: no IP at all */
    uint8_t address[32];
    uint8_t ports[4];
};

static uint32_t by_chance(void)
{
    static uint64_t x = 0x9e3779b97f4a7c15u;
    x = x * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(x >> 32);
}

static struct flow make_flow(unsigned i)
{
    static const struct {
        bool v6;
        uint8_t protocol;
    } kinds[] = { { false, UDP }, { false, UDP }, { false, UDP },   { false, TCP },
                  { true, UDP },  { true, TCP },  { false, OTHER }, { false, 0 } };
    struct flow f = { .v6 = kinds[i % 8].v6, .protocol = kinds[i % 8].protocol };
    for (unsigned at = 0; at < sizeof(f.address); at++)
        f.address[at] = (uint8_t)by_chance();
    for (unsigned at = 0; at < sizeof(f.ports); at++)
        f.ports[at] = (uint8_t)by_chance();
    if (f.v6) { /* global unicast */
        f.address[0] = f.address[16] = 0x20;
    } else { /* 10.x.x.x */
        f.address[0] = f.address[4] = 10;
    }
    return f;
}

/* "Hash calculation for incoming packets": with ports if the type of its protocol is on, else of
 * the addresses alone if that is. Frames without extension headers are the same to both IPv6 types.
 */
static unsigned hashed_bytes(const struct flow *f, uint32_t types)
{
    static const uint32_t with_ports[2][2] = {
        { VIRTIO_NET_HASH_TYPE_TCPV4, VIRTIO_NET_HASH_TYPE_UDPV4 },
        { VIRTIO_NET_HASH_TYPE_TCPV6 | VIRTIO_NET_HASH_TYPE_TCP_EX,
          VIRTIO_NET_HASH_TYPE_UDPV6 | VIRTIO_NET_HASH_TYPE_UDP_EX },
    };
    static const uint32_t plain[2] = { VIRTIO_NET_HASH_TYPE_IPV4,
                                       VIRTIO_NET_HASH_TYPE_IPV6 | VIRTIO_NET_HASH_TYPE_IP_EX };
    unsigned addresses = f->v6 ? 32 : 8;
    if (!f->protocol)
        return 0;
    if (f->protocol != OTHER && types & with_ports[f->v6][f->protocol == UDP])
        return addresses + 4;
    return types & plain[f->v6] ? addresses : 0;
}

static unsigned pair_of(const struct flow *f, const struct steering *s)
{
    uint8_t data[36];
    unsigned addresses = f->v6 ? 32 : 8, bytes = hashed_bytes(f, s->types);
    memcpy(data, f->address, addresses);
    memcpy(data + addresses, f->ports, 4);
    /* The driver's table has the pairs in turn. */
    return bytes ? toeplitz(data, bytes) % s->entries % s->pairs : s->unclassified;
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned sum_of(const uint8_t *at, unsigned bytes)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < bytes; i += 2)
        sum += (unsigned)at[i] << 8 | at[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* Where the transport header begins. */
static unsigned write_ip(uint8_t *frame, const struct flow *f)
{
    uint8_t *ip = frame + IP;
    if (f->v6) {
        put16(frame + 12, 0x86dd);
        ip[0] = 0x60;
        put16(ip + 4, FRAME_BYTES - IP - 40);
        ip[6] = f->protocol;
        ip[7] = 64;
        memcpy(ip + 8, f->address, 32);
        return IP + 40;
    }
    put16(frame + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, FRAME_BYTES - IP);
    ip[8] = 64;
    ip[9] = f->protocol;
    memcpy(ip + 12, f->address, 8);
    put16(ip + 10, sum_of(ip, 20));
    return IP + 20;
}

static void write_frame(uint8_t frame[FRAME_BYTES], const struct flow *f)
{
    static const uint8_t macs[12] = { 0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2 };
    memset(frame, 0, FRAME_BYTES);
    memcpy(frame, macs, sizeof(macs));
    put16(frame + 12, 0x0806); /* no IP: said to be ARP */
    if (!f->protocol)
        return;
    unsigned transport = write_ip(frame, f);
    memcpy(frame + transport, f->ports, 4);
    if (f->protocol == UDP)
        put16(frame + transport + 4, FRAME_BYTES - transport);
    if (f->protocol == TCP)
        frame[transport + 12] = 5 << 4;
}

static int open_interface(const char *name)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
    if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to))) {
        perror(name);
        exit(1);
    }
    return fd;
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 0);
    if (*end || !*text || value > 0xffff) {
        fprintf(stderr, "flows: %s: expected a number of at most 16 bits\n", text);
        exit(2);
    }
    return (unsigned)value;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "check"))
        return toeplitz_check() ? 1 : 0;
    if (argc != 9 || strcmp(argv[1], "send")) {
        fputs("usage: flows check        the published examples of the hash\n"
              "       flows send INTERFACE FLOWS PAIR PAIRS ENTRIES HASH_TYPES UNCLASSIFIED\n"
              "PAIR and UNCLASSIFIED count from 0; prints how many of the FLOWS go to PAIR\n",
              stderr);
        return 2;
    }
    int fd = open_interface(argv[2]);
    struct steering s = { .pairs = number(argv[5]),
                          .entries = number(argv[6]),
                          .types = number(argv[7]),
                          .unclassified = number(argv[8]) };
    unsigned flows = number(argv[3]), pair = number(argv[4]), sent = 0;
    if (!s.pairs || !s.entries) {
        fputs("flows: PAIRS and ENTRIES are at least 1\n", stderr);
        return 2;
    }
    for (unsigned i = 0; i < flows; i++) {
        uint8_t frame[FRAME_BYTES];
        struct flow f = make_flow(i);
        if (pair_of(&f, &s) != pair)
            continue;
        write_frame(frame, &f);
        if (send(fd, frame, sizeof(frame), 0) != sizeof(frame)) {
            perror(argv[2]);
            return 1;
        }
        sent++;
    }
    printf("%u\n", sent);
    return 0;
}
