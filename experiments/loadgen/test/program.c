/* The program as its users start it: exit status, files, signals. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../clock.h"
#include "tests.h"

#define WORDS_MAX 24

static pid_t start(const char *line)
{
    char copy[512];
    char *words[WORDS_MAX] = { "loadgen" };
    int count = 1;
    pid_t pid;

    assert_true(strlen(line) < sizeof(copy));
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX - 1);
        words[count++] = word;
    }
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execv(tests_loadgen, words);
        _exit(127);
    }
    return pid;
}

static int status_of(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static uint64_t number(const char *text, const char *name)
{
    char value[64];

    return strtoull(tests_tsv(text, name, value), NULL, 10);
}

static void exit_status(void **state)
{
    (void)state;
    assert_int_equal(status_of(start("--help")), 0);
    assert_int_equal(status_of(start("--rate 5")), 2);
    assert_int_equal(status_of(start("--port udp:x:y --rate 5 --count 1")), 1);
}

static void unwritable_results_fail(void **state)
{
    char line[256];

    (void)state;
    snprintf(line, sizeof(line),
             "--port udp:%u:%u --rate 100 --count 1 --drain-ms 1 --out /proc/no/such",
             tests_free_port(), tests_free_port());
    assert_int_equal(status_of(start(line)), 1);
}

static void interrupted_run_reports_what_it_did(void **state)
{
    char directory[] = "/tmp/loadgen-program-XXXXXX";
    static const char *const files[] = { "loadgen.tsv", "latency.hgrm", "pacing.hgrm" };
    char line[512], path[PATH_MAX], *text;
    uint8_t byte;
    unsigned remote;
    int fd = tests_udp_socket(&remote);
    pid_t pid;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(line, sizeof(line), "--port udp:%u:%u --rate 100 --seconds 600 --drain-ms 50 --out %s",
             tests_free_port(), remote, directory);
    pid = start(line);
    for (int i = 0; i < 5; i++)
        assert_int_equal(recv(fd, &byte, 1, 0), 1);
    kill(pid, SIGINT);
    assert_int_equal(status_of(pid), 128 + SIGINT);
    snprintf(path, sizeof(path), "%s/%s", directory, files[0]);
    text = tests_read_file(path);
    assert_int_equal(number(text, "offered"), 60000);
    assert_in_range(number(text, "sent"), 5, 59999);
    assert_int_equal(number(text, "sent") + number(text, "send_failed") + number(text, "unsent"),
                     60000);
    assert_int_equal(number(text, "lost"), number(text, "sent"));
    assert_int_equal(number(text, "signal"), SIGINT);
    free(text);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(directory), 0);
    close(fd);
}

/* The drain would last ten minutes. */
static void a_second_signal_cuts_the_drain(void **state)
{
    char line[256];
    uint8_t byte;
    unsigned remote;
    int fd = tests_udp_socket(&remote);
    uint64_t start_ns = clock_now();
    pid_t pid;

    (void)state;
    snprintf(line, sizeof(line), "--port udp:%u:%u --rate 100 --seconds 600 --drain-ms 600000",
             tests_free_port(), remote);
    pid = start(line);
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    kill(pid, SIGINT);
    kill(pid, SIGTERM);
    assert_int_equal(status_of(pid), 128 + SIGINT);
    assert_true(clock_now() - start_ns < 300 * NS_PER_S);
    close(fd);
}

int test_program(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status),
        cmocka_unit_test(unwritable_results_fail),
        cmocka_unit_test(interrupted_run_reports_what_it_did),
        cmocka_unit_test(a_second_signal_cuts_the_drain),
    };

    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
