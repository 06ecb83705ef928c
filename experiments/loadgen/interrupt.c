#include "interrupt.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool interrupts_open(struct interrupts *in)
{
    sigset_t blocked;

    *in = (struct interrupts){ .fd = -1 };
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    in->fd = signalfd(-1, &blocked, SFD_NONBLOCK | SFD_CLOEXEC);
    if (in->fd < 0)
        return false;
    pthread_sigmask(SIG_BLOCK, &blocked, &in->old_mask);
    return true;
}

void interrupts_take(struct interrupts *in)
{
    struct signalfd_siginfo info;

    while (read(in->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (in->count++ == 0)
            in->first = (int)info.ssi_signo;
    }
}

void interrupts_close(struct interrupts *in)
{
    close(in->fd);
    pthread_sigmask(SIG_SETMASK, &in->old_mask, NULL);
}
