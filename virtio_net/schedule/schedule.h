/* A schedule that was found, and its scene: written, read, played. */
#ifndef VNET_SCHEDULE_SCHEDULE_H
#define VNET_SCHEDULE_SCHEDULE_H

#include <stdio.h>
#include "world.h"

struct schedule { /* whoever has it frees step */
    uint8_t *step;
    uint32_t steps;
};

const char *verdict_name(enum verdict verdict);

/* A scene in words: tx or rx, split or packed, flags or event, size=N, frames=N, budget=N, and
 * late, tso, any-order. scene_word returns false for a word it does not know or a number that
 * cannot be; scene_complain says why a whole scene cannot be, or NULL. */
bool scene_word(struct scene *s, const char *word);
const char *scene_complain(const struct scene *s);
void scene_write(FILE *to, const struct scene *s);
extern const struct scene scene_default;

/* The file of a schedule: scene, verdict, steps. schedule_read sets `scene` and ends the program on
 * a file that it does not understand. */
void schedule_write(FILE *to, const struct schedule *s, enum verdict verdict);
void schedule_read(FILE *from, struct schedule *s, enum verdict *verdict);

/* From the first state, as `scene` says. Returns what it shows, or ends the program where a step is
 * not possible. Says each step in words unless `to` is NULL. */
enum verdict schedule_play(const struct schedule *s, FILE *to);

#endif
