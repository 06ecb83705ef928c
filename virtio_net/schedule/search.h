/* Every schedule of a scene, breadth first: states that were seen before are not gone through
 * again, and the first fault found lies at the end of a shortest schedule. */
#ifndef VNET_SCHEDULE_SEARCH_H
#define VNET_SCHEDULE_SEARCH_H

#include "schedule.h"

struct search {
    uint32_t states, transitions, ends; /* ends: states in which all is at rest */
    uint32_t longest;                   /* of the shortest ways to each state */
    double schedules; /* from the first state to an end, none of them through a state twice */
    enum verdict verdict;
    struct schedule fault; /* a shortest schedule that shows it; the caller frees its step */
};

/* Searches `scene` (world.h), from behind these steps on unless they are NULL, up to so many
 * states. */
void search_run(struct search *s, const struct schedule *after, uint32_t states_max);

#endif
