#include <math.h>
#include <stdlib.h>

#include "../schedule.h"
#include "tests.h"

#define ARRIVALS 100000u
#define RATE_PPS 20000u
#define MEAN_NS  (1e9 / RATE_PPS)

static void constant_is_exact(void **state)
{
    static const uint64_t rates[] = { 1, 3, 7, 1000, 999983, 100000000 };

    (void)state;
    for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
        struct schedule s;
        uint64_t offset;

        schedule_init(&s, ARRIVAL_CONSTANT, rates[r], 5000, 1);
        for (uint64_t i = 0; i < 5000; i++) {
            assert_true(schedule_next(&s, &offset));
            assert_true(offset == (uint64_t)((unsigned __int128)i * 1000000000u / rates[r]));
        }
        assert_false(schedule_next(&s, &offset));
    }
}

static void constant_does_not_drift(void **state)
{
    struct schedule s;
    uint64_t offset;

    (void)state;
    schedule_init(&s, ARRIVAL_CONSTANT, 3, UINT64_MAX, 1);
    s.next = 3ull * 86400 * 365;
    assert_true(schedule_next(&s, &offset));
    assert_int_equal(offset, 86400ull * 365 * 1000000000u);
}

static uint64_t *poisson_offsets(uint64_t seed)
{
    uint64_t *offsets = malloc(ARRIVALS * sizeof(*offsets));
    struct schedule s;

    assert_non_null(offsets);
    schedule_init(&s, ARRIVAL_POISSON, RATE_PPS, ARRIVALS, seed);
    for (uint32_t i = 0; i < ARRIVALS; i++) {
        assert_true(schedule_next(&s, &offsets[i]));
        assert_true(i == 0 || offsets[i] >= offsets[i - 1]);
    }
    assert_false(schedule_next(&s, &offsets[0]));
    return offsets;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void offsets_to_gaps(const uint64_t *offsets, double *gaps)
{
    for (uint32_t i = 0; i < ARRIVALS; i++)
        gaps[i] = (double)(offsets[i] - (i == 0 ? 0 : offsets[i - 1]));
}

/* Kolmogorov and Smirnov's distance to the exponential distribution; 1.63 / sqrt(n) is exceeded by
 * one true sample in a hundred, and the seeds are fixed. */
static void poisson_gaps_are_exponential(void **state)
{
    double *gaps = malloc(ARRIVALS * sizeof(*gaps));

    (void)state;
    assert_non_null(gaps);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t *offsets = poisson_offsets(seed);
        double worst = 0;

        offsets_to_gaps(offsets, gaps);
        qsort(gaps, ARRIVALS, sizeof(*gaps), by_size);
        for (uint32_t i = 0; i < ARRIVALS; i++) {
            double expected = 1 - exp(-gaps[i] / MEAN_NS);

            worst = fmax(worst, fabs((i + 1.0) / ARRIVALS - expected));
            worst = fmax(worst, fabs(expected - (double)i / ARRIVALS));
        }
        assert_true(worst < 1.63 / sqrt(ARRIVALS));
        free(offsets);
    }
    free(gaps);
}

static void poisson_mean_and_independence(void **state)
{
    double *gaps = malloc(ARRIVALS * sizeof(*gaps));
    uint64_t *offsets = poisson_offsets(1);
    double product = 0;

    (void)state;
    assert_non_null(gaps);
    offsets_to_gaps(offsets, gaps);
    for (uint32_t i = 1; i < ARRIVALS; i++)
        product += (gaps[i] - MEAN_NS) * (gaps[i - 1] - MEAN_NS) / (MEAN_NS * MEAN_NS);
    /* Three standard errors: of the mean gap, and of the correlation of neighbours. */
    assert_true(fabs((double)offsets[ARRIVALS - 1] / ARRIVALS / MEAN_NS - 1) < 3 / sqrt(ARRIVALS));
    assert_true(fabs(product / ARRIVALS) < 3 / sqrt(ARRIVALS));
    free(offsets);
    free(gaps);
}

static void same_seed_same_schedule(void **state)
{
    uint64_t *first = poisson_offsets(42);
    uint64_t *again = poisson_offsets(42);
    uint64_t *other = poisson_offsets(43);
    uint32_t differing = 0;

    (void)state;
    assert_memory_equal(first, again, ARRIVALS * sizeof(*first));
    for (uint32_t i = 0; i < ARRIVALS; i++)
        differing += first[i] != other[i];
    assert_true(differing > ARRIVALS * 9 / 10);
    free(first);
    free(again);
    free(other);
}

int test_schedule(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_is_exact),
        cmocka_unit_test(constant_does_not_drift),
        cmocka_unit_test(poisson_gaps_are_exponential),
        cmocka_unit_test(poisson_mean_and_independence),
        cmocka_unit_test(same_seed_same_schedule),
    };

    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
