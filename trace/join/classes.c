/* Names of classes and queues, and the counts. */
#include "join.h"

const char *queue_name(unsigned vq)
{
    return vq == TRACE_VQ_TX ? "tx" : vq == TRACE_VQ_RX ? "rx" : "?";
}

const char *class_name(enum event_class class)
{
    static const char *const names[] = {
        "none",
#define CLASS(side, name, text) #name,
#include "classes.def"
    };
    return class < CLASS_COUNT ? names[class] : "?";
}

const char *class_text(enum event_class class)
{
    static const char *const texts[] = {
        "not classified",
#define CLASS(side, name, text) text,
#include "classes.def"
    };
    return class < CLASS_COUNT ? texts[class] : "?";
}

enum trace_side class_side(enum event_class class)
{
    enum { guest = TRACE_SIDE_GUEST, host = TRACE_SIDE_HOST };
    static const unsigned char sides[] = {
        guest,
#define CLASS(side, name, text) side,
#include "classes.def"
    };
    return sides[class];
}

const char *chain_class_name(enum chain_class class)
{
    static const char *const names[] = { "irq",   "merged",  "polled",    "unharvested", "unserved",
                                         "stall", "outside", "unmatched", "unknown" };
    return names[class];
}

void live_class(struct join *j, const struct event *e, enum event_class class)
{
    j->class_count[class][e->vq < JOIN_QUEUES ? e->vq : JOIN_QUEUES]++;
}

uint64_t join_class_count(const struct join *j, enum event_class class, int vq)
{
    uint64_t n = 0;
    for (int i = 0; i <= JOIN_QUEUES; i++)
        n += vq < 0 || i == vq ? j->class_count[class][i] : 0;
    return n;
}
