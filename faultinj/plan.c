/* Parses a plan and decides at each passage. Freestanding: runs in the guest and in tests. */
#include "plan.h"
#include "../trace/trace.h"

struct rule {
    bool on;
    uint64_t interval, times, after;
};

struct fault_counters fault_counters;
static struct rule plan[FAULT_POINTS];

static const char *const names[] = {
#define POINT(name, where, text) #name,
#include "points.def"
};

const char *fault_point_name(enum fault_point point)
{
    return point < FAULT_POINTS ? names[point] : "?";
}

bool fault_passes(enum fault_point point, uint8_t vq)
{
    (void)vq; /* only the trace wants it */
    const struct rule *r = &plan[point];
    /* Several CPUs may pass: each passage has a number of its own, and the number alone decides. */
    uint64_t n = __atomic_add_fetch(&fault_counters.passed[point], 1, __ATOMIC_RELAXED);
    if (!r->on || n <= r->after || (n - r->after) % r->interval != 0)
        return false;
    uint64_t nth = (n - r->after) / r->interval;
    if (r->times && nth > r->times)
        return false;
    __atomic_add_fetch(&fault_counters.fired[point], 1, __ATOMIC_RELAXED);
    TRACE_AT(fault, 0, 0, vq, point, nth);
    return true;
}

struct text {
    const char *at;
    char *err;
    size_t err_bytes;
};

static void append(struct text *t, size_t *n, const char *s, size_t bytes)
{
    for (size_t i = 0; i < bytes && s[i] && *n + 1 < t->err_bytes; i++)
        t->err[(*n)++] = s[i];
    t->err[*n] = 0;
}

/* "fault plan at 'what is there': why" */
static int mistake(struct text *t, const char *why)
{
    size_t n = 0;
    if (t->err_bytes) {
        append(t, &n, "fault plan at '", 99);
        append(t, &n, t->at, 24);
        append(t, &n, "': ", 99);
        append(t, &n, why, 200);
    }
    return -1;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* Takes the word at t if it is `word`. */
static bool take_word(struct text *t, const char *word)
{
    size_t n = 0;
    while (word[n] && t->at[n] == word[n])
        n++;
    if (word[n] || is_word(t->at[n]))
        return false;
    t->at += n;
    return true;
}

static bool take_number(struct text *t, uint64_t *value)
{
    const char *s = t->at;
    *value = 0;
    while (*s >= '0' && *s <= '9') {
        if (*value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(*s++ - '0');
    }
    bool any = s != t->at;
    t->at = s;
    return any;
}

static int parse_key(struct text *t, struct rule *r)
{
    uint64_t *field = NULL;
    if (take_word(t, "interval"))
        field = &r->interval;
    else if (take_word(t, "times"))
        field = &r->times;
    else if (take_word(t, "after"))
        field = &r->after;
    if (!field)
        return mistake(t, "expected interval=, times= or after=");
    if (*t->at != '=')
        return mistake(t, "expected '=' and a number");
    t->at++;
    if (!take_number(t, field))
        return mistake(t, "expected a number");
    if (!r->interval)
        return mistake(t, "interval must be at least 1");
    return 0;
}

#define POINT(name, where, text) " " #name
static const char unknown_point[] = "unknown fault point; there are:"
#include "points.def"
    ;

static int parse_entry(struct text *t, struct rule *rules)
{
    int point = 0;
    while (point < FAULT_POINTS && !take_word(t, names[point]))
        point++;
    if (point == FAULT_POINTS)
        return mistake(t, unknown_point);
    struct rule *r = &rules[point];
    *r = (struct rule){ .on = true, .interval = 1 };
    char separator = ':';
    while (*t->at == separator) {
        t->at++;
        if (parse_key(t, r))
            return -1;
        separator = ',';
    }
    return 0;
}

int fault_plan_set(const char *text, char *err, size_t err_bytes)
{
    struct text t = { text, err, err_bytes };
    struct rule rules[FAULT_POINTS] = { 0 };
    while (*t.at) {
        if (parse_entry(&t, rules))
            return -1;
        if (*t.at == ';')
            t.at++;
        else if (*t.at)
            return mistake(&t, "expected ';' before the next fault point, or the end");
    }
    for (int i = 0; i < FAULT_POINTS; i++)
        plan[i] = rules[i];
    fault_counters = (struct fault_counters){ 0 };
    return 0;
}
