/* mode_poll.c: no interrupt is ever asked for. */
#define BEGINS_MASKED true

inline mode_sent()
{
    skip
}

/* A poll that finds nothing changes nothing, and is left out. */
#define WORK_WAITS (SOME(USED))

inline mode_work()
{
    driver_pop(word, waiting, i);
    driver_repark()
}

/* No other process works for the driver. */
proctype interrupt()
{
end:
    irq -> unasked_irq = true;
    assert(!unasked_irq)
}
