#include "steps.h"

static struct party *on_cpu(void)
{
    return &world.party[world.party[IRQ].active ? IRQ : TASK];
}

static bool may_go_on(const struct party *p, enum cpu_id cpu)
{
    uint32_t used = world.stores[cpu].used;
    switch (p->wait) {
    case WAIT_ROOM:
        return used < STORES_MAX;
    case WAIT_DRAINED:
        return !used;
    default:
        return true;
    }
}

static unsigned party_steps(uint8_t *steps, enum step_kind kind)
{
    const struct party *p = kind == STEP_DRIVER ? on_cpu() : &world.party[DEVICE];
    unsigned n = 0;
    if (p->wait != WAIT_CHOICE) {
        steps[0] = STEP(kind, 0);
        return may_go_on(p, kind == STEP_DRIVER ? DRIVER_CPU : DEVICE_CPU);
    }
    uint32_t options = kind == STEP_DRIVER ? task_options() : worker_options();
    for (unsigned i = 0; options >> i; i++) {
        if (options >> i & 1)
            steps[n++] = STEP(kind, i);
    }
    return n;
}

/* Where the driver works in interrupt context its other calls keep interrupts off; elsewhere one
 * may come amid any call. */
static bool irq_may_come(void)
{
    const struct party *task = &world.party[TASK];
    return world.irq_pending && !world.party[IRQ].active &&
           (!vnet_mode.works_in_irq || task->wait == WAIT_CHOICE);
}

unsigned steps_possible(uint8_t *steps)
{
    unsigned n = party_steps(steps, STEP_DRIVER);
    if (on_cpu()->wait == WAIT_IRQ && world.irq_pending) {
        steps[n++] = STEP(STEP_IRQ, 0);
        return n;
    }
    n += party_steps(steps + n, STEP_DEVICE);
    if (irq_may_come())
        steps[n++] = STEP(STEP_IRQ, 0);
    if (world.stores[DRIVER_CPU].used)
        steps[n++] = STEP(STEP_DRIVER_STORE, 0);
    if (world.stores[DEVICE_CPU].used)
        steps[n++] = STEP(STEP_DEVICE_STORE, 0);
    return n;
}

static void go_on(enum party_id id, uint8_t option)
{
    world.running = (uint8_t)id;
    world.party[id].option = option;
    coroutine_run(&world.party[id].run);
    world.party[id].option = 0;
}

void step_make(uint8_t step)
{
    switch (step >> 4) {
    case STEP_DRIVER:
        go_on(world.party[IRQ].active ? IRQ : TASK, step & 15);
        break;
    case STEP_DEVICE:
        go_on(DEVICE, step & 15);
        break;
    case STEP_IRQ:
        world.party[IRQ].active = true;
        go_on(IRQ, 0);
        break;
    case STEP_DRIVER_STORE:
        memory_drain_one(DRIVER_CPU);
        break;
    case STEP_DEVICE_STORE:
        memory_drain_one(DEVICE_CPU);
        break;
    }
    check_step();
}

static const char letters[] = "tdiTD";

void step_write(FILE *to, uint8_t step)
{
    fputc(letters[step >> 4], to);
    if (step & 15)
        fputc('0' + (step & 15), to);
}

bool step_read(const char **text, uint8_t *step)
{
    for (uint8_t kind = 0; letters[kind]; kind++) {
        if (**text != letters[kind])
            continue;
        ++*text;
        uint8_t option = **text >= '0' && **text <= '9' ? (uint8_t)(*(*text)++ - '0') : 0;
        *step = STEP(kind, option);
        return true;
    }
    return false;
}
