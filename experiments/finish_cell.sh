#!/usr/bin/env bash
# Turns what a host recorded of one cell into the cell's results, joined and checked.
#   finish_cell.sh CELLDIR       CELLDIR holds cell.tsv and the files of kit/cell.sh
# Writes counters.tsv, guest/ host/ (CTF), chains.tsv, classes.tsv, timeline.tsv there. Exit status
# 3: a kick of one side is missing on the other; 1: a check failed or a tool did.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${BUILD:-$here/../build}
cell=${1:?usage: finish_cell.sh CELLDIR}

param() {
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$cell/cell.tsv"
}

# after - before, by name, of two snapshots; names that only one of them has are an error.
delta() {
    awk -F '\t' 'NR == FNR { before[$1] = $2; next }
        !($1 in before) { print FILENAME ": counter " $1 " has no value before the load" > "/dev/stderr"; exit 1 }
        { printf "%s\t%.0f\n", $1, $2 - before[$1] }' "$1" "$2"
}

# The generator and the guest both count foreign frames: the guest's gets its side into the name.
collect() {
    delta "$cell/counters.before" "$cell/counters.after" | sed 's/^foreign\t/foreign_guest\t/'
    delta "$cell/host.before" "$cell/host.after"
    cat "$cell/loadgen.tsv"
    cat "$cell/join.tsv"
    # kit/cell.sh waits for the ring to stand still; what it may still hold are only the buffers
    # posted for receiving, so the pool must be as full as before.
    awk -F '\t' '$1 == "pool_free" { v[++n] = $2 } END { printf "drained\t%d\n", v[1] == v[2] }' \
        "$cell/counters.before" "$cell/counters.after"
}

number=$(param host:number)
"$bin/trace/join/hostlog2ctf" --log "$cell/host.log" --pid "$(param host:qemu_pid)" \
    --begin $((2 * number)) --end $((2 * number + 1)) --out "$cell/host" >"$cell/hostlog.tsv"
status=0
"$bin/trace/join/ringjoin" --guest "$cell/guest" --host "$cell/host" --out "$cell" \
    --timeline "$cell/timeline.tsv" >"$cell/join.log" || status=$?
[[ $status == 0 || $status == 3 ]] || exit 1
collect >"$cell/counters.part"
mv "$cell/counters.part" "$cell/counters.tsv"
rm -f "$cell"/{counters,host}.{before,after}
gzip -9 -n -f "$cell/host.log"
exit "$status"
