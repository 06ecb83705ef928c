# Lines "ns id vq flags dev pid seq a b" of what QEMU's virtio did, in the order of the log. Called by
# qemu_log.sh with the log given twice.
#
# QEMU does not log where a run begins and ends. One begins with the first buffer taken after a kick
# and lasts until the last one returned before the next such buffer; on the receive queue, each frame
# is a run of its own, which the network asked for.
BEGIN {
    HOST_KICK = 64
    RUN_BEGIN = 65
    RUN_END = 66
    USED = 67
    SIGNALLED = 8
    CAUSE_KICK = 16
    CAUSE_NET = 32
}

# Seconds since the first line's: in nanoseconds since 1970, awk's numbers would have no room for
# microseconds. Half a microsecond is the middle of what the log's digits leave open.
function nanoseconds(stamp,    part) {
    split(stamp, part, /[@.:]/)
    if (first == "")
        first = part[2] - 1
    return (part[2] - first) * 1000000000 + part[3] * 1000 + 500
}

function emit(time, id, vq, flags, seq, a, b) {
    printf "%.0f %d %d %d %s %d %d %d %d\n", time, id, queue[vq], flags, device[vq], pid, seq,
        a % 65536, b
}

# What is known of returned buffers only when the next thing happens to their queue: was the guest
# called for them?
function settle(vq, flags) {
    if (!(vq in returned))
        return
    emit(flags ? now : returned_at[vq], USED, vq, flags, 0, used[vq], returned[vq])
    end_at[vq] = flags ? now : returned_at[vq]
    delete returned[vq]
}

function end_run(vq) {
    settle(vq, 0)
    if (running[vq])
        emit(end_at[vq], RUN_END, vq, cause[vq], run_kicks[vq], avail[vq], used[vq])
    running[vq] = 0
}

function begin_run(vq) {
    end_run(vq)
    running[vq] = 1
    run_kicks[vq] = kicks[vq] + 0
    cause[vq] = queue[vq] % 2 ? CAUSE_KICK : CAUSE_NET
    emit(now, RUN_BEGIN, vq, cause[vq], run_kicks[vq], avail[vq], used[vq])
    end_at[vq] = now
}

function forget(dev,    vq) {
    for (vq in queue) {
        if (device[vq] != dev)
            continue
        end_run(vq)
        avail[vq] = used[vq] = kicks[vq] = 0
    }
}

{
    name = $1
    sub(/^[^:]*:/, "", name)
    sub(/^0x/, "", $3)
}

NR == FNR {
    if (name == "virtio_queue_notify") {
        queue[$7] = $5
        device[$7] = $3
    }
    if (!pid)
        pid = $1 + 0
    next
}

{ now = nanoseconds($1) }

name == "virtio_set_status" && $5 == 0 { forget($3) }

name == "virtio_queue_notify" {
    kicks[$7]++
    emit(now, HOST_KICK, $7, 0, kicks[$7], avail[$7], 0)
}

name ~ /^virtqueue_/ { vq = "0x" $3 }

name == "virtqueue_pop" && vq in queue {
    settle(vq, 0)
    if (!running[vq] || queue[vq] % 2 == 0 || run_kicks[vq] != kicks[vq] + 0)
        begin_run(vq)
    avail[vq]++
}

name == "virtqueue_flush" && vq in queue {
    settle(vq, 0)
    used[vq] = (used[vq] + $5) % 65536
    returned[vq] = $5
    returned_at[vq] = now
}

name == "virtio_notify" { settle($5, SIGNALLED) }

END {
    for (vq in queue)
        end_run(vq)
}
