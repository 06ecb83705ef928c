#include "schedule.h"
#include "steps.h"
#include <stdlib.h>
#include <string.h>

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {
#define VERDICT(name, text) #name,
#include "verdicts.def"
    };
    return names[verdict];
}

void schedule_write(FILE *to, const struct schedule *s, enum verdict verdict)
{
    fprintf(to, "mode %s\nscene", vnet_mode.name);
    scene_write(to, &scene);
    fprintf(to, "\nverdict %s\nsteps", verdict_name(verdict));
    for (uint32_t i = 0; i < s->steps; i++) {
        fputs(i % 25 ? " " : "\n    ", to);
        step_write(to, s->step[i]);
    }
    fputc('\n', to);
}

static _Noreturn void refuse(const char *what, const char *word)
{
    fprintf(stderr, "schedule: %s '%s'\n", what, word);
    exit(2);
}

static void append(struct schedule *s, const char *word)
{
    uint8_t step;
    const char *at = word;
    if (!step_read(&at, &step) || *at)
        refuse("not a step:", word);
    s->step = realloc(s->step, s->steps + 1);
    if (!s->step)
        abort();
    s->step[s->steps++] = step;
}

static enum verdict verdict_read(const char *word)
{
    for (int v = 0; v <= VERDICT_cut_short; v++) {
        if (!strcmp(word, verdict_name((enum verdict)v)))
            return (enum verdict)v;
    }
    refuse("not a verdict:", word);
}

void schedule_read(FILE *from, struct schedule *s, enum verdict *verdict)
{
    char word[64], section = 0;
    *s = (struct schedule){ 0 };
    *verdict = VERDICT_holds;
    scene = scene_default;
    while (fscanf(from, "%63s", word) == 1) {
        if (!strcmp(word, "mode") || !strcmp(word, "scene") || !strcmp(word, "verdict") ||
            !strcmp(word, "steps"))
            section = word[0];
        else if (section == 'm' && strcmp(word, vnet_mode.name))
            refuse("a schedule of mode", word);
        else if (section == 's' && word[0] && strchr("tdiTD", word[0]) && strlen(word) < 3 &&
                 strcmp(word, "tx"))
            append(s, word);
        else if (section == 's' && !scene_word(&scene, word))
            refuse("not a word of a scene:", word);
        else if (section == 'v')
            *verdict = verdict_read(word);
    }
    if (scene_complain(&scene))
        refuse("not a scene:", scene_complain(&scene));
}

static bool possible(uint8_t step)
{
    uint8_t steps[STEPS_MAX];
    unsigned n = steps_possible(steps);
    return n && memchr(steps, step, n);
}

enum verdict schedule_play(const struct schedule *s, FILE *to)
{
    uint8_t steps[STEPS_MAX];
    world_init();
    for (uint32_t i = 0; i < s->steps && world.verdict == VERDICT_holds; i++) {
        if (!possible(s->step[i]))
            refuse("a step that is not possible there:", (char[]){ (char)('0' + i % 10), 0 });
        if (to) {
            fprintf(to, "%4u  ", i + 1);
            step_describe(to, s->step[i]);
            fputc('\n', to);
        }
        step_make(s->step[i]);
    }
    if (!steps_possible(steps))
        check_end();
    return world.verdict;
}
