/* Environment of a Linux process that drives a vhost backend, in another process or in the kernel.
 * There are no device registers: a kick is an eventfd. The memory table tells the backend to know
 * this memory by the addresses that it has here, so a device address is a plain pointer. */
#ifndef VNET_PORT_PROCESS_H
#define VNET_PORT_PROCESS_H

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define env_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define env_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define env_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)

static inline uint64_t env_dma_addr(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

static inline uint64_t env_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void env_relax(void)
{
}

/* A counter that is full (EAGAIN) is readable still, so the kick is not lost. */
static inline void env_eventfd_signal(int fd)
{
    const uint64_t one = 1;
    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

/* A kick to whoever serves a queue in this process: transport/vhost_ctrl.c. */
void env_kick_here(void *served_by);

#endif
