#!/usr/bin/env bash
# QEMU's own virtio device as the host: its trace log becomes the host's log of README.md, so that a
# chain closes without vhost.  qemu_log.sh LOG >host.log
#
# QEMU writes LOG when it runs with
#   -trace virtio_queue_notify -trace 'virtqueue_*' -trace virtio_notify -trace virtio_set_status
#   -msg timestamp=on -D LOG      and the device with ioeventfd=off
# Without ioeventfd=off the kick is logged by QEMU's main loop, when the vCPU is far on: such a kick
# does not bracket the clocks. Times are the wall clock's, to the microsecond.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() {
    echo "qemu_log.sh: $*" >&2
    exit 1
}

[[ $# == 1 ]] || die "usage: qemu_log.sh LOG >host.log"
[[ -r $1 ]] || die "cannot read $1"
grep -q '^[0-9]*@[0-9]*\.[0-9]*:virtio_queue_notify ' "$1" ||
    die "$1 has no virtio_queue_notify with a time: run QEMU with -trace virtio_queue_notify and" \
        "-msg timestamp=on, and a guest that kicks"
echo "V 1 qemu $(uname -r)"
# Which queue a virtqueue is stands in its kicks only, so the log is read twice.
awk -f "$here/qemu_log.awk" "$1" "$1" | sort -s -n -k 1,1 | awk '{ $1 = "R 0 " NR " " $1; print }'
