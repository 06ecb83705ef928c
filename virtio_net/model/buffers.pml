/* Whose each buffer is, and what its entry in the ring says: the oracle. Neither side sees it; it only
 * complains. An entry carries a tag that changes each time its buffer is given, so that an entry of an
 * earlier lap never passes for this one's. */
#define SIZE 2

#define FREE   0 /* the driver's */
#define ADDED  1 /* in the ring, not published */
#define POSTED 2 /* the device's, from publication on */
#define TAKEN  3 /* the device has it in hand */
#define USED   4 /* on its way back */

byte owner[SIZE];
bit tag[SIZE];
#define ENTRY(id)      ((id) * 2 + tag[id] + 1)
#define ENTRY_ID(word) (((word) - 1) / 2)
#define SOME(state)    (owner[0] == state || owner[1] == state)

/* The properties, by the names that variants.tsv gives them. */
bool bad_entry;   /* read too early, given twice, taken twice, or not the reader's */
bool lost_wakeup; /* both asleep with work outstanding */

inline give(id, to)
{
    d_step {
        owner[id] = to;
        tag[id] = 1 - tag[id]
    }
}

/* A side has read an entry: it must be of a buffer in that state, and of this lap. */
inline passes(entry, from, to)
{
    d_step {
        bad_entry = entry == 0 || owner[ENTRY_ID(entry)] != from || entry != ENTRY(ENTRY_ID(entry));
        assert(!bad_entry);
        owner[ENTRY_ID(entry)] = to
    }
}

inline publish_all()
{
    d_step {
        owner[0] = (owner[0] == ADDED -> POSTED : owner[0]);
        owner[1] = (owner[1] == ADDED -> POSTED : owner[1])
    }
}
