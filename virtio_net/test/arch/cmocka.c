#include "cmocka.h"

jmp_buf cmocka_failed;

void cmocka_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("[  ERROR   ] --- ");
    vprintf(format, args);
    printf("\n[   LINE   ] --- %s:%d: error: Failure!\n", file, line);
    va_end(args);
    longjmp(cmocka_failed, 1);
}

static _Bool passes(const struct CMUnitTest *test)
{
    void *state = NULL;
    if (setjmp(cmocka_failed))
        return 0;
    if (test->setup && test->setup(&state))
        return 0;
    test->run(&state);
    return !test->teardown || !test->teardown(&state);
}

int cmocka_run(const char *group, const struct CMUnitTest *tests, size_t n)
{
    size_t failed = 0;
    printf("[==========] %s: Running %zu test(s).\n", group, n);
    for (size_t i = 0; i < n; i++) {
        printf("[ RUN      ] %s\n", tests[i].name);
        fflush(stdout);
        _Bool ok = passes(&tests[i]);
        printf("[%s] %s\n", ok ? "       OK " : "  FAILED  ", tests[i].name);
        failed += !ok;
    }
    printf("[==========] %s: %zu test(s) run.\n[  PASSED  ] %zu test(s).\n", group, n, n - failed);
    if (failed)
        printf("[  FAILED  ] %zu test(s)\n", failed);
    return (int)failed;
}
