#include "random.h"
#include "steps.h"
#include "../test/random.h"
#include <stdlib.h>
#include <string.h>

#define STEPS_ENOUGH 100000u /* no scene of these takes as many: it goes round in circles */

static struct schedule taken; /* what the schedule under way has done */
static uint32_t room;

static void take_down(uint8_t step)
{
    if (taken.steps == room) {
        room = room ? 2 * room : 4096;
        taken.step = realloc(taken.step, room);
        if (!taken.step)
            abort();
    }
    taken.step[taken.steps++] = step;
}

static void choose_scene(struct rng *r)
{
    scene = (struct scene){
        .receives = rng_below(r, 2),
        .packed = rng_below(r, 2),
        .event_idx = rng_below(r, 2),
        .late = rng_below(r, 2),
        .tso = rng_below(r, 2),
        .any_order = rng_below(r, 2),
        .frames = 1 + rng_below(r, 40),
        .budget = rng_below(r, 2) ? 64 : 1 + rng_below(r, 4),
    };
    scene.size =
        (uint16_t)(scene.packed ? 1 + rng_below(r, SIZE_MAX_OF_RING) : 1u << rng_below(r, 4));
}

/* Whoever went last goes on with a likelihood that differs from schedule to schedule: races want
 * both a party that is held up for long and steps that alternate. */
static uint8_t choose(struct rng *r, const uint8_t *steps, unsigned n, uint8_t last,
                      uint32_t loyalty)
{
    if (rng_below(r, 16) < loyalty) {
        for (unsigned i = 0; i < n; i++) {
            if (steps[i] >> 4 == last >> 4)
                return steps[i];
        }
    }
    return steps[rng_below(r, n)];
}

enum verdict random_play(uint64_t seed)
{
    struct rng r = { seed * 0x9e3779b97f4a7c15ull + 1 };
    uint8_t steps[STEPS_MAX], last = 0;
    unsigned n;
    rng_below(&r, 2);
    choose_scene(&r);
    uint32_t loyalty = 5 * rng_below(&r, 4);
    taken.steps = 0;
    world_init();
    while (world.verdict == VERDICT_holds && (n = steps_possible(steps))) {
        last = choose(&r, steps, n, last, loyalty);
        take_down(last);
        step_make(last);
        if (taken.steps == STEPS_ENOUGH)
            return VERDICT_no_rest;
    }
    if (world.verdict == VERDICT_holds)
        check_end();
    return world.verdict;
}

const struct schedule *random_taken(void)
{
    return &taken;
}

/* Plays those of the steps that are possible when their turn comes, and then whatever is possible
 * first, until the end. `taken` is what was done. */
static enum verdict play_loosely(const uint8_t *step, uint32_t n)
{
    uint8_t steps[STEPS_MAX];
    unsigned k;
    uint32_t i = 0;
    taken.steps = 0;
    world_init();
    while (world.verdict == VERDICT_holds && (k = steps_possible(steps))) {
        uint8_t next = steps[k - 1];
        if (i < n) {
            next = step[i++];
            if (!memchr(steps, next, k))
                continue;
        }
        take_down(next);
        step_make(next);
        if (taken.steps == STEPS_ENOUGH)
            return VERDICT_no_rest;
    }
    if (world.verdict == VERDICT_holds)
        check_end();
    return world.verdict;
}

/* Leaves out pieces, ever smaller ones, as long as what is left shows the same. */
void random_shorten(struct schedule *s, enum verdict verdict)
{
    for (uint32_t piece = s->steps / 2; piece; piece /= 2) {
        for (uint32_t at = 0; at < s->steps;) {
            uint32_t cut = piece < s->steps - at ? piece : s->steps - at;
            uint8_t *rest = malloc(s->steps + 1);
            if (!rest)
                abort();
            memcpy(rest, s->step, at);
            memcpy(rest + at, s->step + at + cut, s->steps - at - cut);
            if (play_loosely(rest, s->steps - cut) == verdict && taken.steps < s->steps) {
                memcpy(s->step, taken.step, taken.steps);
                s->steps = taken.steps;
            } else {
                at += cut;
            }
            free(rest);
        }
    }
}
