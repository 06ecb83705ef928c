/* Stops the buffer a while after something worth looking at, so that what led to it is not
 * overwritten. A trigger sees the records of its events as they are written, so a masked class
 * fires none. */
#include "trigger.h"
#include "buffer.h"
#include "machine.h"
#include "trace.h"
#include "writer.h"

#define QUEUES 18
#define BIT(n) (1ull << (n))

static uint64_t threshold[TRACE_TRIGGERS], cycles_per_us; /* threshold: TSC cycles */
static uint64_t post_percent;
static uint32_t firing;
static uint64_t irq_at[QUEUES]; /* time of the first interrupt that no harvest has followed, or 0 */

static const struct {
    const char *name, *unit;
} triggers[TRACE_TRIGGERS] = {
#define TRIGGER(name, number, unit, text) [number] = { #name, unit },
#include "triggers.def"
};

static const uint64_t watched[TRACE_TRIGGERS] = {
    [TRACE_TRIGGER_stall] = BIT(TRACE_EV_rescue),
    [TRACE_TRIGGER_fault] = BIT(TRACE_EV_fault),
    [TRACE_TRIGGER_broken] = BIT(TRACE_EV_broken),
    [TRACE_TRIGGER_latency] = BIT(TRACE_EV_irq) | BIT(TRACE_EV_harvest),
    [TRACE_TRIGGER_doorbell] = BIT(TRACE_EV_kick),
};

static void stop_cpu(struct trace_writer *w)
{
    struct trace_cpu_area *area = w->area;
    uint64_t room = (area->packets - 1) * TRACE_RECORDS_PER_PACKET;
    uint64_t share = room / 100 * post_percent + room % 100 * post_percent / 100;
    uint64_t stop = __atomic_load_n(&area->reserved, __ATOMIC_RELAXED) + share;
    __atomic_store_n(&area->stop_at, stop, __ATOMIC_RELEASE);
    /* The one place where a CPU reaches into another's writer: a limit that the other sets at the
     * same time holds to its packet's end at most, where it looks at stop_at again. */
    if (__atomic_load_n(&w->limit, __ATOMIC_RELAXED) > stop)
        __atomic_store_n(&w->limit, stop, __ATOMIC_RELEASE);
}

static void fire(struct trace_writer *w, enum trace_trigger which, uint8_t vq, uint64_t number,
                 uint64_t now, uint64_t value)
{
    struct trace_region *region = trace_region();
    struct trace_trigger_mark *mark = &region->trigger;
    uint32_t never = 0;
    if (!(mark->armed & BIT(which)) ||
        !__atomic_compare_exchange_n(&firing, &never, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    trace_emit(TRACE_EV_trigger, vq, 0, 0, which, value);
    for (uint32_t cpu = 0; cpu < region->cpus; cpu++)
        stop_cpu(&trace_writers[cpu]);
    mark->cpu = (uint32_t)(w - trace_writers);
    mark->vq = vq;
    mark->time = now;
    mark->record = number;
    mark->value = value;
    __atomic_store_n(&mark->fired, which, __ATOMIC_RELEASE);
}

/* A time that is to be compared: fires above the trigger's threshold, and reports microseconds. */
static void fire_above(struct trace_writer *w, enum trace_trigger which, uint8_t vq,
                       uint64_t number, uint64_t now, uint64_t since)
{
    if (now - since > threshold[which])
        fire(w, which, vq, number, now, (now - since) / cycles_per_us);
}

static void look_at_harvest(struct trace_writer *w, uint8_t vq, uint64_t number, uint64_t now)
{
    uint64_t irq = irq_at[vq];
    irq_at[vq] = 0;
    if (irq)
        fire_above(w, TRACE_TRIGGER_latency, vq, number, now, irq);
}

void trace_look(struct trace_writer *w, uint16_t id, uint8_t vq, uint64_t number, uint64_t now,
                uint64_t b)
{
    uint8_t q = vq < QUEUES ? vq : QUEUES - 1;
    switch (id) {
    case TRACE_EV_rescue:
        fire(w, TRACE_TRIGGER_stall, vq, number, now, b);
        break;
    case TRACE_EV_fault:
        fire(w, TRACE_TRIGGER_fault, vq, number, now, b);
        break;
    case TRACE_EV_broken:
        fire(w, TRACE_TRIGGER_broken, vq, number, now, b);
        break;
    case TRACE_EV_irq:
        irq_at[q] = irq_at[q] ? irq_at[q] : now;
        break;
    case TRACE_EV_harvest:
        look_at_harvest(w, q, number, now);
        break;
    case TRACE_EV_kick:
        fire_above(w, TRACE_TRIGGER_doorbell, vq, number, now, b);
        break;
    }
}

void trace_trigger_reset(void)
{
    firing = 0;
    for (int i = 0; i < QUEUES; i++)
        irq_at[i] = 0;
}

static const char *take_name(const char *text, int *which)
{
    for (*which = 1; *which < TRACE_TRIGGERS; ++*which) {
        const char *t = text, *n = triggers[*which].name;
        while (*n && *t == *n)
            t++, n++;
        if (!*n && (!*t || *t == ',' || *t == ':'))
            return t;
    }
    return 0;
}

/* ":N" where the trigger takes a threshold, nothing where it takes none. */
static const char *take_threshold(const char *text, int which, uint64_t *us)
{
    *us = 0;
    if (!*triggers[which].unit)
        return text;
    if (*text++ != ':' || *text < '0' || *text > '9')
        return 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        *us = *us * 10 + (uint64_t)(*text - '0');
        if (*us > TRACE_TRIGGER_US_MAX)
            return 0;
    }
    return text;
}

int trace_trigger_set(const char *text, unsigned post)
{
    uint64_t us[TRACE_TRIGGERS] = { 0 };
    uint32_t armed = 0;
    while (*text) {
        int which;
        text = take_name(text, &which);
        if (text)
            text = take_threshold(text, which, &us[which]);
        if (!text || (*text && *text++ != ','))
            return -1;
        armed |= (uint32_t)BIT(which);
    }
    struct trace_region *region = trace_region();
    uint64_t watch = 0;
    cycles_per_us = region->tsc_hz >= 1000000 ? region->tsc_hz / 1000000 : 1;
    for (int i = 1; i < TRACE_TRIGGERS; i++) {
        threshold[i] = us[i] * cycles_per_us;
        watch |= armed & BIT(i) ? watched[i] : 0;
    }
    post_percent = post;
    region->trigger.armed = armed;
    for (uint32_t cpu = 0; cpu < region->cpus; cpu++)
        trace_writers[cpu].watch = watch;
    return 0;
}
