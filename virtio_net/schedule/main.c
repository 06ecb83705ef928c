/* schedule-MODE: see usage. Exit status 0: everything held; 1: a fault was found; 2: usage. */
#include "random.h"
#include "search.h"
#include "steps.h"
#include <stdlib.h>
#include <string.h>

#define STATES_MAX 20000000u

static _Noreturn void usage(const char *program)
{
    fprintf(
        stderr,
        "usage: %s search [--fault FILE] WORD...   every schedule of a scene\n"
        "       %s random [--fault FILE] FROM TO   the schedules of these seeds\n"
        "       %s seed SEED                       one of them, step by step\n"
        "       %s replay FILE                     a schedule that was written, step by step\n"
        "words: tx|rx split|packed flags|event size=1..8 frames=N budget=N late any-order tso\n",
        program, program, program, program);
    exit(2);
}

static void keep_fault(const char *file, const struct schedule *s, enum verdict verdict)
{
    FILE *to = file ? fopen(file, "w") : NULL;
    if (!to)
        return;
    schedule_write(to, s, verdict);
    fclose(to);
}

static int search(const char *fault, char **words)
{
    struct search s;
    scene = scene_default;
    for (; *words; words++) {
        if (!scene_word(&scene, *words)) {
            fprintf(stderr, "schedule: not a word of a scene: '%s'\n", *words);
            return 2;
        }
    }
    if (scene_complain(&scene)) {
        fprintf(stderr, "schedule: %s\n", scene_complain(&scene));
        return 2;
    }
    search_run(&s, NULL, STATES_MAX);
    printf("%s\t", vnet_mode.name);
    scene_write(stdout, &scene);
    printf("\t%u\t%u\t%.3g\t%u\t%s\n", s.states, s.transitions, s.schedules, s.longest,
           verdict_name(s.verdict));
    if (s.verdict != VERDICT_holds)
        keep_fault(fault, &s.fault, s.verdict);
    free(s.fault.step);
    return s.verdict != VERDICT_holds;
}

static int seeds(const char *fault, uint64_t from, uint64_t to)
{
    uint64_t steps = 0, longest = 0;
    for (uint64_t seed = from; seed < to; seed++) {
        enum verdict verdict = random_play(seed);
        const struct schedule *taken = random_taken();
        steps += taken->steps;
        if (taken->steps > longest)
            longest = taken->steps;
        if (verdict == VERDICT_holds)
            continue;
        struct schedule s = { malloc(taken->steps + 1), taken->steps };
        if (!s.step)
            abort();
        memcpy(s.step, taken->step, taken->steps);
        random_shorten(&s, verdict);
        printf("%s\tseed=%llu\t%llu\t%llu\t%u\t%u\t%s\n", vnet_mode.name, (unsigned long long)seed,
               (unsigned long long)steps, (unsigned long long)steps, 1, s.steps,
               verdict_name(verdict));
        keep_fault(fault, &s, verdict);
        free(s.step);
        return 1;
    }
    printf("%s\tseeds=%llu..%llu\t-\t%llu\t%llu\t%llu\tholds\n", vnet_mode.name,
           (unsigned long long)from, (unsigned long long)to, (unsigned long long)steps,
           (unsigned long long)(to - from), (unsigned long long)longest);
    return 0;
}

static int seed(uint64_t number)
{
    enum verdict verdict = random_play(number);
    struct schedule s = { malloc(random_taken()->steps + 1), random_taken()->steps };
    if (!s.step)
        abort();
    memcpy(s.step, random_taken()->step, s.steps);
    schedule_play(&s, stdout);
    printf("%s\n", verdict_name(verdict));
    free(s.step);
    return verdict != VERDICT_holds;
}

/* A schedule that shows that nothing ever rests from there on is one from which the search says so.
 */
static int replay(const char *file)
{
    struct schedule s;
    struct search rest;
    enum verdict told, found;
    FILE *from = fopen(file, "r");
    if (!from) {
        perror(file);
        return 2;
    }
    schedule_read(from, &s, &told);
    fclose(from);
    found = schedule_play(&s, stdout);
    if (told == VERDICT_no_rest && found == VERDICT_holds) {
        search_run(&rest, &s, STATES_MAX);
        found = rest.verdict == VERDICT_no_rest && !rest.fault.steps ? told : rest.verdict;
        free(rest.fault.step);
    }
    printf("%s\n", verdict_name(found));
    free(s.step);
    return found != VERDICT_holds;
}

int main(int argc, char **argv)
{
    const char *fault = NULL;
    int at = 2;
    if (argc > 3 && !strcmp(argv[2], "--fault")) {
        fault = argv[3];
        at = 4;
    }
    if (argc < 3)
        usage(argv[0]);
    if (!strcmp(argv[1], "search"))
        return search(fault, argv + at);
    if (!strcmp(argv[1], "random") && argc == at + 2)
        return seeds(fault, strtoull(argv[at], NULL, 10), strtoull(argv[at + 1], NULL, 10));
    if (!strcmp(argv[1], "seed") && argc == 3)
        return seed(strtoull(argv[2], NULL, 10));
    if (!strcmp(argv[1], "replay") && argc == 3)
        return replay(argv[2]);
    usage(argv[0]);
}
