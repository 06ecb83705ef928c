/* A split ring: what each side does to shared memory, in the order of vring_split.c (driver) and of
 * a device like vhost. With -DEVENT_IDX, or -DFLAGS without it. A -DNO_... leaves one step out.
 * One atomic is one access to shared memory and what is made of it. */

/* Of indices; 2^16 in the code, and as there a multiple of SIZE. */
#ifdef MASKS
#define MODULUS 8 /* the event is parked a ring and one behind, and must not lie a ring ahead */
#else
#define MODULUS 4
#endif
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
#define WORDS       8
#define DRIVER_READS(w) ((w) == USED_IDX || (w) == 4 || (w) == 5 || (w) == 7)
#define READS(me, w)    (DRIVER_READS(w) == ((me) == DRIVER))
#include "memory.pml"

/* The driver. */
byte added, published, kicked_at, harvested; /* indices */

inline driver_add(id)
{
    atomic {
        store(DRIVER, AVAIL_ENTRY(added), ENTRY(id));
        added = PLUS(added, 1)
    }
}

inline driver_publish()
{
#ifndef COUNTS_AFTER
    published = added;
#endif
#ifdef NO_RELEASE
    store(DRIVER, AVAIL_IDX, added);
#else
    store_release(DRIVER, AVAIL_IDX, added);
#endif
#ifdef COUNTS_AFTER
    published = added
#endif
}

inline driver_kick_needed(saw, wanted)
{
#ifndef NO_KICK_MB
    mb(DRIVER);
#endif
    atomic {
#ifdef EVENT_IDX
        load(DRIVER, AVAIL_EVENT, saw);
#ifdef KICK_FOR_LAST
        kicked_at = MINUS(published, 1);
#endif
        wanted = NEED_EVENT(saw, published, kicked_at);
#else
        load(DRIVER, USED_FLAGS, saw);
        wanted = saw == 0;
#endif
        kicked_at = published;
        saw = 0
    }
}

bool masked;    /* what the driver believes */
byte parked_at; /* `harvested` when the event was parked */

#ifdef EVENT_IDX
#define MASKED_WORD  USED_EVENT
#else
#define MASKED_WORD  AVAIL_FLAGS
#endif
#ifdef FLAGS
#define PARKED       false
#define PARK         skip
#define MASKED_VALUE 1
#else
#ifdef MASKS
#define PARKED       true
#define PARK         parked_at = harvested
#define MASKED_VALUE MINUS(parked_at, SIZE + 1)
#else
#define PARKED       false /* not for long */
#define PARK         skip
#define MASKED_VALUE MINUS(harvested, SIZE + 1)
#endif
#endif

inline driver_mask()
{
    d_step {
        masked = true;
        PARK
    }
#ifdef PARK_AT_INDEX
    store(DRIVER, USED_EVENT, MINUS(harvested, 1))
#else
    store(DRIVER, MASKED_WORD, MASKED_VALUE)
#endif
}

inline driver_repark()
{
#ifdef NO_REPARK
    skip
#else
    if
    :: PARKED && masked && MINUS(harvested, parked_at) >= MODULUS / 4 -> driver_mask()
    :: else
    fi
#endif
}

inline driver_pending(saw, waiting)
{
    atomic {
#ifdef NO_ACQUIRE
        load(DRIVER, USED_IDX, saw);
#else
        load_acquire(DRIVER, USED_IDX, saw);
#endif
        waiting = MINUS(saw, harvested);
        saw = 0
    }
}

/* With flags the first entry interrupts already. */
#ifdef EVENT_IDX
#define FEWEST(after) after
#else
#define FEWEST(after) 1
#endif

/* Asks for the interrupt, then looks again; `waiting` 0: armed. */
inline driver_arm(after, saw, waiting)
{
#ifdef BELIEVES_FIRST
    masked = false;
#endif
#ifdef EVENT_IDX
#ifdef ARM_LATE
    store(DRIVER, USED_EVENT, PLUS(harvested, after));
#else
    store(DRIVER, USED_EVENT, PLUS(harvested, after + MODULUS - 1));
#endif
#else
    store(DRIVER, AVAIL_FLAGS, 0);
#endif
#ifndef BELIEVES_FIRST
    wmb(DRIVER);
    masked = false;
#endif
#ifndef NO_ARM_MB
    mb(DRIVER);
#endif
#ifdef NO_RECHECK
    waiting = 0
#else
    driver_pending(saw, waiting);
    if
    :: waiting >= FEWEST(after) -> driver_mask()
    :: else -> waiting = 0
    fi
#endif
}

/* Takes all that is waiting. */
inline driver_pop(saw, waiting, i)
{
    driver_pending(saw, waiting);
    do
    :: i < waiting ->
       atomic {
           load(DRIVER, USED_ENTRY(PLUS(harvested, i)), saw);
           comes_back(saw);
           i++
       }
    :: else -> break
    od;
    atomic {
        harvested = PLUS(harvested, i);
        i = 0;
        waiting = 0
    }
}

/* The device. */
byte taken, used, signalled_at;

/* More is available than was taken. */
inline device_look(saw, waiting)
{
    atomic {
#ifdef DEVICE_NO_ACQUIRE
        load(DEVICE, AVAIL_IDX, saw);
#else
        load_acquire(DEVICE, AVAIL_IDX, saw);
#endif
        waiting = saw != taken;
        saw = 0
    }
}

inline device_take(saw, to)
{
    atomic {
        load(DEVICE, AVAIL_ENTRY(taken), saw);
        passes(saw, POSTED, to);
        taken = PLUS(taken, 1);
        saw = 0
    }
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

/* It decides about the interrupt at least once a ring. */
#define MAY_USE (MINUS(used, signalled_at) < SIZE)

/* Gives a buffer back and shows it. */
inline device_use(id)
{
    atomic {
        store(DEVICE, USED_ENTRY(used), ENTRY(id));
        used = PLUS(used, 1)
    }
#ifdef DEVICE_NO_RELEASE
    store(DEVICE, USED_IDX, used)
#else
    store_release(DEVICE, USED_IDX, used)
#endif
}

/* Decides about the interrupt for all that was used since the last decision. */
inline device_signal(saw, wanted)
{
#ifndef DEVICE_NO_SIGNAL_MB
    mb(DEVICE);
#endif
    atomic {
#ifdef EVENT_IDX
        load(DEVICE, USED_EVENT, saw);
        wanted = NEED_EVENT(saw, used, signalled_at);
#else
        load(DEVICE, AVAIL_FLAGS, saw);
        wanted = saw == 0;
#endif
        signalled_at = used;
        saw = 0
    }
}
