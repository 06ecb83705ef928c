/* Whose each buffer is, and what its entry in the ring says: the oracle. Not seen by either side;
 * it only complains. An entry carries a tag that changes each time its buffer is given, so that an
 * entry of an earlier lap is never taken for this one's. */
#define FREE   0 /* the driver's */
#define ADDED  1 /* in the ring, not published */
#define POSTED 2 /* the device's, from publication on */
#define TAKEN  3 /* the device has it in hand */
#define USED   4 /* on its way back */

byte owner[SIZE];
bit tag[SIZE];
#define ENTRY(id)      ((id) * 2 + tag[id] + 1)
#define ENTRY_ID(word) (((word) - 1) / 2)

bool bad_entry, lost_wakeup;

#define OUTSTANDING (owner[0] != FREE || owner[1] != FREE)

/* The entry that a side read must be of a buffer in that state, and of this lap. */
inline hand_over(seen_entry, from, to)
{
    d_step {
        bad_entry = seen_entry == 0 || owner[ENTRY_ID(seen_entry)] != from ||
                    seen_entry != ENTRY(ENTRY_ID(seen_entry));
        assert(!bad_entry);
        owner[ENTRY_ID(seen_entry)] = to;
        seen_entry = 0
    }
}
