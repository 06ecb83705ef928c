/* Seam 1 of 5: what the driver needs from the machine. Each port is one header of static inlines,
 * so the packet path calls nothing. Common to all of them, from the compiler's atomics:
 *
 *   env_load_acquire16(p)           a load that later loads and stores may not pass
 *   env_store_release16(p, v)       a store that earlier loads and stores may not pass
 *   env_load_once16/32(p)           exactly one load of device-written memory
 *
 * A port defines:
 *
 *   env_rmb env_wmb env_mb          barriers between CPU and device
 *   env_dma_addr(p)                 the address by which the device knows this memory
 *   env_now()                       ns, monotonic
 *   env_relax()                     inside bounded waits on the control path
 *   env_mmio_read8/16/32, env_mmio_write8/16/32
 *                                   device registers in memory space, at exactly that width
 *   env_in8/16/32, env_out8/16/32   the same in port I/O space
 *   env_eventfd_signal(fd), env_kick_here(p)
 *                                   where kicks are eventfds, in place of registers and ports
 */
#ifndef VNET_ENV_H
#define VNET_ENV_H

#include <stdint.h>
#include <stddef.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define le16(x) ((uint16_t)(x))
#define le32(x) ((uint32_t)(x))
#define le64(x) ((uint64_t)(x))
#else
#define le16(x) __builtin_bswap16((uint16_t)(x))
#define le32(x) __builtin_bswap32((uint32_t)(x))
#define le64(x) __builtin_bswap64((uint64_t)(x))
#endif

static inline uint16_t env_load_acquire16(const uint16_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void env_store_release16(uint16_t *p, uint16_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline uint16_t env_load_once16(const uint16_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint32_t env_load_once32(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

#if defined(PORT_GUEST)
#include "port/guest.h"
#elif defined(PORT_PROCESS)
#include "port/process.h"
#else
#include "port/hosted.h"
#endif

/* Where and how a queue's kick is written. The transport works it out once, so that the packet path
 * reads no register and calls through no pointer. */
enum env_bell_kind {
    ENV_BELL_MMIO16,
    ENV_BELL_MMIO32,
    ENV_BELL_PORT16,
    /* Only where the driver is a Linux process: */
    ENV_BELL_EVENTFD,
    ENV_BELL_HERE, /* who is kicked is in this process, and done when the kick is over */
};

struct env_bell {
    uintptr_t at;   /* address, port number or file descriptor */
    uint16_t value; /* the queue's index, or what the device wants to be told instead */
    uint8_t kind;   /* enum env_bell_kind */
};

/* The kick itself. */
static inline void env_doorbell(struct env_bell bell)
{
#ifdef PORT_PROCESS
    if (bell.kind == ENV_BELL_EVENTFD)
        env_eventfd_signal((int)bell.at);
    else
        env_kick_here((void *)bell.at);
#else
    if (bell.kind == ENV_BELL_MMIO16)
        env_mmio_write16((volatile void *)bell.at, bell.value);
    else if (bell.kind == ENV_BELL_MMIO32)
        env_mmio_write32((volatile void *)bell.at, bell.value);
    else
        env_out16((uint16_t)bell.at, bell.value);
#endif
}

#endif
