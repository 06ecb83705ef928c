/* Source and sink, each against a socket of the test. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../clock.h"
#include "../frame.h"
#include "../run.h"
#include "tests.h"

static const uint8_t mac[FRAME_MAC_BYTES] = { 2 };

static struct run_result *run_role(const char *line)
{
    struct run_result *result = calloc(1, sizeof(*result));
    struct options o;
    struct port port;

    assert_non_null(result);
    assert_int_equal(tests_parse(&o, line, stderr), OPTIONS_OK);
    assert_true(port_open(&port, o.port, o.role != ROLE_SOURCE));
    assert_true(run_load(&o, &port, result));
    port_close(&port);
    return result;
}

static void finish(struct run_result *result)
{
    run_result_free(result);
    free(result);
}

static void source_sends_every_number_in_order(void **state)
{
    unsigned remote;
    int fd = tests_udp_socket(&remote);
    struct run_result *r;
    uint64_t expected_seq = 0, previous_ns = 0;
    uint8_t frame[2048];
    char line[128];

    (void)state;
    snprintf(line, sizeof(line), "--port udp:%u:%u --role source --rate 5000 --count 500 --run 3",
             tests_free_port(), remote);
    r = run_role(line);
    assert_int_equal(r->sent, 500);
    assert_int_equal(r->pacing.total, 500);
    assert_int_equal(r->latency.total, 0);
    while (expected_seq < 500) {
        struct frame_info info;
        ssize_t bytes;

        /* Sent is not yet arrived: the kernel may do that later, in a thread of its own. */
        assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 60000), 1);
        bytes = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);
        assert_int_equal(bytes, FRAME_MIN_BYTES);
        assert_true(frame_parse(frame, (uint32_t)bytes, &info));
        assert_int_equal(info.run, 3);
        assert_int_equal(info.seq, expected_seq);
        if (expected_seq != 0)
            assert_int_equal(info.intended_ns - previous_ns, 200000);
        previous_ns = info.intended_ns;
        expected_seq++;
    }
    assert_int_equal(recv(fd, frame, sizeof(frame), MSG_DONTWAIT), -1);
    close(fd);
    finish(r);
}

/* More than the machine can send: the schedule spans 20 us. */
static void a_late_source_skips_nothing_and_says_how_late(void **state)
{
    unsigned remote;
    int fd = tests_udp_socket(&remote);
    struct run_result *r;
    char line[128];

    (void)state;
    snprintf(line, sizeof(line), "--port udp:%u:%u --role source --rate 100000000 --count 2000",
             tests_free_port(), remote);
    r = run_role(line);
    assert_int_equal(r->sent + r->send_failed, 2000);
    assert_int_equal(r->pacing.total, 2000);
    assert_true(r->pacing.max_ns + 20000 >= r->last_ns - r->first_ns);
    assert_true(hgrm_percentile(&r->pacing, 50) > 20000);
    close(fd);
    finish(r);
}

/* Sends the numbers 1 ms apart, the fourth under another run, and only then lets the sink look. */
static struct run_result *sink_of(const uint64_t *seqs, size_t count, const char *arguments)
{
    unsigned local = tests_free_port();
    unsigned remote;
    int fd = tests_udp_socket(&remote);
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)local),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct run_result *result = calloc(1, sizeof(*result));
    uint8_t frame[FRAME_MIN_BYTES];
    struct options o;
    struct port port;
    char line[128];

    assert_non_null(result);
    snprintf(line, sizeof(line), "--port udp:%u:%u --role sink %s", local, remote, arguments);
    assert_int_equal(tests_parse(&o, line, stderr), OPTIONS_OK);
    assert_true(port_open(&port, o.port, true));
    for (size_t i = 0; i < count; i++) {
        struct frame_info info = { .run = i == 3 ? 99 : 5, .seq = seqs[i] };

        frame_build(frame, sizeof(frame), mac, mac, &info);
        assert_int_equal(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)),
                         sizeof(frame));
        usleep(1000);
    }
    assert_true(run_load(&o, &port, result));
    port_close(&port);
    close(fd);
    return result;
}

static void sink_counts_loss_duplicates_and_order(void **state)
{
    static const uint64_t seqs[] = { 0, 1, 2, 77, 5, 4, 5, 9 };
    uint64_t start_ns = clock_now();
    struct run_result *r = sink_of(seqs, 8, "--seconds 600 --drain-ms 50");

    (void)state;
    assert_true(clock_now() - start_ns < 300 * NS_PER_S);
    assert_int_equal(r->run, 5);
    assert_int_equal(r->foreign, 1);
    assert_int_equal(r->tracker.delivered, 6);
    assert_int_equal(r->tracker.duplicates, 1);
    assert_int_equal(r->tracker.reordered, 1);
    assert_int_equal(r->tracker.highest_end, 10);
    assert_int_equal(r->gaps.total, 6);
    /* The frames waited in the socket: only the kernel's stamps know that they came apart. */
    assert_true(r->gaps.max_ns >= 1000000);
    assert_true(r->last_ns - r->first_ns >= 7000000);
    finish(r);
}

static void sink_stops_at_its_count(void **state)
{
    static const uint64_t seqs[] = { 0, 1, 2, 3, 3, 4 };
    struct run_result *r = sink_of(seqs, 6, "--seconds 600 --drain-ms 600000 --count 5 --run 5");

    (void)state;
    assert_int_equal(r->tracker.delivered, 5);
    finish(r);
}

static void sink_gives_up_after_its_seconds(void **state)
{
    static const uint64_t one = 0;
    struct run_result *r = sink_of(NULL, 0, "--seconds 0.1 --drain-ms 600000");

    (void)state;
    assert_int_equal(r->tracker.delivered, 0);
    assert_int_equal(r->first_ns, 0);
    finish(r);
    r = sink_of(&one, 1, "--seconds 0.1 --drain-ms 600000");
    assert_int_equal(r->tracker.delivered, 1);
    finish(r);
}

int test_roles(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_sends_every_number_in_order),
        cmocka_unit_test(a_late_source_skips_nothing_and_says_how_late),
        cmocka_unit_test(sink_counts_loss_duplicates_and_order),
        cmocka_unit_test(sink_stops_at_its_count),
        cmocka_unit_test(sink_gives_up_after_its_seconds),
    };

    return cmocka_run_group_tests_name("roles", tests, NULL, NULL);
}
