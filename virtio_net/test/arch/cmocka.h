/* The part of cmocka that the driver's tests use, for machines for which Debian has a compiler and
 * no library: same names, same output, nothing else. Only virtio_net/test/arch includes it. */
#ifndef VNET_TEST_ARCH_CMOCKA_H
#define VNET_TEST_ARCH_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
    int (*setup)(void **state), (*teardown)(void **state);
};
#define cmocka_unit_test_setup_teardown(f, before, after)                                          \
    {                                                                                              \
#f, f, before, after                                                                       \
    }
#define cmocka_unit_test_teardown(f, after) cmocka_unit_test_setup_teardown(f, NULL, after)
#define cmocka_unit_test(f)                 cmocka_unit_test_setup_teardown(f, NULL, NULL)

extern jmp_buf cmocka_failed;
__attribute__((noreturn, format(printf, 3, 4))) void cmocka_fail(const char *file, int line,
                                                                 const char *format, ...);
int cmocka_run(const char *group, const struct CMUnitTest *tests, size_t n);

#define cmocka_run_group_tests_name(group, tests, before, after)                                   \
    ((void)sizeof(before), (void)sizeof(after),                                                    \
     cmocka_run(group, tests, sizeof(tests) / sizeof((tests)[0])))
#define cmocka_run_group_tests(tests, before, after)                                               \
    cmocka_run_group_tests_name(#tests, tests, before, after)

#define print_message printf
#define fail_msg(...) cmocka_fail(__FILE__, __LINE__, __VA_ARGS__)

static inline void cmocka_check(const char *file, int line, _Bool holds, const char *what)
{
    if (!holds)
        cmocka_fail(file, line, "%s", what);
}
#define cmocka_is(holds, what) cmocka_check(__FILE__, __LINE__, holds, what)

static inline void cmocka_compare(const char *file, int line, uint64_t a, uint64_t b, _Bool same)
{
    if ((a == b) != same)
        cmocka_fail(file, line, "%#llx %s %#llx", (unsigned long long)a,
                    same ? "!=" : "==", (unsigned long long)b);
}
#define assert_int_equal(a, b) cmocka_compare(__FILE__, __LINE__, (uint64_t)(a), (uint64_t)(b), 1)
#define assert_int_not_equal(a, b)                                                                 \
    cmocka_compare(__FILE__, __LINE__, (uint64_t)(a), (uint64_t)(b), 0)

#define assert_true(e)                cmocka_is(!!(e), #e)
#define assert_false(e)               cmocka_is(!(e), "not " #e)
#define assert_null(p)                cmocka_is(!(p), #p " is NULL")
#define assert_non_null(p)            cmocka_is(!!(p), #p " is not NULL")
#define assert_ptr_equal(a, b)        cmocka_is((const void *)(a) == (const void *)(b), #a " == " #b)
#define assert_ptr_not_equal(a, b)    cmocka_is((const void *)(a) != (const void *)(b), #a " != " #b)
#define assert_string_equal(a, b)     cmocka_is(!strcmp(a, b), #a " reads as " #b)
#define assert_string_not_equal(a, b) cmocka_is(!!strcmp(a, b), #a " reads not as " #b)
#define assert_memory_equal(a, b, n)  cmocka_is(!memcmp(a, b, n), #a " holds the bytes of " #b)

static inline void cmocka_range(const char *file, int line, uint64_t v, uint64_t least,
                                uint64_t most)
{
    if (v < least || v > most)
        cmocka_fail(file, line, "%llu is not in %llu .. %llu", (unsigned long long)v,
                    (unsigned long long)least, (unsigned long long)most);
}
#define assert_in_range(v, least, most)                                                            \
    cmocka_range(__FILE__, __LINE__, (uint64_t)(v), (uint64_t)(least), (uint64_t)(most))

#endif
