/* The messages of vhost-user that a network front end without migration needs, as on the wire. */
#ifndef VNET_VHOST_USER_H
#define VNET_VHOST_USER_H

#include <stddef.h>
#include <stdint.h>

#define VHOST_USER_REQUESTS(X)                                                                     \
    X(GET_FEATURES, 1)                                                                             \
    X(SET_FEATURES, 2)                                                                             \
    X(SET_OWNER, 3)                                                                                \
    X(SET_MEM_TABLE, 5)                                                                            \
    X(SET_VRING_NUM, 8)                                                                            \
    X(SET_VRING_ADDR, 9)                                                                           \
    X(SET_VRING_BASE, 10)                                                                          \
    X(GET_VRING_BASE, 11)                                                                          \
    X(SET_VRING_KICK, 12)                                                                          \
    X(SET_VRING_CALL, 13)                                                                          \
    X(GET_PROTOCOL_FEATURES, 15)                                                                   \
    X(SET_PROTOCOL_FEATURES, 16)                                                                   \
    X(GET_QUEUE_NUM, 17)                                                                           \
    X(SET_VRING_ENABLE, 18)

enum vhost_user_request {
#define VHOST_USER_ENUM(name, number) VHOST_USER_##name = number,
    VHOST_USER_REQUESTS(VHOST_USER_ENUM)
#undef VHOST_USER_ENUM
};

#define VHOST_USER_F_PROTOCOL_FEATURES (1ull << 30) /* among the device's feature bits */
#define VHOST_USER_PROTOCOL(name)      (1ull << VHOST_USER_PROTOCOL_##name)
enum vhost_user_protocol_bit { VHOST_USER_PROTOCOL_MQ = 0, VHOST_USER_PROTOCOL_REPLY_ACK = 3 };

/* "Header": flags */
#define VHOST_USER_VERSION      1u
#define VHOST_USER_VERSION_MASK 3u
#define VHOST_USER_REPLY        4u
#define VHOST_USER_NEED_REPLY   8u

#define VHOST_USER_VRING_INDEX 0xffull
#define VHOST_USER_VRING_NOFD  0x100ull /* no file descriptor comes with this message */
#define VHOST_USER_REGIONS_MAX 8u

struct vhost_user_region {
    uint64_t guest_address, bytes, user_address, mmap_offset;
};

struct vhost_user_msg {
    uint32_t request, flags, size;
    union {
        uint64_t u64;
        struct {
            uint32_t index, num;
        } state;
        struct {
            uint32_t index, flags;
            uint64_t desc, used, avail, log;
        } addr;
        struct {
            uint32_t regions, padding;
            struct vhost_user_region region[1];
        } memory;
        uint8_t bytes[8 + VHOST_USER_REGIONS_MAX * sizeof(struct vhost_user_region)];
    } __attribute__((packed)) payload;
} __attribute__((packed));

#define VHOST_USER_HEADER_BYTES offsetof(struct vhost_user_msg, payload)
_Static_assert(VHOST_USER_HEADER_BYTES == 12, "header");

#endif
