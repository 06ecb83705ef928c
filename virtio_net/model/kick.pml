/* The kick alone: the driver publishes, the device sleeps when it finds nothing. Buffers come back
 * by magic as soon as they are taken. */
#define READS_SLOTS(me) ((me) == DEVICE)
#include "ring.pml"

bool kick; /* the doorbell rang and nobody has answered yet */

proctype driver()
{
    byte word;
    bool needed;
    do
    :: owner[0] == FREE -> give(0, ADDED); driver_add(0)
    :: owner[0] != FREE && owner[1] == FREE -> give(1, ADDED); driver_add(1)
    :: SOME(ADDED) ->
       publish_all();
       driver_publish();
       driver_kick_needed(word, needed);
       atomic {
           kick = kick || needed;
           needed = false
       }
    :: !SOME(ADDED) -> break /* for ever: what is outstanding must go */
    od
}

proctype device()
{
    byte word;
    bool more;
    do
    :: device_look(word, more);
       if
       :: more -> device_take(word, FREE)
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
    timeout -> lost_wakeup = SOME(POSTED);
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
