/* The packet port over a veth pair in a network namespace of the test's own. Skipped where the
 * test may not make one. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "../run.h"
#include "echo.h"
#include "tests.h"

static int enter_namespace(void **state)
{
    static int old;

    old = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    *state = NULL;
    if (old < 0 || unshare(CLONE_NEWNET) != 0)
        return 0;
    if (system("ip link add near type veth peer name far && ip link set near up && "
               "ip link set far up && ip link add off type veth peer name away") != 0)
        return setns(old, CLONE_NEWNET);
    *state = &old;
    return 0;
}

static int leave_namespace(void **state)
{
    int *old = *state;

    return old == NULL ? 0 : setns(*old, CLONE_NEWNET);
}

static int far_socket(void)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET,
                                   .sll_protocol = htons(FRAME_ETHERTYPE),
                                   .sll_ifindex = (int)if_nametoindex("far") };
    int on = 1, buffer = 4 * 1024 * 1024;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    /* The default holds a hundred frames: an echo that is kept waiting would lose some. */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)), 0);
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static struct run_result *run_line(const char *line)
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

static void exact_counts_over_veth(void **state)
{
    struct echo_plan plan = { .drop_every = 10, .double_every = 7, .hold_every = 16 };
    struct run_result *r;
    struct echo echo;

    if (*state == NULL)
        skip();
    echo_start(&echo, far_socket(), &plan);
    r = run_line("--port packet:near --rate 2000 --count 1000 --size 1514 --drain-ms 3000");
    echo_stop(&echo);
    assert_int_equal(echo.received, 1000);
    assert_int_equal(r->sent, 1000);
    /* Multiples of 10 are dropped, save those of 80: held, they come back late instead. */
    assert_int_equal(r->tracker.delivered, 912);
    assert_int_equal(r->tracker.duplicates, 1000 / 7 - 1000 / 70 - 1000 / 112 + 1000 / 560);
    assert_int_equal(r->tracker.reordered, 62);
    assert_int_equal(r->tracker.reorder_max, 3);
    assert_int_equal(r->foreign, 0);
    assert_int_equal(r->socket_drops, 0);
    finish(r);
}

static void frames_carry_the_interface_address(void **state)
{
    static const uint8_t dst[FRAME_MAC_BYTES] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    uint8_t frame[FRAME_MAX_BYTES];
    struct options o;
    struct port port;
    int fd;

    if (*state == NULL)
        skip();
    fd = far_socket();
    finish(run_line("--port packet:near --role source --rate 1000 --count 3"));
    assert_int_equal(tests_parse(&o, "--port packet:near --rate 1 --count 1", stderr), OPTIONS_OK);
    assert_true(port_open(&port, o.port, true));
    for (int i = 0; i < 3; i++) {
        /* Sent is not yet arrived: the kernel may do that later, in a thread of its own. */
        assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 60000), 1);
        assert_int_equal(recv(fd, frame, sizeof(frame), MSG_DONTWAIT), FRAME_MIN_BYTES);
        assert_memory_equal(frame + FRAME_AT_DST, dst, sizeof(dst));
        assert_memory_equal(frame + FRAME_AT_SRC, port.mac, FRAME_MAC_BYTES);
    }
    assert_int_equal(recv(fd, frame, sizeof(frame), MSG_DONTWAIT), -1);
    port_close(&port);
    close(fd);
}

static void unusable_interfaces_are_refused(void **state)
{
    struct port port;

    if (*state == NULL)
        skip();
    assert_false(port_open(&port, "packet:absent", true));
    assert_false(port_open(&port, "packet:off", true));
    assert_false(port_open(&port, "packet:lo", true));
    assert_false(port_open(&port, "packet:a-name-longer-than-any", true));
    assert_false(port_open(&port, "tap:near", true));
}

int test_packet(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_counts_over_veth),
        cmocka_unit_test(frames_carry_the_interface_address),
        cmocka_unit_test(unusable_interfaces_are_refused),
    };

    return cmocka_run_group_tests_name("packet", tests, enter_namespace, leave_namespace);
}
