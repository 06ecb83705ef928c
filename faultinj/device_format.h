/* What device.c and the two ring formats of the model device share. Internal to device*.c. */
#ifndef FAULTINJ_DEVICE_FORMAT_H
#define FAULTINJ_DEVICE_FORMAT_H

#include <endian.h>
#include <stddef.h>
#include "device.h"

/* The driver's memory, or NULL. */
static inline void *ring_dev_memory(const struct ring_dev *d, uint64_t addr, uint32_t bytes)
{
    return d->c.at ? d->c.at(addr, bytes) : (void *)(uintptr_t)addr;
}

void ring_dev_blame(struct ring_dev *d, const char *rule);

/* Appends one stretch of memory to a buffer. False, and blame: it may not be there. */
bool ring_dev_part(struct ring_dev *d, struct ring_dev_buf *b, uint64_t addr, uint32_t bytes,
                   bool writable);

/* Rings are little-endian whatever the machine. */
static inline uint16_t ring_dev_load(const uint16_t *p)
{
    return le16toh(__atomic_load_n(p, __ATOMIC_ACQUIRE));
}

static inline void ring_dev_store(uint16_t *p, uint16_t v)
{
    __atomic_store_n(p, htole16(v), __ATOMIC_RELEASE);
}

/* Each format's part of the functions in device.h. */
bool split_dev_waiting(struct ring_dev *d);
bool split_dev_take(struct ring_dev *d, struct ring_dev_buf *b);
void split_dev_use(struct ring_dev *d, uint16_t id, uint32_t bytes, uint16_t descs);
void split_dev_show(struct ring_dev *d, bool jump);
bool split_dev_wants_irq(struct ring_dev *d);
void split_dev_kicks(struct ring_dev *d, bool on);
void split_dev_kick_at(struct ring_dev *d, uint16_t event);

bool packed_dev_waiting(struct ring_dev *d);
bool packed_dev_take(struct ring_dev *d, struct ring_dev_buf *b);
void packed_dev_use(struct ring_dev *d, uint16_t id, uint32_t bytes, uint16_t descs);
void packed_dev_show(struct ring_dev *d);
bool packed_dev_wants_irq(struct ring_dev *d);
void packed_dev_kicks(struct ring_dev *d, bool on);
void packed_dev_kick_at(struct ring_dev *d, uint16_t event);

#endif
