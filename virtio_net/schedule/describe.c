/* Steps in words. */
#include "steps.h"
#include <string.h>

/* The name of a word that both sides see. */
static void name_word(char *name, size_t bytes, const volatile void *at)
{
    const struct vring *r = &queue->ring;
    size_t offset = (size_t)((const volatile uint8_t *)at - world.memory);
    if (r->packed && offset < scene.size * sizeof(struct pvirtq_desc)) {
        size_t field = offset % sizeof(struct pvirtq_desc);
        snprintf(name, bytes, "desc[%zu].%s", offset / sizeof(struct pvirtq_desc),
                 field == offsetof(struct pvirtq_desc, flags) ? "flags"
                 : field == offsetof(struct pvirtq_desc, id)  ? "id"
                                                              : "len");
    } else if (r->packed) {
        const volatile uint8_t *device = (const volatile uint8_t *)r->p.device;
        bool its = (const volatile uint8_t *)at >= device;
        size_t field = (size_t)((const volatile uint8_t *)at - (its ? device : device - 4));
        snprintf(name, bytes, "%s.%s", its ? "device event" : "driver event",
                 field ? "flags" : "off_wrap");
    } else if (at == &r->s.avail->flags || at == &r->s.avail->idx) {
        snprintf(name, bytes, "avail.%s", at == &r->s.avail->flags ? "flags" : "idx");
    } else if (at == &r->s.used->flags || at == &r->s.used->idx) {
        snprintf(name, bytes, "used.%s", at == &r->s.used->flags ? "flags" : "idx");
    } else if (at == &r->s.avail->ring[r->size]) {
        snprintf(name, bytes, "used_event");
    } else if (at == (const volatile void *)&r->s.used->ring[r->size]) {
        snprintf(name, bytes, "avail_event");
    } else {
        snprintf(name, bytes, "used.ring at byte %zu", offset);
    }
}

/* The same of a word of the queue, which the interrupt sees too. */
static const char *name_private(const volatile void *at)
{
    static const struct {
        size_t offset;
        const char *name;
    } fields[] = {
#define FIELD(name) { offsetof(struct vnet_q, ring.name), #name }
        FIELD(broken),    FIELD(masked),    FIELD(s.parked_idx),
        FIELD(published), FIELD(harvested), FIELD(p.used_at),
#undef FIELD
    };
    size_t offset = (size_t)((const volatile uint8_t *)at - (const volatile uint8_t *)queue);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].offset == offset)
            return fields[i].name;
    }
    return "a descriptor count of its own";
}

static const char *const task_words[] = { "begins a poll", "sends one frame",
                                          "sends all that is left" };
static const char *const worker_words[] = { "looks for a buffer", "completes its oldest buffer",
                                            "completes its youngest buffer",
                                            "shows what is used, and signals if asked to" };

static void describe_party(FILE *to, const struct party *p, const char *const *choices,
                           uint8_t option, enum cpu_id cpu)
{
    char name[64] = "";
    if (p->at && p->access != ACCESS_BELL && p->access != ACCESS_PRIVATE)
        name_word(name, sizeof(name), p->at);
    switch (p->access) {
    case ACCESS_LOAD:
        fprintf(to, "reads %s = %u", name, memory_read_by(cpu, p->at));
        break;
    case ACCESS_STORE:
        fprintf(to, "stores %s = %u", name, p->value);
        break;
    case ACCESS_FENCE:
        fprintf(to, "passes a barrier");
        break;
    case ACCESS_BELL:
        fprintf(to, "kicks");
        break;
    case ACCESS_PRIVATE:
        fprintf(to, "goes on at %s", name_private(p->at));
        break;
    default:
        fputs(choices[option], to);
    }
}

static void describe_store(FILE *to, enum cpu_id cpu)
{
    char name[64];
    name_word(name, sizeof(name), world.stores[cpu].store[0].at);
    fprintf(to, "%s = %u reaches memory", name, world.stores[cpu].store[0].value);
}

void step_describe(FILE *to, uint8_t step)
{
    bool in_irq = world.party[IRQ].active;
    switch (step >> 4) {
    case STEP_DRIVER:
        fputs(in_irq ? "interrupt  " : "driver     ", to);
        describe_party(to, &world.party[in_irq ? IRQ : TASK], task_words, step & 15, DRIVER_CPU);
        break;
    case STEP_DEVICE:
        fputs("device     ", to);
        describe_party(to, &world.party[DEVICE], worker_words, step & 15, DEVICE_CPU);
        break;
    case STEP_IRQ:
        fputs("interrupt  is taken", to);
        break;
    case STEP_DRIVER_STORE:
        fputs("driver's   ", to);
        describe_store(to, DRIVER_CPU);
        break;
    case STEP_DEVICE_STORE:
        fputs("device's   ", to);
        describe_store(to, DEVICE_CPU);
        break;
    }
}
