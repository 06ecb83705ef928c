/* The interrupt alone: the device uses buffers, the driver sleeps when it finds none. Buffers go out
 * again by magic as soon as they are back.
 *   -DMASKS  as mode hybrid: masked while it harvests; without, as mode intr */
#define READS_SLOTS(me) ((me) == DRIVER)
#include "ring.pml"

/* Of the buffers in hand the device may use any next; on weak memory the first, or the search takes
 * ten times as long. */
#ifdef WEAK
#define ANY_ORDER (owner[0] != TAKEN)
#else
#define ANY_ORDER true
#endif

bool irq; /* raised and not taken yet */

inline comes_back(entry)
{
    d_step {
        passes(entry, USED, FREE);
        entry = 0
    }
}

inline out_again(id)
{
    if
    :: owner[id] == FREE ->
       give(id, TAKEN);
       published = PLUS(published, 1)
    :: else
    fi
}

proctype device()
{
    byte word;
    bool wanted;
    do
    :: MAY_USE && owner[0] == TAKEN -> owner[0] = USED; device_use(0)
    :: MAY_USE && owner[1] == TAKEN && ANY_ORDER -> owner[1] = USED; device_use(1)
    :: used != signalled_at ->
       device_signal(word, wanted);
       atomic {
           irq = irq || wanted;
           wanted = false
       }
    :: used == signalled_at -> break /* for ever: what was used must be taken */
    od
}

proctype driver()
{
    byte word, waiting, i;
#ifdef MASKS
    driver_mask();
#endif
    do
    :: driver_pop(word, waiting, i);
       d_step {
           out_again(0);
           out_again(1)
       }
#if defined(EVENT_IDX) || defined(MASKS)
       driver_arm(1, word, waiting);
#else
       driver_pending(word, waiting);
#endif
       if
       :: waiting > 0 -> waiting = 0
       :: else ->
end_asleep:
          irq -> irq = false;
#ifdef MASKS
          driver_mask()
#endif
       fi;
#ifdef MASKS
       driver_repark()
#endif
    od
}

/* When nothing can move any more, all that was used must have been taken. */
proctype quiet()
{
    timeout -> lost_wakeup = SOME(USED);
    assert(!lost_wakeup)
}

init
{
    atomic {
        owner[0] = TAKEN;
        owner[1] = TAKEN;
        published = SIZE;
        run_memory();
        run device();
        run driver();
        run quiet()
    }
}
