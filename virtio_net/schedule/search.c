#include "search.h"
#include "graph.h"
#include "snapshot.h"
#include "steps.h"
#include <stdlib.h>
#include <string.h>

static struct graph graph;
static struct snapshot *waiting; /* of the states that were not gone through yet, by number */
static uint32_t *depth;

/* The steps that lead to a state, and one more after it unless it is `none`. */
static void remember(struct search *s, uint32_t state, int last)
{
    uint32_t n = depth[state] + (last >= 0);
    s->fault = (struct schedule){ malloc(n + 1), n };
    if (!s->fault.step)
        abort();
    if (last >= 0)
        s->fault.step[--n] = (uint8_t)last;
    for (; state; state = graph.parent[state])
        s->fault.step[--n] = graph.step[state];
}

static uint32_t arrive(uint32_t from, uint8_t step)
{
    bool is_new;
    uint32_t to = graph_state(&graph, snapshot_hash(), from, step, &is_new);
    if (to != UINT32_MAX && is_new) {
        snapshot_keep(&waiting[to]);
        depth[to] = to ? depth[from] + 1 : 0;
    }
    return to;
}

/* Makes each step that may follow a state. False: that was enough. */
static bool go_through(struct search *s, uint32_t state)
{
    uint8_t steps[STEPS_MAX];
    snapshot_restore(&waiting[state]);
    unsigned n = steps_possible(steps);
    graph_go_through(&graph);
    if (!n) {
        s->ends++;
        check_end();
    }
    if (world.verdict != VERDICT_holds) {
        s->verdict = world.verdict;
        remember(s, state, -1);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (i)
            snapshot_restore(&waiting[state]);
        step_make(steps[i]);
        uint32_t to = arrive(state, steps[i]);
        if (world.verdict != VERDICT_holds || to == UINT32_MAX) {
            s->verdict = to == UINT32_MAX ? VERDICT_cut_short : world.verdict;
            remember(s, state, steps[i]);
            return false;
        }
        graph_edge(&graph, to);
    }
    snapshot_free(&waiting[state]);
    s->longest = depth[state];
    return true;
}

static void judge(struct search *s)
{
    uint32_t restless = graph_restless(&graph);
    if (restless != UINT32_MAX) {
        s->verdict = VERDICT_no_rest;
        remember(s, restless, -1);
        return;
    }
    s->schedules = graph_ways(&graph);
}

void search_run(struct search *s, const struct schedule *after, uint32_t states_max)
{
    *s = (struct search){ .verdict = VERDICT_holds };
    graph_init(&graph, states_max);
    waiting = calloc(states_max, sizeof(*waiting));
    depth = malloc((size_t)states_max * sizeof(*depth));
    if (!waiting || !depth)
        abort();
    if (after)
        schedule_play(after, NULL);
    else
        world_init();
    snapshot_first();
    arrive(0, 0);
    uint32_t state = 0;
    while (state < graph.states && go_through(s, state))
        state++;
    if (state == graph.states)
        judge(s);
    s->states = graph.states;
    s->transitions = graph.edges;
    for (; state < graph.states; state++)
        snapshot_free(&waiting[state]);
    free(waiting);
    free(depth);
    graph_free(&graph);
}
