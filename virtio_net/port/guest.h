/* Environment of ringscope's own kernel: x86-64, ring 0, one address space with all RAM mapped. */
#ifndef VNET_PORT_GUEST_H
#define VNET_PORT_GUEST_H

#include "../../kernel/page.h"
#include "../../kernel/clock.h"
#include "../../kernel/x86.h"

/* x86 keeps loads in order among themselves and stores likewise; only the compiler must be held. */
#define env_rmb() __asm__ volatile("" : : : "memory")
#define env_wmb() __asm__ volatile("" : : : "memory")
/* Store-load is the one order x86 does not keep. */
#define env_mb() __asm__ volatile("mfence" : : : "memory")

static inline uint64_t env_dma_addr(const void *p)
{
    return virt_to_phys(p);
}

static inline uint64_t env_now(void)
{
    return now_ns();
}

static inline void env_relax(void)
{
    __asm__ volatile("pause");
}

static inline uint8_t env_mmio_read8(const volatile void *p)
{
    return *(const volatile uint8_t *)p;
}

static inline uint16_t env_mmio_read16(const volatile void *p)
{
    return le16(*(const volatile uint16_t *)p);
}

static inline uint32_t env_mmio_read32(const volatile void *p)
{
    return le32(*(const volatile uint32_t *)p);
}

static inline void env_mmio_write8(volatile void *p, uint8_t v)
{
    *(volatile uint8_t *)p = v;
}

static inline void env_mmio_write16(volatile void *p, uint16_t v)
{
    *(volatile uint16_t *)p = le16(v);
}

static inline void env_mmio_write32(volatile void *p, uint32_t v)
{
    *(volatile uint32_t *)p = le32(v);
}

#define env_in8   inb
#define env_in16  inw
#define env_in32  inl
#define env_out8  outb
#define env_out16 outw
#define env_out32 outl

#endif
