#include "table_kernel.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct table_kernel kernel;

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, void *argument);

int __wrap_open(const char *path, int flags, ...)
{
    if (kernel.missing_path && !strcmp(path, kernel.missing_path)) {
        errno = ENOENT;
        return -1;
    }
    if (!strcmp(path, "/dev/vhost-net"))
        return VHOST_FD + (int)kernel.vhosts++;
    if (!strcmp(path, "/dev/net/tun"))
        return TUN_FD + (int)kernel.tuns++;
    return __real_open(path, flags, 0666);
}

int __wrap_close(int fd)
{
    return fd >= VHOST_FD ? 0 : __real_close(fd);
}

static size_t bytes_of(unsigned long request)
{
    if (request == VHOST_SET_MEM_TABLE)
        return sizeof(kernel.calls[0].in.memory);
    if (request == TUNSETIFF || request == TUNSETQUEUE)
        return sizeof(struct ifreq);
    return _IOC_SIZE(request);
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    struct table_call *c = &kernel.calls[kernel.called++];
    assert_true(kernel.called < sizeof(kernel.calls) / sizeof(kernel.calls[0]));
    *c = (struct table_call){ .fd = fd, .request = request };
    if (kernel.called == kernel.fail_at) {
        errno = EINVAL;
        return -1;
    }
    if (request == VHOST_GET_FEATURES)
        *(uint64_t *)argument = (TABLE_OFFERED | kernel.offers) & ~kernel.withholds;
    else if (argument)
        memcpy(&c->in, argument, bytes_of(request));
    if (request == VHOST_GET_VRING_BASE && kernel.lies_about_base)
        ((struct vhost_vring_state *)argument)->index ^= 1;
    return 0;
}

const char *table_name_of(unsigned long request)
{
    static const struct {
        unsigned long request;
        const char *name;
    } names[] = {
#define NAME(request) { request, #request }
        NAME(TUNSETIFF),
        NAME(TUNSETVNETHDRSZ),
        NAME(TUNSETVNETLE),
        NAME(TUNSETOFFLOAD),
        NAME(TUNSETQUEUE),
        NAME(VHOST_SET_OWNER),
        NAME(VHOST_GET_FEATURES),
        NAME(VHOST_SET_FEATURES),
        NAME(VHOST_SET_MEM_TABLE),
        NAME(VHOST_SET_VRING_NUM),
        NAME(VHOST_SET_VRING_BASE),
        NAME(VHOST_SET_VRING_ADDR),
        NAME(VHOST_SET_VRING_CALL),
        NAME(VHOST_SET_VRING_KICK),
        NAME(VHOST_NET_SET_BACKEND),
        NAME(VHOST_GET_VRING_BASE),
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].request == request)
            return names[i].name;
    return "no request of ours";
}
