/* mode_intr.c: every interrupt harvests all there is; interrupts stay wanted throughout. The driver's
 * other calls keep interrupts off, so one process does for both. */
#define BEGINS_MASKED false

inline mode_sent()
{
    if /* a sender takes back what it finds, or does not look */
    :: driver_pop(word, waiting, i)
    :: skip
    fi
}

#define WORK_WAITS irq

/* With nothing waiting too, as a sender may have taken what the interrupt announces. */
inline mode_work()
{
    irq = false;
#ifdef NO_REARM
    driver_pending(word, waiting);
    flag = waiting > 0;
#else
    flag = true;
#endif
    do
    :: flag ->
       driver_pop(word, waiting, i);
#ifdef EVENT_IDX
       arm();
#else
       driver_pending(word, waiting);
#endif
       flag = waiting > 0
    :: else -> break
    od;
    waiting = 0
}

/* No other process works for the driver. */
proctype interrupt()
{
    skip
}
