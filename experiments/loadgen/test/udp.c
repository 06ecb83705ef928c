/* The whole generator against an echo over the UDP port. The counts must be exact. */
#include <stdlib.h>

#include "../run.h"
#include "echo.h"
#include "tests.h"

/* Runs `arguments` against an echo with this plan; the result is to be freed. */
static struct run_result *run_against(const struct echo_plan *plan, const char *arguments,
                                      uint64_t *echoed)
{
    struct run_result *result = calloc(1, sizeof(*result));
    unsigned local = tests_free_port();
    unsigned remote;
    struct options o;
    struct port port;
    struct echo echo;
    char line[512];

    assert_non_null(result);
    echo_start(&echo, tests_udp_socket(&remote), plan);
    snprintf(line, sizeof(line), "--port udp:%u:%u %s", local, remote, arguments);
    assert_int_equal(tests_parse(&o, line, stderr), OPTIONS_OK);
    assert_true(port_open(&port, o.port, true));
    assert_true(run_load(&o, &port, result));
    port_close(&port);
    echo_stop(&echo);
    *echoed = echo.received;
    return result;
}

static void finish(struct run_result *result)
{
    run_result_free(result);
    free(result);
}

static void perfect_echo(void **state)
{
    struct echo_plan plan = { 0 };
    uint64_t echoed;
    struct run_result *r = run_against(&plan,
                                       "--rate 5000 --count 2000 --size 1514 --arrival poisson "
                                       "--drain-ms 60000",
                                       &echoed);

    (void)state;
    assert_int_equal(echoed, 2000);
    assert_int_equal(r->sent, 2000);
    assert_int_equal(r->send_failed + r->unsent + r->foreign + r->socket_drops, 0);
    assert_int_equal(r->tracker.delivered, 2000);
    assert_int_equal(r->tracker.duplicates + r->tracker.reordered, 0);
    assert_int_equal(r->latency.total, 2000);
    assert_int_equal(r->pacing.total, 2000);
    assert_true(r->latency.max_ns > 0);
    finish(r);
}

static void drops_and_duplicates(void **state)
{
    struct echo_plan plan = { .drop_every = 10, .double_every = 7 };
    uint64_t echoed;
    struct run_result *r = run_against(&plan, "--rate 2000 --count 1000 --drain-ms 3000", &echoed);

    (void)state;
    assert_int_equal(echoed, 1000);
    assert_int_equal(r->sent, 1000);
    assert_int_equal(r->tracker.delivered, 900);
    /* 142 multiples of 7, of which 14 are dropped as multiples of 10. */
    assert_int_equal(r->tracker.duplicates, 128);
    assert_int_equal(r->tracker.reordered, 0);
    assert_int_equal(r->foreign, 0);
    assert_int_equal(r->latency.total, 900);
    finish(r);
}

static void reordering_and_foreign_frames(void **state)
{
    /* The number is far ahead: it must not have been sent when the foreign frame arrives. */
    struct echo_plan plan = { .hold_every = 16, .foreign_at = 100, .future_seq = 2999 };
    uint64_t echoed;
    struct run_result *r =
        run_against(&plan, "--rate 1000 --count 3000 --run 8 --drain-ms 60000", &echoed);

    (void)state;
    assert_int_equal(echoed, 3000);
    assert_int_equal(r->tracker.delivered, 3000);
    assert_int_equal(r->tracker.reordered, 187);
    assert_int_equal(r->tracker.reorder_max, 3);
    assert_int_equal(r->tracker.duplicates, 0);
    assert_int_equal(r->foreign, 3);
    finish(r);
}

/* Coordinated omission: while the echo stalls for 200 ms, 200 frames fall due. All of them must
 * show the wait, not only the one that met the stall. */
static void a_stall_shows_in_every_frame_due_meanwhile(void **state)
{
    struct echo_plan plan = { .stall_at = 100, .stall_ms = 200 };
    uint64_t echoed;
    struct run_result *r = run_against(&plan, "--rate 1000 --count 500 --drain-ms 60000", &echoed);

    (void)state;
    assert_int_equal(r->tracker.delivered, 500);
    assert_true(r->latency.max_ns >= 199000000);
    /* Due in the first half of the stall: late by at least 100 ms. These are 100 of 500 frames. */
    assert_true(hgrm_percentile(&r->latency, 81) >= 95000000);
    finish(r);
}

static void nobody_there(void **state)
{
    struct run_result *result = calloc(1, sizeof(*result));
    unsigned remote = tests_free_port();
    unsigned local = tests_free_port();
    struct options o;
    struct port port;
    char line[128];

    (void)state;
    assert_non_null(result);
    snprintf(line, sizeof(line), "--port udp:%u:%u --rate 1000 --count 100 --drain-ms 20", local,
             remote);
    assert_int_equal(tests_parse(&o, line, stderr), OPTIONS_OK);
    assert_true(port_open(&port, o.port, true));
    assert_true(run_load(&o, &port, result));
    port_close(&port);
    assert_int_equal(result->sent + result->send_failed, 100);
    assert_int_equal(result->unsent, 0);
    assert_int_equal(result->tracker.delivered, 0);
    finish(result);
}

int test_udp(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect_echo),
        cmocka_unit_test(drops_and_duplicates),
        cmocka_unit_test(reordering_and_foreign_frames),
        cmocka_unit_test(a_stall_shows_in_every_frame_due_meanwhile),
        cmocka_unit_test(nobody_there),
    };

    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
