/* The environment of the proof (env.h's names): barriers are nothing, as a load may give anything
 * already; only what the driver owns is memory. */
#ifndef VNET_MODEL_NONDET_H
#define VNET_MODEL_NONDET_H

#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>

uint16_t nondet_uint16(void);
uint32_t nondet_uint32(void);

#define VNET_ENV_H
#define le16(x) ((uint16_t)(x))
#define le32(x) ((uint32_t)(x))
#define le64(x) ((uint64_t)(x))

/* The location is read, so that one out of bounds is found; its value is the device's choice. */
static inline uint16_t env_load_once16(const uint16_t *p)
{
    volatile uint16_t at = *p;
    (void)at;
    return nondet_uint16();
}

static inline uint32_t env_load_once32(const uint32_t *p)
{
    volatile uint32_t at = *p;
    (void)at;
    return nondet_uint32();
}

static inline uint16_t env_load_acquire16(const uint16_t *p)
{
    return env_load_once16(p);
}

static inline void env_store_release16(uint16_t *p, uint16_t v)
{
    *p = v;
}

#define env_rmb()                     ((void)0)
#define env_wmb()                     ((void)0)
#define env_mb()                      ((void)0)
#define __atomic_store_n(p, v, order) ((void)(*(p) = (v)))

static inline uint64_t env_dma_addr(const void *p)
{
    return (uintptr_t)p;
}

#endif
