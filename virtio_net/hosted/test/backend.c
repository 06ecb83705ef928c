#include "backend.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 30 /* of the whole process: a test that hangs leaves nothing behind */

struct backend backend = {
    .offered = VNET_F(VERSION_1) | VNET_F(EVENT_IDX) | VNET_F(RING_PACKED) | VNET_F(INDIRECT_DESC) |
               VNET_F(MRG_RXBUF) | VNET_F(CTRL_VQ) | VNET_F(MQ) | VNET_F(RSS) | VNET_F(MTU) |
               VHOST_USER_F_PROTOCOL_FEATURES,
    .protocol_offered = VHOST_USER_PROTOCOL(REPLY_ACK) | 1,
    .queue = { { .kick = -1, .call = -1 }, { .kick = -1, .call = -1 } },
};

void blame(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("backend: the driver: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(3);
}

static void misused(const char *word)
{
    fprintf(stderr, "backend: %s: no such word; see backend.c\n", word);
    exit(2);
}

static uint32_t request_named(const char *name)
{
#define NAMED(request, number)                                                                     \
    if (!strcmp(name, #request))                                                                   \
        return number;
    VHOST_USER_REQUESTS(NAMED)
#undef NAMED
    misused(name);
    return 0;
}

/* flaw=REQUEST */
static bool take_flaw(const char *word, const char *value)
{
    static const char *const names[] = { "",         "close", "silent", "refuse",
                                         "nonsense", "short", "base" };
    for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(word, names[i], (size_t)(value - word - 1)) || names[i][value - word - 1])
            continue;
        backend.flaw = (enum flaw)i;
        backend.flaw_at = request_named(value);
        return true;
    }
    return false;
}

static bool take_trick(const char *name)
{
    static const char *const names[] = { "honest",    "id_range", "id_twice", "len_long",
                                         "len_short", "idx_jump", "irq_lost", "irq_spurious" };
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(name, names[i])) {
            backend.trick = (enum ring_dev_trick)i;
            return true;
        }
    return false;
}

static void take_word(const char *word)
{
    const char *equals = strchr(word, '='), *value = equals ? equals + 1 : "";
    if (!strcmp(word, "no-version-1"))
        backend.offered &= ~VNET_F(VERSION_1);
    else if (!strcmp(word, "no-packed"))
        backend.offered &= ~VNET_F(RING_PACKED);
    else if (!strcmp(word, "no-protocol"))
        backend.offered &= ~VHOST_USER_F_PROTOCOL_FEATURES;
    else if (!strcmp(word, "no-ack"))
        backend.protocol_offered &= ~VHOST_USER_PROTOCOL(REPLY_ACK);
    else if (!strcmp(word, "deaf"))
        backend.deaf = true;
    else if (!strcmp(word, "no-calls"))
        backend.expect_no_calls = true;
    else if (!strncmp(word, "generate=", 9) || !strncmp(word, "pingpong=", 9)) {
        backend.work = *word == 'g' ? WORK_GENERATE : WORK_PINGPONG;
        backend.frames = strtoull(value, NULL, 10);
    } else if (!strncmp(word, "die-after=", 10))
        backend.die_after = strtoull(value, NULL, 10);
    else if (!strncmp(word, "hold=", 5))
        backend.hold = (uint32_t)strtoul(value, NULL, 10);
    else if (strncmp(word, "trick=", 6) ? !equals || !take_flaw(word, value) : !take_trick(value))
        misused(word);
}

static int listen_at(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(at.sun_path, path, sizeof(at.sun_path) - 1);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, 1)) {
        fprintf(stderr, "backend: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    return fd;
}

static void drain_kick(struct queue *q)
{
    uint64_t count;
    if (read(q->kick, &count, sizeof(count)) == sizeof(count))
        backend.kicks += count;
}

/* Until the driver hangs up. */
static void run(void)
{
    for (;;) {
        struct pollfd p[1 + QUEUES] = { { .fd = backend.socket, .events = POLLIN } };
        for (int i = 0; i < QUEUES; i++)
            p[1 + i] = (struct pollfd){ .fd = backend.queue[i].running ? backend.queue[i].kick : -1,
                                        .events = POLLIN };
        poll(p, 1 + QUEUES, -1);
        if (p[0].revents && !message())
            return;
        for (int i = 0; i < QUEUES; i++) {
            if (p[1 + i].revents)
                drain_kick(&backend.queue[i]);
            start_if_ready(&backend.queue[i]);
        }
        serve();
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: backend SOCKET [WORD...]; the words are in backend.c\n", stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        take_word(argv[i]);
    alarm(PATIENCE_S);
    int listener = listen_at(argv[1]);
    backend.socket = accept(listener, NULL, NULL);
    run();
    printf("taken\t%lu\ngiven\t%lu\nreturned\t%lu\nheld\t%lu\ncalls\t%lu\nkicks\t%lu\n",
           backend.taken, backend.given, backend.returned, backend.held, backend.calls,
           backend.kicks);
    return 0;
}
