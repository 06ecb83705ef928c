#include "cmdline.h"
#include "console.h"
#include "string.h"

enum kind { KIND_CHOICE, KIND_U64, KIND_BOOL, KIND_STR, KIND_LIST };

struct param {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct cmdline */
    const char *text_default;
    uint64_t min, max;
    const char *choices;
    const char *text;
};

static const struct param params[] = {
#define PARAM_CHOICE(name, def, choices, text)                                                     \
    { #name, KIND_CHOICE, offsetof(struct cmdline, name), def, 0, 0, choices, text },
#define PARAM_U64(name, def, min, max, text)                                                       \
    { #name, KIND_U64, offsetof(struct cmdline, name), #def, min, max, NULL, text },
#define PARAM_BOOL(name, def, text)                                                                \
    { #name, KIND_BOOL, offsetof(struct cmdline, name), def ? "on" : "off", 0, 0, NULL, text },
#define PARAM_STR(name, def, text)                                                                 \
    { #name, KIND_STR, offsetof(struct cmdline, name), def, 0, 0, NULL, text },
#define PARAM_LIST(name, spelling, text)                                                           \
    { spelling, KIND_LIST, offsetof(struct cmdline, name), NULL, 0, 0, NULL, text },
#include "params.def"
};
#define PARAM_COUNT (sizeof(params) / sizeof(params[0]))

struct cmdline cmdline;

bool parse_u64(const char *s, uint64_t *value)
{
    uint64_t v = 0;
    unsigned base = 10;

    if (s[0] == '0' && s[1] == 'x') {
        base = 16;
        s += 2;
    }
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned digit = *s >= '0' && *s <= '9'   ? (unsigned)(*s - '0')
                         : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a' + 10)
                                                  : 16;
        if (digit >= base || v > (UINT64_MAX - digit) / base)
            return false;
        v = v * base + digit;
    }
    *value = v;
    return true;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t n = strlen(value);

    for (const char *c = choices; c; c = strchr(c, '|')) {
        c += *c == '|';
        if (n && !strncmp(c, value, n) && (c[n] == '|' || !c[n]))
            return true;
    }
    return false;
}

/* Without a value the list becomes empty. */
static const char *append(const char **list, const char *value)
{
    size_t n = 0;

    while (value && list[n])
        n++;
    if (n == CMDLINE_LIST_MAX)
        return "no more of these";
    list[n] = value;
    list[n + (value != NULL)] = NULL;
    return NULL;
}

/* Stores value into its field; NULL when it fits, else what was expected. */
static const char *assign(struct cmdline *out, const struct param *p, const char *value)
{
    void *field = (char *)out + p->offset;
    uint64_t v;

    switch (p->kind) {
    case KIND_CHOICE:
        if (!is_choice(p->choices, value))
            return p->choices;
        *(const char **)field = value;
        return NULL;
    case KIND_U64:
        if (!parse_u64(value, &v) || v < p->min || v > p->max)
            return "a number";
        *(uint64_t *)field = v;
        return NULL;
    case KIND_BOOL:
        if (!is_choice("on|off", value))
            return "on|off";
        *(bool *)field = !strcmp(value, "on");
        return NULL;
    case KIND_STR:
        *(const char **)field = value;
        return NULL;
    case KIND_LIST:
        return append(field, value);
    }
    return "a known kind";
}

static const struct param *find(const char *name)
{
    for (size_t i = 0; i < PARAM_COUNT; i++)
        if (!strcmp(params[i].name, name))
            return &params[i];
    return NULL;
}

static int set_word(struct cmdline *out, char *word, char *err, size_t err_size)
{
    char *value = strchr(word, '=');

    if (value)
        *value++ = 0;
    const struct param *p = find(word);
    if (!p) {
        snprintf(err, err_size, "unknown parameter \"%s\" (\"help\" lists them)", word);
        return -1;
    }
    const char *expected = value ? assign(out, p, value) : "a value";
    if (!expected)
        return 0;
    if (p->kind == KIND_U64)
        snprintf(err, err_size, "%s=%s: expected %s from %llu to %llu", word, value ? value : "",
                 expected, (unsigned long long)p->min, (unsigned long long)p->max);
    else
        snprintf(err, err_size, "%s=%s: expected %s", word, value ? value : "", expected);
    return -1;
}

static char *next_word(char **cursor)
{
    char *s = *cursor;

    while (*s == ' ' || *s == '\t' || *s == '\n')
        s++;
    char *word = s;
    while (*s && *s != ' ' && *s != '\t' && *s != '\n')
        s++;
    if (*s)
        *s++ = 0;
    *cursor = s;
    return *word ? word : NULL;
}

int cmdline_parse(struct cmdline *out, char *text, bool *help, char *err, size_t err_size)
{
    char *cursor = text, *word;

    *help = false;
    for (size_t i = 0; i < PARAM_COUNT; i++)
        assign(out, &params[i], params[i].text_default);
    while ((word = next_word(&cursor))) {
        if (!strcmp(word, "help"))
            *help = true;
        else if (set_word(out, word, err, err_size) < 0)
            return -1;
    }
    return 0;
}

void cmdline_help(void)
{
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        const struct param *p = &params[i];
        char range[96] = "";

        if (p->kind == KIND_U64)
            snprintf(range, sizeof(range), "%llu..%llu", (unsigned long long)p->min,
                     (unsigned long long)p->max);
        else if (p->choices || p->kind == KIND_BOOL)
            strlcpy(range, p->kind == KIND_BOOL ? "on|off" : p->choices, sizeof(range));
        kprintf("%s=%s  [%s] %s\n", p->name, p->text_default ? p->text_default : "", range,
                p->text);
    }
}
