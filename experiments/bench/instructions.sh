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
own_functions='' # and these, whatever their file

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
    awk -v files="$driver_files" -v functions="$own_functions" -f "$here/selfcost.awk" "$work/profile"
}

# per_frame BUILD DIRECTION FORMAT BURST [trace]
per_frame() {
    local n=6400
    slope $n "$(counted "$1" "$2" "$3" "$4" $n "${@:5}")" "$(counted "$1" "$2" "$3" "$4" $((2 * n)) "${@:5}")"
}

# counted_peer FRAMES: of DPDK's driver in a run against the backend, of the case in the shell's variables
counted_peer() {
    limit=(--count "$1" --pause 1000) wrap=("${callgrind[@]}")
    run_side peer
    # A pass that found less than a burst would make the count one of luck.
    awk -F '\t' -v frames="$1" '$1 == "passes" { exit !($2 <= frames / 32 * 1.02 + 1) }' "$work/driver.tsv" ||
        die "$name: the backend did not keep up with DPDK's driver under callgrind: try again"
    awk -v objects='librte_net_virtio' -f "$here/selfcost.awk" "$work/profile"
}

peer_per_frame() {
    local n=16000
    slope $n "$(counted_peer $n)" "$(counted_peer $((2 * n)))"
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

# DPDK's driver has its buffer pool inlined, so ours counts with its own.
# (Not in a pipe: the backend of a subshell would be nobody's to stop.)
while read -r name program mode peer job bytes ring format outstanding queues _ <&3; do
    [[ " $formats " == *" $format "* ]] || continue
    start_backend
    row "instr_$name" "$(own_functions='^vnet_up_' per_frame plain "$peer" "$format" 32)" \
        "$(peer_per_frame)" dpdk-virtio-user
done 3< <("$here/cases.sh" instructions)
