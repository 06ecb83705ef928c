/* Memory between two processors, the driver's and the device's.
 *
 *   (nothing)  each access takes effect at once
 *   -DTSO      x86: a store waits in its processor's buffer, in order; a load looks there first,
 *              then in memory, and so may overtake an older store
 *   -DWEAK     as Arm may: the stores of a buffer leave it in any order, but for those to one word
 *              and where a barrier says so; a load may have been made early, at any time since the
 *              last barrier that holds loads
 *
 * Who includes this has said how many WORDS there are and which of them each side READS. `me` is the
 * processor that does it. */
#define DRIVER 0
#define DEVICE 1

byte mem[WORDS];

#if defined(TSO) || defined(WEAK)
#define BUFFERED
typedef processor {
    byte stores;   /* in the buffer: 0 to 2; one more has to wait */
    byte at[2];    /* oldest first */
    byte value[2];
#ifdef WEAK
    bit behind;       /* the second has to leave after the first */
    byte fenced;      /* so many are older than the last wmb */
    byte seen[WORDS]; /* what a load that was made early found */
#endif
};
processor cpu[2];
#endif

#ifdef WEAK
byte word_of; /* a counter, 0 outside of its loop */
#endif

inline store_after(me, w, v, older)
{
#ifdef BUFFERED
    atomic {
        cpu[me].stores < 2;
        cpu[me].at[cpu[me].stores] = w;
        cpu[me].value[cpu[me].stores] = v;
#ifdef WEAK
        cpu[me].behind = cpu[me].stores == 1 && older > 0;
#endif
        cpu[me].stores++
    }
#else
    mem[w] = v
#endif
}

inline store(me, w, v)
{
#ifdef WEAK
    store_after(me, w, v, cpu[me].fenced)
#else
    store_after(me, w, v, 0)
#endif
}

/* After all that this processor stored before. */
inline store_release(me, w, v)
{
    store_after(me, w, v, 1)
}

/* Later stores leave the buffer after earlier ones. */
inline wmb(me)
{
#ifdef WEAK
    cpu[me].fenced = cpu[me].stores
#else
    skip
#endif
}

/* Later loads are made after earlier ones. */
inline rmb(me)
{
#ifdef WEAK
    d_step {
        do
        :: word_of < WORDS ->
           cpu[me].seen[word_of] = (READS(me, word_of) -> mem[word_of] : 0);
           word_of++
        :: else -> break
        od;
        word_of = 0
    }
#else
    skip
#endif
}

inline mb(me)
{
#ifdef BUFFERED
    atomic {
        cpu[me].stores == 0;
        rmb(me)
    }
#else
    skip
#endif
}

inline load(me, w, v)
{
#ifdef BUFFERED
    atomic {
        if
        :: cpu[me].stores == 2 && cpu[me].at[1] == w -> v = cpu[me].value[1]
        :: cpu[me].stores > 0 && cpu[me].at[0] == w &&
           !(cpu[me].stores == 2 && cpu[me].at[1] == w) -> v = cpu[me].value[0]
        :: else ->
#ifdef WEAK
           if
           :: v = cpu[me].seen[w]
           :: v = mem[w]; cpu[me].seen[w] = v
           fi
#else
           v = mem[w]
#endif
        fi
    }
#else
    v = mem[w]
#endif
}

#ifdef PAIR
/* Two words in one load. */
inline load_pair(me, v, next_v)
{
    atomic {
#ifdef WEAK
        if
        :: skip
        :: cpu[me].seen[PAIR] = mem[PAIR]; cpu[me].seen[PAIR + 1] = mem[PAIR + 1]
        fi;
        v = cpu[me].seen[PAIR];
        next_v = cpu[me].seen[PAIR + 1]
#else
        v = mem[PAIR];
        next_v = mem[PAIR + 1]
#endif
    }
}
#endif

inline load_acquire(me, w, v)
{
    atomic {
        load(me, w, v);
        rmb(me)
    }
}

#ifdef BUFFERED
#ifdef WEAK
/* A side has a word before it as memory has it now; two words of one load as they are together. */
inline sees(side, place)
{
    if
    :: READS(side, place) ->
       cpu[side].seen[place] = mem[place];
#ifdef PAIR
       if
       :: place == PAIR -> cpu[side].seen[PAIR + 1] = mem[PAIR + 1]
       :: place == PAIR + 1 -> cpu[side].seen[PAIR] = mem[PAIR]
       :: else
       fi
#endif
    :: else
    fi
}
#endif

/* The store at place i of a buffer reaches memory. */
inline leave(me, i)
{
    mem[cpu[me].at[i]] = cpu[me].value[i];
#ifdef WEAK
    sees(me, cpu[me].at[i]);
    if
    :: READS(1 - me, cpu[me].at[i]) -> /* an early load of the other side was made after this */
       sees(1 - me, cpu[me].at[i])
    :: skip /* or before */
    fi;
    cpu[me].behind = 0;
    cpu[me].fenced = (cpu[me].fenced > i -> cpu[me].fenced - 1 : cpu[me].fenced);
#endif
    if
    :: i == 0 -> cpu[me].at[0] = cpu[me].at[1]; cpu[me].value[0] = cpu[me].value[1]
    :: else
    fi;
    cpu[me].at[1] = 0;
    cpu[me].value[1] = 0;
    cpu[me].stores--
}

#define ROOM_TO_STORE (cpu[DRIVER].stores < 2)

proctype buffer(byte me)
{
end:
    do
    :: atomic { cpu[me].stores > 0 -> leave(me, 0) }
#ifdef WEAK
    :: atomic {
           cpu[me].stores == 2 && !cpu[me].behind && cpu[me].at[1] != cpu[me].at[0] -> leave(me, 1)
       }
#endif
    od
}
#define run_memory() run buffer(DRIVER); run buffer(DEVICE)
#else
#define ROOM_TO_STORE true
#define run_memory() skip
#endif
