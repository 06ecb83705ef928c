#include "graph.h"
#include <stdlib.h>
#include <string.h>

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void graph_init(struct graph *g, uint32_t states_max)
{
    memset(g, 0, sizeof(*g));
    g->states_max = states_max;
    for (g->slots = 1024; g->slots / 2 < states_max;)
        g->slots *= 2;
    g->hash = need(malloc((size_t)states_max * sizeof(*g->hash)));
    g->parent = need(malloc((size_t)states_max * sizeof(*g->parent)));
    g->step = need(malloc(states_max));
    g->first_edge = need(malloc(((size_t)states_max + 1) * sizeof(*g->first_edge)));
    g->slot = need(calloc(g->slots, sizeof(*g->slot)));
}

void graph_free(struct graph *g)
{
    free(g->hash);
    free(g->parent);
    free(g->step);
    free(g->first_edge);
    free(g->edge);
    free(g->slot);
}

uint32_t graph_state(struct graph *g, uint64_t hash, uint32_t parent, uint8_t step, bool *is_new)
{
    uint32_t at = (uint32_t)(hash % g->slots);
    for (; g->slot[at]; at = (at + 1) % g->slots) {
        if (g->hash[g->slot[at] - 1] == hash) {
            *is_new = false;
            return g->slot[at] - 1;
        }
    }
    *is_new = true;
    if (g->states == g->states_max)
        return UINT32_MAX;
    uint32_t n = g->states++;
    g->slot[at] = n + 1;
    g->hash[n] = hash;
    g->parent[n] = parent;
    g->step[n] = step;
    return n;
}

void graph_go_through(struct graph *g)
{
    g->first_edge[g->gone_through++] = g->edges;
    g->first_edge[g->gone_through] = g->edges;
}

void graph_edge(struct graph *g, uint32_t to)
{
    if (g->edges == g->edges_max) {
        g->edges_max = g->edges_max ? 2 * g->edges_max : 4096;
        g->edge = need(realloc(g->edge, (size_t)g->edges_max * sizeof(*g->edge)));
    }
    g->edge[g->edges++] = to;
    g->first_edge[g->gone_through] = g->edges;
}

double graph_ways(const struct graph *g)
{
    /* Depth first without recursion: next[s] is the edge of s to follow next, below is who waits.
     */
    double *ways = need(calloc(g->states, sizeof(*ways)));
    uint32_t *next = need(malloc((size_t)g->states * sizeof(*next)));
    uint32_t *stack = need(malloc((size_t)g->states * sizeof(*stack)));
    uint8_t *seen = need(calloc(g->states, 1)); /* 1: on the stack, 2: done */
    uint32_t depth = 1;
    stack[0] = 0;
    seen[0] = 1;
    memcpy(next, g->first_edge, (size_t)g->states * sizeof(*next));
    while (depth) {
        uint32_t s = stack[depth - 1];
        if (next[s] < g->first_edge[s + 1]) {
            uint32_t to = g->edge[next[s]];
            if (!seen[to]) {
                seen[to] = 1;
                stack[depth++] = to;
                continue;
            }
            next[s]++;
            ways[s] += seen[to] == 2 ? ways[to] : 0;
        } else {
            if (g->first_edge[s] == g->first_edge[s + 1])
                ways[s] = 1;
            seen[s] = 2;
            depth--;
        }
    }
    double all = ways[0];
    free(ways);
    free(next);
    free(stack);
    free(seen);
    return all;
}

/* Edges the other way round: `from` lists, for each state, those that lead to it. */
static void turn(const struct graph *g, uint32_t *first, uint32_t *from)
{
    for (uint32_t e = 0; e < g->edges; e++)
        first[g->edge[e] + 1]++;
    for (uint32_t s = 0; s < g->states; s++)
        first[s + 1] += first[s];
    uint32_t *next = need(malloc((size_t)g->states * sizeof(*next)));
    memcpy(next, first, (size_t)g->states * sizeof(*next));
    for (uint32_t s = 0; s < g->states; s++) {
        for (uint32_t e = g->first_edge[s]; e < g->first_edge[s + 1]; e++)
            from[next[g->edge[e]]++] = s;
    }
    free(next);
}

uint32_t graph_restless(const struct graph *g)
{
    uint32_t *first = need(calloc((size_t)g->states + 1, sizeof(*first)));
    uint32_t *from = need(malloc(((size_t)g->edges + 1) * sizeof(*from)));
    uint32_t *queue = need(malloc((size_t)g->states * sizeof(*queue)));
    bool *rests = need(calloc(g->states, sizeof(*rests)));
    uint32_t used = 0, restless = UINT32_MAX;
    turn(g, first, from);
    for (uint32_t s = 0; s < g->states; s++) {
        if (g->first_edge[s] == g->first_edge[s + 1]) {
            rests[s] = true;
            queue[used++] = s;
        }
    }
    for (uint32_t i = 0; i < used; i++) {
        for (uint32_t e = first[queue[i]]; e < first[queue[i] + 1]; e++) {
            if (!rests[from[e]]) {
                rests[from[e]] = true;
                queue[used++] = from[e];
            }
        }
    }
    for (uint32_t s = 0; s < g->states && restless == UINT32_MAX; s++) {
        if (!rests[s])
            restless = s;
    }
    free(first);
    free(from);
    free(queue);
    free(rests);
    return restless;
}
