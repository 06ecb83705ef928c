/* What differs between versions of bpftrace and of the kernel, and what the scripts read of vhost's
 * structures. Preprocessed into each script by generate.sh, which gives BPFTRACE_MINOR.
 */
#if BPFTRACE_MINOR >= 20
#define FENTRY         fentry
#define FEXIT          fexit
#define ARG(name)      args.name
#define EVENTFD_SIGNAL eventfd_signal_mask
#else
#define FENTRY         kfunc
#define FEXIT          kretfunc
#define ARG(name)      args->name
#define EVENTFD_SIGNAL eventfd_signal
#endif

/* The wait queue entry inside struct vhost_poll, after the poll table and the wait queue's head. A
 * kernel that moved it shows no host_kick at all, because no work function then matches. */
#define POLL_OF_WAIT(wait) ((struct vhost_poll *)((uint64)(wait)-24))

/* Without the mask, draining an eventfd would look like a kick. */
#define WOKEN(poll) ((uint64)ARG(key) & (uint64)(poll)->mask)

/* A queue has its kick's poll, the device has one more for each socket direction: they differ in
 * the work function. (kaddr() of a module's function fails in some versions.) */
#define IS_KICK_OF(poll, number) ((poll)->work.fn == (poll)->dev->vqs[number]->handle_kick)

/* vhost never reads a kick eventfd, so its count is the ordinal of the kick. */
#define KICKS(vq) (((struct eventfd_ctx *)(vq)->kick->private_data)->count)

#define IS_TX(vq) ((vq) == (vq)->dev->vqs[TRACE_VQ_TX])

/* The process that owns the device. Workers are kernel threads on some kernels and threads of QEMU
 * on others, so that the current pid would not tell whose device it is. 0.17 cannot reach mm->owner
 * and learns it from the first kick; until then it is 0. */
#if BPFTRACE_MINOR >= 20
#define OWNER(vq) ((vq)->dev->mm->owner->tgid)
#define LEARN_OWNER(vq)
#else
#define OWNER(vq)       @owner[(uint64)(vq)->dev]
#define LEARN_OWNER(vq) @owner[(uint64)(vq)->dev] = pid;
#endif

/* A line of the log. n counts this CPU's lines before the line can be lost, and emitted those of
 * each event: a gap in n is a loss, and the end of the log says of which events. What is constant
 * is part of the format, because bpftrace's work for a line grows with its arguments. */
#define TEXT(...)  TEXT_(__VA_ARGS__)
#define TEXT_(...) #__VA_ARGS__
#define EMIT(now, id, vq, flags, dev, pid, seq, a, b)                                              \
    $n = @n[cpu] + 1;                                                                              \
    @n[cpu] = $n;                                                                                  \
    @emitted[id] = count();                                                                        \
    printf(TEXT(R % d % llu % llu id vq % d % llx % d % llu % llu % llu\n), cpu, $n, now, flags,   \
           (uint64)(dev), pid, seq, a, b)
#define EMIT_VQ(now, id, number, flags, vq, seq, a, b)                                             \
    EMIT(now, id, number, flags, (vq)->dev, OWNER(vq), seq, a, b)

/* mark.c's harmless system call. Its probe is defined last and so attached last: a mark in the log
 * says that every probe is in place. */
#define MARK_PROBE                                                                                 \
    tracepoint:                                                                                    \
    syscalls:                                                                                      \
    sys_enter_getpriority / ARG(who) == 0x52494e47 /
