/* Long schedules by chance. The seed says everything: scene and steps. */
#ifndef VNET_SCHEDULE_RANDOM_H
#define VNET_SCHEDULE_RANDOM_H

#include "schedule.h"

/* Sets `scene` and plays. */
enum verdict random_play(uint64_t seed);

/* The steps of the last play, until the next. */
const struct schedule *random_taken(void);

/* Makes a schedule that shows something shorter, as long as it still shows it. */
void random_shorten(struct schedule *s, enum verdict verdict);

#endif
