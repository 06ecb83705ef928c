#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests.h"

#define WORDS_MAX 40

const char *tests_dir;
const char *tests_loadgen;

enum options_result tests_parse(struct options *o, const char *line, FILE *err)
{
    static char copy[1024]; /* the options keep pointing into it */
    char *words[WORDS_MAX] = { "loadgen" };
    int count = 1;

    assert_true(strlen(line) < sizeof(copy));
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX - 1);
        words[count++] = word;
    }
    return options_parse(o, count, words, err);
}

int tests_udp_socket(unsigned *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t bytes = sizeof(address);
    int buffer = 4 * 1024 * 1024;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    *port = ntohs(address.sin_port);
    return fd;
}

unsigned tests_free_port(void)
{
    unsigned port;

    close(tests_udp_socket(&port));
    return port;
}

const char *tests_tsv(const char *text, const char *name, char value[64])
{
    size_t length = strlen(name);

    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, name, length) == 0 && line[length] == '\t') {
            size_t bytes = strcspn(line + length + 1, "\n");

            assert_true(bytes < 64);
            memcpy(value, line + length + 1, bytes);
            value[bytes] = '\0';
            return value;
        }
    }
    fail_msg("loadgen.tsv has no line %s", name);
    return NULL;
}

char *tests_read_file(const char *path)
{
    char *text = NULL;
    size_t capacity = 0;
    FILE *f = fopen(path, "r");

    if (f == NULL)
        fail_msg("cannot read %s", path);
    assert_true(getdelim(&text, &capacity, '\0', f) >= 0);
    fclose(f);
    return text;
}

int main(int argc, char **argv)
{
    int failures = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: test_loadgen DIR_OF_GOLDEN_HGRM LOADGEN\n");
        return 2;
    }
    tests_dir = argv[1];
    tests_loadgen = argv[2];
    failures += test_frame();
    failures += test_schedule();
    failures += test_hgrm();
    failures += test_tracker();
    failures += test_options();
    failures += test_report();
    failures += test_udp();
    failures += test_roles();
    failures += test_packet();
    failures += test_program();
    return failures != 0;
}
