#!/usr/bin/env bash
# Instructions per frame, counted by callgrind: rows of bench.tsv on stdout, without a heading.
#   instructions.sh full|quick
# A program runs twice, with N and with 2N frames; the difference by N is what a frame costs, without
# what only start and end cost. The driver with the model device in one process is exact. Against DPDK
# both drivers run with the vhost backend, so how many frames a poll finds is up to it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-$root/build}
out=$BUILD/experiments/bench

die() {
    echo "instructions.sh: $*" >&2
    exit 1
}
case ${1:-} in
full) bursts="32 1" formats="split packed" ;;
quick) bursts=32 formats=split ;;
*) die "usage: instructions.sh full|quick" ;;
esac
command -v valgrind >/dev/null || die "no valgrind: apt-get install valgrind"
# shellcheck source=SCRIPTDIR/sides.bash
source "$here/sides.bash"
need_programs
work=$(mktemp -d)
trap 'stop_backend; rm -rf "$work"' EXIT
callgrind=(valgrind --tool=callgrind --callgrind-out-file="$work/profile")

# The driver's own code: its sources, and the seams that are switched on.
driver_files='virtio_net/([a-z_]+|transport/[a-z_]+|port/[a-z_]+)[.][ch]$|trace/[a-z_]+[.][ch]$|faultinj/(plan|fault)[.][ch]$'

# slope N ONCE TWICE
slope() {
    awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "%.2f\n", (b - a) / n }'
}

# counted BUILD ARGUMENT...: instructions of the driver's own code in a run of in_process
counted() {
    "${callgrind[@]}" "$out/$1/in_process" "${@:2}" >"$work/log" 2>&1 || {
        tail -n 5 "$work/log" >&2
        die "in_process ${*:2} failed under callgrind"
    }
    awk -v files="$driver_files" -f "$here/selfcost.awk" "$work/profile"
}

# per_frame BUILD DIRECTION FORMAT BURST [trace]
per_frame() {
    local n=6400
    slope $n "$(counted "$1" "$2" "$3" "$4" $n "${@:5}")" "$(counted "$1" "$2" "$3" "$4" $((2 * n)) "${@:5}")"
}

# DPDK's driver has its buffer pool inlined, so ours counts with its own.
own_functions='^(vnet_up_|port_buf_|port_frame_)'

# counted_side SIDE FRAMES: the same in a run against the backend, of the case in the shell's variables
counted_side() {
    limit=(--count "$2") wrap=("${callgrind[@]}")
    run_side "$1"
    if [[ $1 == ours ]]; then
        awk -v files="$driver_files" -v functions="$own_functions" -f "$here/selfcost.awk" "$work/profile"
    else
        awk -v objects='librte_net_virtio' -f "$here/selfcost.awk" "$work/profile"
    fi
}

side_per_frame() { # SIDE
    local n=64000
    slope $n "$(counted_side "$1" $n)" "$(counted_side "$1" $((2 * n)))"
}

# row NAME OURS PEER PEER_NAME: exact, so the interval is the ratio
row() {
    awk -v name="$1" -v ours="$2" -v peer="$3" -v who="$4" 'BEGIN {
        OFS = "\t"
        ratio = sprintf("%.3f", peer / ours)
        print name, ours, peer, who, "instructions", ratio, ratio, ratio, 1, "", ""
    }'
}

for format in $formats; do
    for direction in tx rx; do
        for burst in $bursts; do
            name=instr_${direction}_${format}_burst$burst
            plain=$(per_frame plain "$direction" "$format" "$burst")
            row "${name}_checks" "$plain" "$(per_frame unchecked "$direction" "$format" "$burst")" unchecked
            row "${name}_trace_off" "$(per_frame trace "$direction" "$format" "$burst")" "$plain" plain
            row "${name}_trace_on" "$(per_frame trace "$direction" "$format" "$burst" trace)" "$plain" plain
            row "${name}_fault" "$(per_frame fault "$direction" "$format" "$burst")" "$plain" plain
        done
    done
done

"$here/cases.sh" instructions | while read -r name program mode peer job bytes ring format outstanding _; do
    [[ " $formats " == *" $format "* ]] || continue
    start_backend
    row "instr_$name" "$(side_per_frame ours)" "$(side_per_frame peer)" dpdk-virtio-user
done
