/* Environment of a Linux process: the tests' model device runs in the same address space, so a
 * device address is a plain pointer. */
#ifndef VNET_PORT_HOSTED_H
#define VNET_PORT_HOSTED_H

#include <time.h>

#define env_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define env_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define env_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Register accesses, kicks among them, go to the model device, which sees address and width. */
uint32_t hosted_mmio_read(const volatile void *p, unsigned bytes);
void hosted_mmio_write(volatile void *p, unsigned bytes, uint32_t v);
uint32_t hosted_port_read(uint16_t port, unsigned bytes);
void hosted_port_write(uint16_t port, unsigned bytes, uint32_t v);

#define env_mmio_read8(p)      ((uint8_t)hosted_mmio_read(p, 1))
#define env_mmio_read16(p)     ((uint16_t)hosted_mmio_read(p, 2))
#define env_mmio_read32(p)     hosted_mmio_read(p, 4)
#define env_mmio_write8(p, v)  hosted_mmio_write(p, 1, v)
#define env_mmio_write16(p, v) hosted_mmio_write(p, 2, v)
#define env_mmio_write32(p, v) hosted_mmio_write(p, 4, v)

#define env_in8(port)      ((uint8_t)hosted_port_read(port, 1))
#define env_in16(port)     ((uint16_t)hosted_port_read(port, 2))
#define env_in32(port)     hosted_port_read(port, 4)
#define env_out8(port, v)  hosted_port_write(port, 1, v)
#define env_out16(port, v) hosted_port_write(port, 2, v)
#define env_out32(port, v) hosted_port_write(port, 4, v)

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

#endif
