/* The states of a search and the steps between them, by number. */
#ifndef VNET_SCHEDULE_GRAPH_H
#define VNET_SCHEDULE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

struct graph {
    uint32_t states, states_max;
    uint64_t *hash;       /* of each state */
    uint32_t *parent;     /* the state from which it was reached first */
    uint8_t *step;        /* and by which step */
    uint32_t *first_edge; /* of each state that was gone through; its edges end at the next one's */
    uint32_t edges, edges_max, gone_through;
    uint32_t *edge; /* where it leads */
    uint32_t *slot; /* the table of states by hash: number + 1 */
    uint32_t slots;
};

void graph_init(struct graph *g, uint32_t states_max);
void graph_free(struct graph *g);

/* The state's number; *is_new: it had none before. UINT32_MAX: there is no more room. */
uint32_t graph_state(struct graph *g, uint64_t hash, uint32_t parent, uint8_t step, bool *is_new);
/* The edges of the next state in order begin. */
void graph_go_through(struct graph *g);
void graph_edge(struct graph *g, uint32_t to);

/* Ways from state 0 to states without edges, none through a state twice. Ways that lead back are
 * not followed. */
double graph_ways(const struct graph *g);

/* The first state from which no state without edges can be reached; UINT32_MAX: there is none. */
uint32_t graph_restless(const struct graph *g);

#endif
