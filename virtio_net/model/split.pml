/* A split ring: what each side does to shared memory, in the order of vring_split.c (driver) and of
 * a device like vhost. With -DEVENT_IDX, or -DFLAGS without it. A -DNO_... leaves one step out. */
#ifndef MODULUS
#define MODULUS 4 /* of indices; 2^16 in the code, and as there a multiple of SIZE */
#endif
#define SIZE 2
#define MINUS(a, b) (((a) + 2 * MODULUS - (b)) % MODULUS)
#define PLUS(a, b)  (((a) + (b)) % MODULUS)
/* vring_need_event */
#define NEED_EVENT(event, new, old) (MINUS(MINUS(new, event), 1) < MINUS(new, old))

#define AVAIL_IDX        0
#define USED_IDX         1
#define AVAIL_ENTRY(idx) (2 + (idx) % SIZE)
#define USED_ENTRY(idx)  (4 + (idx) % SIZE)
#ifdef EVENT_IDX
#define USED_EVENT  6 /* the driver's word */
#define AVAIL_EVENT 7 /* the device's */
#else
#define AVAIL_FLAGS 6
#define USED_FLAGS  7
#endif
#define WORDS 8
#include "memory.pml"
#include "buffers.pml"

/* The driver. */
byte added, published, kicked_at, harvested; /* indices */

inline driver_add(id)
{
    store(DRIVER, AVAIL_ENTRY(added), ENTRY(id));
    added = PLUS(added, 1)
}

inline driver_publish()
{
    published = added;
#ifdef NO_RELEASE
    store(DRIVER, AVAIL_IDX, added)
#else
    store_release(DRIVER, AVAIL_IDX, added)
#endif
}

inline driver_kick_needed(saw, wanted)
{
#ifndef NO_KICK_MB
    mb(DRIVER);
#endif
#ifdef EVENT_IDX
    load(DRIVER, AVAIL_EVENT, saw);
    wanted = NEED_EVENT(saw, published, kicked_at);
#else
    load(DRIVER, USED_FLAGS, saw);
    wanted = saw == 0;
#endif
    kicked_at = published;
    saw = 0
}

/* The device. */
byte taken, used, signalled_at;

/* More is available than was taken. */
inline device_look(saw, waiting)
{
#ifdef DEVICE_NO_ACQUIRE
    load(DEVICE, AVAIL_IDX, saw);
#else
    load_acquire(DEVICE, AVAIL_IDX, saw);
#endif
    waiting = saw != taken;
    saw = 0
}

inline device_take(saw)
{
    load(DEVICE, AVAIL_ENTRY(taken), saw);
    taken = PLUS(taken, 1)
}

inline device_kicks_off()
{
#ifdef EVENT_IDX
    skip
#else
    store(DEVICE, USED_FLAGS, 1)
#endif
}

/* Then the device looks again. */
inline device_kicks_on()
{
#ifdef EVENT_IDX
    store(DEVICE, AVAIL_EVENT, taken);
#else
    store(DEVICE, USED_FLAGS, 0);
#endif
#ifndef DEVICE_NO_SLEEP_MB
    mb(DEVICE)
#else
    skip
#endif
}
