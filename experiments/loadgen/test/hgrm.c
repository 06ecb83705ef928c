#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../hgrm.h"
#include "tests.h"

#define GOLDEN_VALUES 200000u
#define SORTED_VALUES 50000u

/* The values that golden.hgrm was made from, all bit lengths from 0 to 35. */
static uint64_t golden_value(uint64_t *state)
{
    uint64_t value = tests_random(state);
    unsigned bits = (unsigned)(*state >> 59) + 5;

    return value % (1ull << (bits > 35 ? 35 : bits));
}

static struct hgrm *golden_histogram(void)
{
    struct hgrm *h = calloc(1, sizeof(*h));
    uint64_t random = 1;

    assert_non_null(h);
    for (uint32_t i = 0; i < GOLDEN_VALUES; i++)
        hgrm_record(h, golden_value(&random));
    return h;
}

static char *written(const struct hgrm *h)
{
    char *text = NULL;
    size_t bytes;
    FILE *f = open_memstream(&text, &bytes);

    assert_non_null(f);
    hgrm_write(h, f);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void table_equals_reference(void **state)
{
    struct hgrm *h = golden_histogram();
    char *text = written(h);
    char path[PATH_MAX];
    char *golden;

    (void)state;
    snprintf(path, sizeof(path), "%s/golden.hgrm", tests_dir);
    golden = tests_read_file(path);
    assert_string_equal(text, golden);
    free(golden);
    free(text);
    free(h);
}

/* Of the same reference run as golden.hgrm. */
static void percentiles_equal_reference(void **state)
{
    struct hgrm *h = golden_histogram();

    (void)state;
    assert_int_equal(hgrm_percentile(h, 50), 533503);
    assert_int_equal(hgrm_percentile(h, 90), 3850371071);
    assert_int_equal(hgrm_percentile(h, 99), 29007806463);
    assert_int_equal(hgrm_percentile(h, 99.9), 33822867455);
    assert_int_equal(hgrm_percentile(h, 100), 34359738367);
    free(h);
}

static void empty_table(void **state)
{
    struct hgrm *h = calloc(1, sizeof(*h));
    char *text;

    (void)state;
    assert_non_null(h);
    text = written(h);
    assert_string_equal(text, "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
                              "#[Mean    =        0.000, StdDeviation   =        0.000]\n"
                              "#[Max     =        0.000, Total count    =            0]\n"
                              "#[Buckets =           26, SubBuckets     =         2048]\n");
    assert_int_equal(hgrm_percentile(h, 99), 0);
    free(text);
    free(h);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* One unit of the third significant digit of v. */
static uint64_t third_digit(uint64_t v)
{
    uint64_t unit = 1;

    while (v / unit >= 1000)
        unit *= 10;
    return unit;
}

static void check_against_sort(unsigned max_bits, uint64_t seed)
{
    static const double percents[] = { 0.001, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100 };
    struct hgrm *h = calloc(1, sizeof(*h));
    uint64_t *values = malloc(SORTED_VALUES * sizeof(*values));
    double sum = 0;

    assert_non_null(h);
    assert_non_null(values);
    for (uint32_t i = 0; i < SORTED_VALUES; i++) {
        values[i] = tests_random(&seed) % (1ull << max_bits);
        hgrm_record(h, values[i]);
        sum += (double)values[i];
    }
    qsort(values, SORTED_VALUES, sizeof(*values), by_size);
    for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
        uint64_t rank = (uint64_t)ceil(percents[i] * SORTED_VALUES / 100 - 1e-6);
        uint64_t exact = values[rank - 1];
        uint64_t got = hgrm_percentile(h, percents[i]);

        assert_in_range(got, exact, exact + third_digit(exact));
    }
    assert_int_equal(h->total, SORTED_VALUES);
    assert_int_equal(h->max_ns, values[SORTED_VALUES - 1]);
    assert_true(fabs(hgrm_mean(h) - sum / SORTED_VALUES) <= sum / SORTED_VALUES * 1e-3);
    free(values);
    free(h);
}

static void percentiles_match_sorting(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits <= 35; bits++)
        check_against_sort(bits, bits);
}

static void small_values_are_exact(void **state)
{
    struct hgrm *h = calloc(1, sizeof(*h));

    (void)state;
    assert_non_null(h);
    for (uint64_t v = 0; v < HGRM_SUB_BUCKETS; v++)
        hgrm_record(h, v);
    for (uint64_t v = 0; v < HGRM_SUB_BUCKETS; v++)
        assert_int_equal(hgrm_percentile(h, 100.0 * (double)(v + 1) / HGRM_SUB_BUCKETS), v);
    free(h);
}

static void too_large_is_clamped_and_counted(void **state)
{
    struct hgrm *h = calloc(1, sizeof(*h));

    (void)state;
    assert_non_null(h);
    hgrm_record(h, HGRM_HIGHEST_NS);
    assert_int_equal(h->clamped, 0);
    hgrm_record(h, HGRM_HIGHEST_NS + 1);
    hgrm_record(h, UINT64_MAX);
    assert_int_equal(h->clamped, 2);
    assert_int_equal(h->total, 3);
    assert_int_equal(h->max_ns, HGRM_HIGHEST_NS);
    free(h);
}

int test_hgrm(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_equals_reference),
        cmocka_unit_test(percentiles_equal_reference),
        cmocka_unit_test(empty_table),
        cmocka_unit_test(percentiles_match_sorting),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(too_large_is_clamped_and_counted),
    };

    return cmocka_run_group_tests_name("hgrm", tests, NULL, NULL);
}
