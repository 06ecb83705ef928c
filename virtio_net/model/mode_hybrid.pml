/* mode_hybrid.c: an interrupt masks and schedules a poll; polls run until nothing is there, and only
 * then is the interrupt armed again. */
#define BEGINS_MASKED true

/* Takes at once what is there, then arms unless nothing is in flight any more. */
inline mode_sent()
{
    do
    :: driver_pop(word, waiting, i);
       if
       :: IN_FLIGHT == 0 -> break
       :: else ->
          arm();
          if
          :: waiting > 0 -> waiting = 0
          :: else -> break
          fi
       fi
    od
}

inline mask_unless_masked()
{
    if
    :: !masked -> driver_mask()
    :: else
    fi
}

#define WORK_WAITS scheduled

inline mode_work()
{
    scheduled = false;
#ifndef POLLS_UNMASKED
    mask_unless_masked();
#endif
    atomic {
        load(DRIVER, MASKED_WORD, word);
        unmasked_poll = word != MASKED_VALUE;
        assert(!unmasked_poll);
        word = 0
    }
    driver_pop(word, waiting, i);
    if
    :: IN_FLIGHT == 0 -> mask_unless_masked()
    :: else ->
#ifdef STAYS_MASKED
       skip
#else
       arm();
       atomic {
           scheduled = scheduled || waiting > 0;
           waiting = 0
       }
#endif
    fi;
    driver_repark()
}

/* vnet_irq may come between any two steps of the driver, on its processor: looks, masks, schedules. */
proctype interrupt()
{
    byte word, waiting;
end:
    do
    :: atomic {
           irq && ROOM_TO_STORE -> irq = false;
           driver_pending(word, waiting);
           false_jump = waiting > IN_FLIGHT;
           assert(!false_jump);
           waiting = 0;
           mask_unless_masked();
           scheduled = true
       }
    od
}
