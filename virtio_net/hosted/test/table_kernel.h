/* A kernel that is a table, for the tests of /dev/vhost-net: `ioctl`, `open` and `close` are
 * wrapped by the linker. It notes each request and what was in it, and fails the one it is told to.
 */
#ifndef HOSTED_TEST_TABLE_KERNEL_H
#define HOSTED_TEST_TABLE_KERNEL_H

#include <linux/if_tun.h>
#define _LINUX_VIRTIO_RING_H /* its names are those of our rings */
#include <linux/vhost.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include "../../features.h"

/* No real descriptors: the table alone knows them. The n-th open of each from 0 on. */
#define VHOST_FD 1000
#define TUN_FD   1100

#define TABLE_OFFERED                                                                              \
    (VNET_F(VERSION_1) | VNET_F(EVENT_IDX) | VNET_F(MRG_RXBUF) | 1ull << 26 | 1ull << 27)

struct table_call {
    int fd;
    unsigned long request;
    union {
        uint64_t features;
        struct vhost_vring_state state;
        struct vhost_vring_file file;
        struct vhost_vring_addr addr;
        struct ifreq interface;
        int number;
        struct {
            uint32_t regions, padding;
            struct vhost_memory_region region;
        } memory;
    } in;
};

struct table_kernel {
    struct table_call calls[256];
    unsigned called;
    unsigned fail_at;           /* counted from 1; 0: none fails */
    uint64_t offers, withholds; /* of the features, beside TABLE_OFFERED */
    bool lies_about_base;
    const char *missing_path; /* no such file */
    unsigned vhosts, tuns;    /* opened */
};
extern struct table_kernel kernel;

const char *table_name_of(unsigned long request);

#endif
