/* Scenes in words. */
#include "schedule.h"
#include <stdlib.h>
#include <string.h>

const struct scene scene_default = { .size = 2, .frames = 2, .budget = 64 };

static bool number(const char *word, const char *name, uint32_t *value)
{
    size_t n = strlen(name);
    char *end;
    if (strncmp(word, name, n) || word[n] < '0' || word[n] > '9')
        return false;
    *value = (uint32_t)strtoul(word + n, &end, 10);
    return !*end;
}

static bool one_of(const char *word, const char *no, const char *yes, bool *value)
{
    bool is_yes = !strcmp(word, yes);
    if (!is_yes && strcmp(word, no))
        return false;
    *value = is_yes;
    return true;
}

bool scene_word(struct scene *s, const char *word)
{
    uint32_t size;
    if (number(word, "size=", &size)) {
        s->size = size > SIZE_MAX_OF_RING ? 0 : (uint16_t)size;
        return true;
    }
    return one_of(word, "tx", "rx", &s->receives) || one_of(word, "split", "packed", &s->packed) ||
           one_of(word, "flags", "event", &s->event_idx) ||
           one_of(word, "early", "late", &s->late) || one_of(word, "sc", "tso", &s->tso) ||
           one_of(word, "in-order", "any-order", &s->any_order) ||
           number(word, "frames=", &s->frames) || number(word, "budget=", &s->budget);
}

const char *scene_complain(const struct scene *s)
{
    if (!s->size)
        return "the ring has 1 to 8 entries";
    if (!s->packed && s->size & (s->size - 1))
        return "the size of a split ring is a power of 2";
    return s->budget ? NULL : "a poll takes at least one";
}

void scene_write(FILE *to, const struct scene *s)
{
    fprintf(to, " %s %s %s size=%u frames=%u budget=%u%s%s%s", s->receives ? "rx" : "tx",
            s->packed ? "packed" : "split", s->event_idx ? "event" : "flags", s->size, s->frames,
            s->budget, s->late ? " late" : "", s->any_order ? " any-order" : "",
            s->tso ? " tso" : "");
}
