/* A packed ring: what each side does to shared memory, in the order of vring_packed.c (driver) and of
 * a device like vhost. With -DEVENT_IDX, or -DFLAGS without it. A -DNO_... leaves one step out.
 *
 * One atomic is one access to shared memory and what is made of it.
 *
 * A position is a slot and a wrap counter: SIZE slots in two laps, so positions count modulo
 * 2 * SIZE, as the indices of a split ring do modulo 2^16. */
#define MODULUS (2 * SIZE)
#define MINUS(a, b) (((a) + 2 * MODULUS - (b)) % MODULUS)
#define PLUS(a, b)  (((a) + (b)) % MODULUS)
/* vring_need_event */
#define NEED_EVENT(event, new, old) (MINUS(MINUS(new, event), 1) < MINUS(new, old))

#define SLOT_ENTRY(at) ((at) % SIZE)
#define SLOT_FLAGS(at) (2 + (at) % SIZE)
#define DEVICE_OFF     4 /* event suppression: the device's */
#define DEVICE_FLAGS   5
#define PAIR           DEVICE_OFF /* read in one load */
#define DRIVER_OFF     6 /* and the driver's */
#define DRIVER_FLAGS   7
#define WORDS          8
#define READS(me, w)   ((w) < 4 -> READS_SLOTS(me) : ((w) < 6) == ((me) == DRIVER))

/* Flags of a slot: AVAIL is bit 0, USED bit 1; both are compared with the wrap counter, which is 1
 * in the first lap. */
#define AVAILABLE(at) ((at) < SIZE -> 1 : 2)
#define IS_USED(at)   ((at) < SIZE -> 3 : 0)

#define ENABLE  0
#define DISABLE 1
#define DESC    2
#ifdef EVENT_IDX
#define ASK DESC
#else
#define ASK ENABLE
#endif

#include "memory.pml"

/* The driver. */
byte added, published, kicked_at, harvested; /* positions */

/* The first that is not published is held back until then. */
inline driver_add(id)
{
    store(DRIVER, SLOT_ENTRY(added), ENTRY(id));
    atomic {
        if
#ifdef HEAD_FIRST
        :: true -> store_release(DRIVER, SLOT_FLAGS(added), AVAILABLE(added))
#else
        :: added != published -> store_release(DRIVER, SLOT_FLAGS(added), AVAILABLE(added))
        :: else
#endif
        fi;
        added = PLUS(added, 1)
    }
}

inline driver_publish()
{
    d_step {
        head = published;
        published = added
    };
#ifdef NO_RELEASE
    store(DRIVER, SLOT_FLAGS(head), AVAILABLE(head));
#else
    store_release(DRIVER, SLOT_FLAGS(head), AVAILABLE(head));
#endif
    head = 0
}
byte head;

inline driver_kick_needed(saw, wanted)
{
#ifndef NO_KICK_MB
    mb(DRIVER);
#endif
#ifdef TWO_LOADS
    load(DRIVER, DEVICE_OFF, saw);
#endif
    atomic {
#ifdef TWO_LOADS
        load(DRIVER, DEVICE_FLAGS, event_flags);
#else
        load_pair(DRIVER, saw, event_flags);
#endif
        wanted = event_flags == ENABLE ||
                 (event_flags == DESC && NEED_EVENT(saw, published, kicked_at));
        kicked_at = published;
        saw = 0;
        event_flags = 0
    }
}
byte event_flags;

bool masked; /* what the driver believes */

#define MASKED_WORD  DRIVER_FLAGS
#define MASKED_VALUE DISABLE

inline driver_mask()
{
    masked = true;
    store(DRIVER, MASKED_WORD, MASKED_VALUE)
}

inline driver_repark()
{
    skip /* a flag masks for good */
}

inline driver_is_used(position, saw, waiting)
{
    atomic {
#ifdef NO_ACQUIRE
        load(DRIVER, SLOT_FLAGS(position), saw);
#else
        load_acquire(DRIVER, SLOT_FLAGS(position), saw);
#endif
        waiting = saw == IS_USED(position);
        saw = 0
    }
}

inline driver_pending(saw, waiting)
{
    driver_is_used(harvested, saw, waiting);
    if
    :: waiting ->
       driver_is_used(PLUS(harvested, 1), saw, waiting);
       waiting++
    :: else
    fi
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
    store(DRIVER, DRIVER_OFF, PLUS(harvested, after + MODULUS - 1));
#ifndef NO_ARM_WMB
    wmb(DRIVER);
#endif
#endif
    store(DRIVER, DRIVER_FLAGS, ASK);
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
    do
    :: i < MINUS(published, harvested) ->
       driver_is_used(PLUS(harvested, i), saw, waiting);
       if
       :: waiting ->
          atomic {
              load(DRIVER, SLOT_ENTRY(PLUS(harvested, i)), saw);
              comes_back(saw);
              i++
          }
       :: else -> break
       fi
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
        load(DEVICE, SLOT_FLAGS(taken), saw);
#else
        load_acquire(DEVICE, SLOT_FLAGS(taken), saw);
#endif
        waiting = saw == AVAILABLE(taken);
        saw = 0
    }
}

inline device_take(saw, to)
{
    atomic {
        load(DEVICE, SLOT_ENTRY(taken), saw);
        passes(saw, POSTED, to);
        taken = PLUS(taken, 1);
        saw = 0
    }
}

inline device_kicks_off()
{
    store(DEVICE, DEVICE_FLAGS, DISABLE)
}

/* Then the device looks again. */
inline device_kicks_on()
{
#ifdef EVENT_IDX
    store(DEVICE, DEVICE_OFF, taken);
    wmb(DEVICE);
#endif
    store(DEVICE, DEVICE_FLAGS, ASK);
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
    store(DEVICE, SLOT_ENTRY(used), ENTRY(id));
    atomic {
#ifdef DEVICE_NO_RELEASE
        store(DEVICE, SLOT_FLAGS(used), IS_USED(used));
#else
        store_release(DEVICE, SLOT_FLAGS(used), IS_USED(used));
#endif
        used = PLUS(used, 1)
    }
}

/* Decides about the interrupt for all that was used since the last decision. */
inline device_signal(saw, wanted)
{
#ifndef DEVICE_NO_SIGNAL_MB
    mb(DEVICE);
#endif
    load_acquire(DEVICE, DRIVER_FLAGS, saw);
    atomic {
        if
        :: saw == DESC ->
           load(DEVICE, DRIVER_OFF, saw);
           wanted = NEED_EVENT(saw, used, signalled_at)
        :: else -> wanted = saw == ENABLE
        fi;
        signalled_at = used;
        saw = 0
    }
}
