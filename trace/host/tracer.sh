#!/usr/bin/env bash
# Records what vhost-net does on this host: tracer.sh start DIR | stop DIR | status DIR.
# PROBES=basic|full|summary chooses the probes (README.md); basic unless told otherwise.
#
# DIR/host.log     "V 1 <bpftrace> <kernel>", then one line a record (README.md)
# DIR/host.err     what bpftrace had to say: "Lost N events" is found here
# DIR/losses.tsv   after stop: emitted, recorded and lost lines of each event
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
attach_seconds=${TRACER_ATTACH_SECONDS:-600}
attach_mark=0 # marks the tracer itself sets; a cell's begin at 1

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$here/common.sh"

is_running() {
    [[ -s $dir/tracer.pid ]] && kill -0 "$(<"$dir/tracer.pid")" 2>/dev/null &&
        [[ $(<"/proc/$(<"$dir/tracer.pid")/comm") == bpftrace ]]
}

start() {
    local version set script
    ! is_running || die "already tracing into $dir: stop it first"
    need_host
    version=$(bpftrace_version)
    set=$(probe_set "${PROBES:-}")
    script=$(script_for "$version" "$set")
    mkdir -p "$dir" || die "cannot create $dir"
    echo "V 1 $version $(uname -r)" >"$dir/host.log" || die "cannot write $dir/host.log"
    launch "$script" "$dir/host.log" "$dir/host.err"
    echo "$tracer_pid" >"$dir/tracer.pid"
    echo "$script" >"$dir/script"
    wait_attached "$dir/host.log" "$dir/host.err" "$attach_mark" "$attach_seconds"
}

stop() {
    local pid lost
    is_running || die "nothing traces into $dir"
    pid=$(<"$dir/tracer.pid")
    end_tracer "$pid"
    rm "$dir/tracer.pid"
    losses "$(<"$dir/script")" "$dir/host.log" >"$dir/losses.tsv"
    lost=$(awk 'NR > 1 { n += $4 } END { print n + 0 }' "$dir/losses.tsv")
    ((lost == 0)) || echo "tracer.sh: $lost records were lost, see $dir/losses.tsv" >&2
    echo "stopped records=$(grep -c '^R ' "$dir/host.log") lost=$lost"
}

status() {
    if is_running; then
        echo "tracing pid=$(<"$dir/tracer.pid") records=$(grep -c '^R ' "$dir/host.log")"
    else
        echo "not tracing"
        return 3
    fi
}

[[ $# == 2 ]] || die "usage: tracer.sh start|stop|status DIR"
dir=$2
case $1 in
start | stop | status) "$1" ;;
*) die "unknown verb '$1': use start, stop or status" ;;
esac
