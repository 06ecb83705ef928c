/* The kick alone: the driver publishes, the device sleeps when it finds nothing. Buffers come back
 * by magic as soon as they are taken. */
#ifdef PACKED
#include "packed.pml"
#else
#include "split.pml"
#endif

bool kick; /* the doorbell rang and nobody has answered yet */

#define ALL_POSTED() d_step { owner[0] = (owner[0] == ADDED -> POSTED : owner[0]); \
                              owner[1] = (owner[1] == ADDED -> POSTED : owner[1]) }

proctype driver()
{
    byte word;
    bool needed;
    do
    :: d_step { owner[0] == FREE -> owner[0] = ADDED; tag[0] = 1 - tag[0] } -> driver_add(0)
    :: d_step { owner[1] == FREE -> owner[1] = ADDED; tag[1] = 1 - tag[1] } -> driver_add(1)
    :: owner[0] == ADDED || owner[1] == ADDED ->
       ALL_POSTED();
       driver_publish();
       driver_kick_needed(word, needed);
       if
       :: needed -> kick = true
       :: else
       fi;
       needed = false
    :: owner[0] != ADDED && owner[1] != ADDED -> break /* for ever: what is outstanding must go */
    od
}

proctype device()
{
    byte word;
    bool more;
    do
    :: device_look(word, more);
       if
       :: more -> device_take(word); hand_over(word, POSTED, FREE)
       :: else ->
          device_kicks_on();
#ifndef DEVICE_NO_RECHECK
          device_look(word, more);
#endif
          if
          :: more
          :: else
end_asleep:
             kick -> kick = false
          fi;
          device_kicks_off()
       fi;
       more = false
    od
}

/* When nothing can move any more, all that was published must have been taken. */
proctype quiet()
{
    timeout -> lost_wakeup = OUTSTANDING;
    assert(!lost_wakeup)
}

init
{
    atomic {
        run_memory();
        run driver();
        run device();
        run quiet()
    }
}
