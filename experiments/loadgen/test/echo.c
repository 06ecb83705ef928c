#include "echo.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../frame.h"
#include "tests.h"

#define HOLD_FOR 3u

struct peer {
    struct sockaddr_storage address;
    socklen_t bytes;
};

static void send_back(const struct echo *e, const uint8_t *frame, size_t bytes,
                      const struct peer *to)
{
    sendto(e->fd, frame, bytes, 0, (const struct sockaddr *)&to->address, to->bytes);
}

static void send_foreign(const struct echo *e, const uint8_t *frame, size_t bytes,
                         const struct peer *to)
{
    uint8_t other[FRAME_MAX_BYTES];

    memcpy(other, frame, bytes);
    other[FRAME_AT_RUN] ^= 1;
    send_back(e, other, bytes, to);
    send_back(e, frame, bytes - 1, to);
    memcpy(other, frame, bytes);
    frame_restamp(other, e->plan.future_seq, 0);
    send_back(e, other, bytes, to);
}

static bool hits(uint64_t number, uint64_t every)
{
    return every != 0 && number % every == 0;
}

static void stall(uint64_t ms)
{
    struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

    nanosleep(&ts, NULL);
}

static void *serve(void *argument)
{
    struct echo *e = argument;
    const struct echo_plan *plan = &e->plan;
    struct pollfd pollfd = { .fd = e->fd, .events = POLLIN };
    uint8_t frame[FRAME_MAX_BYTES], held[FRAME_MAX_BYTES];
    uint64_t release_at = 0;

    while (!atomic_load(&e->stop)) {
        struct peer from = { .bytes = sizeof(from.address) };
        ssize_t bytes;

        if (poll(&pollfd, 1, 20) <= 0)
            continue;
        bytes = recvfrom(e->fd, frame, sizeof(frame), MSG_DONTWAIT,
                         (struct sockaddr *)&from.address, &from.bytes);
        if (bytes < (ssize_t)FRAME_HEADER_BYTES)
            continue;
        e->received++;
        frame_swap_macs(frame);
        if (e->received == plan->stall_at)
            stall(plan->stall_ms);
        if (e->received == plan->foreign_at)
            send_foreign(e, frame, (size_t)bytes, &from);
        if (hits(e->received, plan->hold_every)) {
            memcpy(held, frame, (size_t)bytes);
            release_at = e->received + HOLD_FOR;
        } else if (!hits(e->received, plan->drop_every)) {
            send_back(e, frame, (size_t)bytes, &from);
            if (hits(e->received, plan->double_every))
                send_back(e, frame, (size_t)bytes, &from);
        }
        if (e->received == release_at)
            send_back(e, held, (size_t)bytes, &from);
    }
    return NULL;
}

void echo_start(struct echo *e, int fd, const struct echo_plan *plan)
{
    *e = (struct echo){ .fd = fd, .plan = *plan };
    assert_int_equal(pthread_create(&e->thread, NULL, serve, e), 0);
}

void echo_stop(struct echo *e)
{
    atomic_store(&e->stop, true);
    pthread_join(e->thread, NULL);
    close(e->fd);
}
