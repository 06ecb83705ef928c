/* Both directions at once: a transmit queue under one of the driver's modes, and a device that sleeps
 * too.
 *   -DMODE_POLL, -DMODE_INTR, -DMODE_HYBRID
 *   -DSINGLES   each buffer is sent alone
 *   -DAWAKE     the device never sleeps and needs no kick
 *   -DWATCHDOG  the watchdog looks when nothing moves any more
 *   -DIRQ_LOST  an interrupt may never arrive
 *   -DLIVE      for the search of endless runs */
#define READS_SLOTS(me) true
#ifndef MODE_INTR
#define MASKS
#endif
#include "ring.pml"

bool kick, irq;      /* raised and not taken yet */
bool scheduled;      /* a poll of mode hybrid is to come */
bool sending = true; /* the guest may fall silent for ever, at any time */
bool lost;           /* an interrupt that was, and nobody has found out */
byte to_go;          /* buffers that come back before the armed interrupt is due; armed_until in the code */

/* Properties. */
bool false_jump;    /* an interrupt took buffers that come back for a jump of used.idx */
bool unasked_irq;   /* an interrupt came that was never asked for */
bool unmasked_poll; /* a poll runs and interrupts may come */
bool false_rescue;  /* the watchdog found an interrupt lost that was not */

#define IN_FLIGHT MINUS(published, harvested)

inline comes_back(entry)
{
    d_step {
        passes(entry, USED, FREE);
#ifdef WATCHDOG
        to_go = (to_go > 0 -> to_go - 1 : 0);
#endif
        entry = 0
    }
}

/* vnet_irq_arm, after one buffer or as many as are in flight. */
inline arm()
{
    after = 1;
#if defined(EVENT_IDX) && defined(MODE_HYBRID)
    if
    :: IN_FLIGHT > 1 -> after = 2
    :: skip
    fi;
#ifdef ARM_BEYOND
    after = 2;
#endif
#endif
#ifdef WATCHDOG
    to_go = after;
#endif
    driver_arm(after, word, waiting);
    after = 0
}

#ifdef MODE_POLL
#include "mode_poll.pml"
#elif defined(MODE_INTR)
#include "mode_intr.pml"
#else
#include "mode_hybrid.pml"
#endif

/* One or two buffers, and the one kick decision for them. */
inline send()
{
    chosen = (owner[0] == FREE -> 0 : 1);
    give(chosen, ADDED);
    driver_add(chosen);
#ifndef SINGLES
    if
    :: owner[1] == FREE -> give(1, ADDED); driver_add(1)
    :: skip
    fi;
#endif
    chosen = 0;
    publish_all();
    driver_publish();
#ifndef AWAKE
    driver_kick_needed(word, flag);
    atomic {
        kick = kick || flag;
        flag = false
    };
#endif
    mode_sent()
}

proctype driver()
{
    byte word, waiting, i, after, chosen;
    bool flag;
    if
    :: BEGINS_MASKED -> driver_mask()
    :: else -> arm()
    fi;
end:
    do
    :: sending && SOME(FREE) -> send()
    :: sending -> sending = false
    :: WORK_WAITS -> mode_work()
    od
}

inline signal()
{
    device_signal(word, flag);
    atomic {
        if
#ifdef IRQ_LOST
        :: flag -> lost = true
#endif
        :: irq = irq || flag
        fi;
        flag = false
    }
}

/* One buffer after the other, and one signal for one or two; other orders are in interrupt.pml. On
 * endless runs each gets its signal, as SPIN is not fair to the choices of one process. */
#ifdef LIVE
#define IN_TURN (!SOME(TAKEN) && used == signalled_at)
#else
#define IN_TURN (!SOME(TAKEN) && MAY_USE)
#endif
#ifdef AWAKE
#define MAY_LOOK (IN_TURN && SOME(POSTED)) /* a look that finds nothing changes nothing */
#else
#define MAY_LOOK IN_TURN
#endif

proctype device()
{
    byte word;
    bool flag;
end:
    do
    :: MAY_LOOK ->
       device_look(word, flag);
       if
       :: flag -> device_take(word, TAKEN)
#ifndef AWAKE
       :: !flag && used == signalled_at ->
          device_kicks_on();
#ifndef DEVICE_NO_RECHECK
          device_look(word, flag);
#endif
          if
          :: flag
          :: else
end_asleep:
             kick -> kick = false
          fi;
          device_kicks_off()
#endif
       :: else
       fi;
       flag = false
    :: owner[0] == TAKEN -> owner[0] = USED; device_use(0)
    :: owner[1] == TAKEN -> owner[1] = USED; device_use(1)
    :: used != signalled_at -> signal()
    od
}

#ifdef WATCHDOG
#define OVERDUE (waiting > 0 && !masked && waiting >= to_go)
#else
#define OVERDUE false
#endif

/* When nothing can move any more the watchdog's patience is at an end; when it finds nothing, all that
 * was sent must be back. */
proctype quiet()
{
    byte word, waiting;
    do
    :: timeout ->
       driver_pending(word, waiting);
       if
       :: OVERDUE ->
          false_rescue = !lost;
          assert(!false_rescue);
          lost = false;
          waiting = 0;
          irq = true
       :: else ->
          lost_wakeup = SOME(POSTED) || SOME(TAKEN) || SOME(USED);
          assert(!lost_wakeup);
          break
       fi
    od
}

init
{
    atomic {
        run_memory();
        run driver();
        run device();
        run interrupt();
#ifndef LIVE
        run quiet()
#endif
    }
}

#ifdef LIVE
ltl comes_home { [] (owner[0] == POSTED -> <> (owner[0] == FREE)) }
#endif
