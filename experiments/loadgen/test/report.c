#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../report.h"
#include "tests.h"

static char directory[] = "/tmp/loadgen-report-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL ? -1 : 0;
}

/* Removes what is in the directory and returns how many entries that were. */
static int clear_directory(void)
{
    DIR *d = opendir(directory);
    int removed = 0;

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
            removed++;
        }
    }
    closedir(d);
    return removed;
}

static int remove_directory(void **state)
{
    (void)state;
    clear_directory();
    return rmdir(directory);
}

static struct run_result *measured(void)
{
    struct run_result *result = calloc(1, sizeof(*result));

    assert_non_null(result);
    result->sent = 6;
    result->send_failed = 1;
    result->unsent = 3;
    result->first_ns = 1000000000;
    result->last_ns = 1500000000;
    result->tracker.delivered = 4;
    result->tracker.duplicates = 2;
    for (uint64_t ns = 500; ns <= 2000; ns += 500)
        hgrm_record(&result->latency, ns);
    hgrm_record(&result->pacing, 500);
    return result;
}

static void tsv_says_what_was_measured(void **state)
{
    static const char *const expected[][2] = {
        { "offered", "10" },
        { "sent", "6" },
        { "send_failed", "1" },
        { "unsent", "3" },
        { "delivered", "4" },
        { "lost", "2" },
        { "duplicates", "2" },
        { "achieved_pps", "10.000" },
        { "offered_pps", "20" },
        { "seconds", "0.500000" },
        { "pacing_max_us", "0.500" },
        { "lat_mean_us", "1.250" },
        { "p50_us", "1.000" },
        { "max_us", "2.000" },
        { "frame_bytes", "60" },
        { "arrival", "constant" },
        { "seed", "" },
        { "gap_max_us", "" },
    };
    struct run_result *result = measured();
    char path[PATH_MAX], value[64];
    struct options o;
    char *text;

    (void)state;
    tests_parse(&o, "--port udp:1:2 --rate 20 --count 10", stderr);
    assert_true(report_write(directory, &o, result, stderr));
    snprintf(path, sizeof(path), "%s/loadgen.tsv", directory);
    text = tests_read_file(path);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_string_equal(tests_tsv(text, expected[i][0], value), expected[i][1]);
    free(text);
    free(result);
    assert_int_equal(clear_directory(), 3);
}

static void unmeasured_is_empty(void **state)
{
    struct run_result *result = calloc(1, sizeof(*result));
    char path[PATH_MAX], value[64];
    struct options o;
    char *text;

    (void)state;
    assert_non_null(result);
    tests_parse(&o, "--port udp:1:2 --role source --rate 20 --count 10", stderr);
    assert_true(report_write(directory, &o, result, stderr));
    snprintf(path, sizeof(path), "%s/loadgen.tsv", directory);
    text = tests_read_file(path);
    assert_string_equal(tests_tsv(text, "delivered", value), "");
    assert_string_equal(tests_tsv(text, "lost", value), "");
    assert_string_equal(tests_tsv(text, "p99_us", value), "");
    assert_string_equal(tests_tsv(text, "achieved_pps", value), "");
    free(text);
    free(result);
    assert_int_equal(clear_directory(), 2);
}

/* A limit on file size stands in for a full disk: write() fails part way in the same manner. */
static void full_disk_is_one_line_and_leaves_nothing(void **state)
{
    struct run_result *result = measured();
    struct rlimit old, small;
    struct options o;
    char *text = NULL;
    size_t bytes;
    FILE *err = open_memstream(&text, &bytes);
    bool written;

    (void)state;
    assert_non_null(err);
    tests_parse(&o, "--port udp:1:2 --rate 20 --count 10", stderr);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){ .rlim_cur = 100, .rlim_max = old.rlim_max };
    setrlimit(RLIMIT_FSIZE, &small);
    written = report_write(directory, &o, result, err);
    setrlimit(RLIMIT_FSIZE, &old);
    fclose(err);
    assert_false(written);
    assert_non_null(strstr(text, directory));
    assert_non_null(strstr(text, "free space"));
    assert_ptr_equal(strchr(text, '\n'), text + bytes - 1);
    assert_int_equal(clear_directory(), 0);
    free(text);
    free(result);
}

int test_report(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tsv_says_what_was_measured),
        cmocka_unit_test(unmeasured_is_empty),
        cmocka_unit_test(full_disk_is_one_line_and_leaves_nothing),
    };

    return cmocka_run_group_tests_name("report", tests, make_directory, remove_directory);
}
