#!/usr/bin/env bash
# Injects each fault of cases.tsv into each mode and says what became of it:
# results/faults/matrix.tsv and a table. Exit status 1 if an outcome is not the expected one.
#   matrix.sh [LABEL...]      only these labels; CASES=file: instead of cases.tsv
#
# Outcomes: PASS the fault could not occur or changed nothing; RECOVERED it occurred and traffic
# goes on after it; WEDGED a queue stands still; CORRUPT frames or buffers came to harm.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
export BUILD=${BUILD:-$root/build}
# shellcheck source=experiments/udp_guest.sh
. "$root/experiments/udp_guest.sh"
# shellcheck source=experiments/interruptible.sh
. "$root/experiments/interruptible.sh"
snap=$BUILD/trace/ctf/ringsnap
loadgen=$BUILD/experiments/loadgen/loadgen
results=${RESULTS:-$root/results}/faults
cases=${CASES:-$here/cases.tsv}
work=$(mktemp -d)

counter() {
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$work/counters"
}

sum() {
    local name total=0
    for name; do
        total=$((total + $(counter "$name")))
    done
    echo "$total"
}

# load NAME main|after: over all loads of that kind
load() {
    cat "$work/$2"*/loadgen.tsv | awk -F '\t' -v name="$1" '$1 == name { sum += $2 } END { print sum + 0 }'
}

# main_load PLAN EXPECTED: until the plan has been carried out. It counts what a driver does, not frames, and
# on a busy machine the driver does much for many frames at a time.
main_load() {
    local point=${1%%:*} times=${1##*times=} i
    rm -rf "$work"/main*
    for i in {1..6}; do
        "$loadgen" --port "$udp_guest_port" --rate 200 --seconds 2 --drain-ms 3000 --out "$work/main$i" >/dev/null
        [[ $2 != PASS ]] || return 0
        "$snap" "$udp_guest_ram" counters >"$work/counters"
        (($(counter "fault_$point") < times)) || return 0
    done
}

# The fault's point number, as the trace has it.
point_number() {
    awk -v want="$1" '/^POINT\(/ { name = $1; sub(/POINT\(/, "", name); sub(/,.*/, "", name)
        if (name == want) { print n + 0; exit } n++ }' "$here/points.def"
}

# Which conservation law does not hold, or "ok".
invariants() {
    local bad=''
    [[ $(load offered main) == $(($(load sent main) + $(load send_failed main))) ]] || bad+=" offered"
    [[ $1 == 0 ]] || bad+=" buffers"
    [[ $2 == WEDGED || $(counter rx_broken) == 0 && $(counter tx_broken) == 0 ]] || bad+=" broken"
    # A wedged guest holds the rest in its ring; else every frame is delivered or dropped by name. What
    # lay in the rings when the device was reset is known by its number of buffers only.
    if [[ $2 != WEDGED ]]; then
        local unnamed=$(($(load lost main) - $(sum rx_drop_alloc rx_drop_length rx_drop_header tx_drop_offload echo_full)))
        ((unnamed >= 0 && unnamed <= $(sum rx_given_back tx_given_back))) || bad+=" frames"
    fi
    bad=${bad# }
    echo "${bad:-ok}"
}

outcome() {
    if [[ $(load duplicates main) != 0 || $(counter foreign) != 0 || $1 != 0 ]]; then
        echo CORRUPT
    elif [[ $(load delivered after) == 0 ]]; then
        echo WEDGED
    elif [[ $2 == 0 ]]; then
        echo PASS
    else
        echo RECOVERED
    fi
}

# Buffers that are neither in the pool nor in a ring.
leaked() {
    echo $(($(counter pool_total) - $(counter pool_free) - ($(sum rx_posted tx_posted) - $(
        sum rx_packets rx_drop_alloc rx_drop_length rx_drop_header rx_more_bufs tx_packets rx_given_back tx_given_back))))
}

# At a moment when nothing moves: a frame between two counters would look like a lost one. A guest that is
# kept from running stands between them for long, so what looks lost is looked for again.
read_counters() {
    local end=$((SECONDS + 60))
    "$snap" "$udp_guest_ram" counters | grep -v '^idle_tsc\|^ticks\|^switches\|polls' >"$work/counters"
    until "$snap" "$udp_guest_ram" counters | grep -v '^idle_tsc\|^ticks\|^switches\|polls' >"$work/again" &&
        cmp -s "$work/counters" "$work/again" && { (($(leaked) == 0)) || ((SECONDS >= end)); }; do
        mv "$work/again" "$work/counters"
        sleep 0.02
    done
}

run_case() {
    local label=$1 plan=$2 parameters=$3 mode=$4 expected=$5 point=${2%%:*} injected leaked result times
    udp_guest_start "$work/guest" "$mode" "workload=echo $parameters fault=$plan" || return 1
    main_load "$plan" "$expected"
    # A few frames more, long after the last fault: does anything still move?
    "$loadgen" --port "$udp_guest_port" --rate 50 --count 10 --drain-ms 10000 --out "$work/after" >/dev/null
    read_counters
    rm -rf "$work/trace"
    "$snap" "$udp_guest_ram" dump --out "$work/trace" >/dev/null
    udp_guest_stop
    injected=$(counter "fault_$point")
    leaked=$(leaked)
    result=$(outcome "$leaked" "$injected")
    times=$(babeltrace2 --clock-seconds "$work/trace" |
        awk -v point="$(point_number "$point")" -f "$here/recovery.awk")
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$label" "$mode" "$injected" "$result" "$expected" \
        "$(load lost main)" "$leaked" "$times" "$(invariants "$leaked" "$result")"
}

wanted() {
    [[ $# -gt 1 ]] || return 0
    local label=$1
    shift
    [[ " $* " == *" $label "* ]]
}

run_all() {
    printf 'fault\tmode\tinjected\toutcome\texpected\tpackets_lost\tbuffers_leaked\tdetect_us\t'
    printf 'recover_p50_us\trecover_p99_us\trecover_max_us\tinvariants\n'
    while IFS=$'\t' read -r label plan parameters modes expected <&3; do
        [[ $label != \#* ]] || continue
        wanted "$label" "$@" || continue
        for mode in $modes; do
            echo "  $label in mode $mode" >&2
            run_case "$label" "$plan" "$parameters" "$mode" "$expected" </dev/null
        done
    done 3<"$cases"
}

# A label mistyped must not pass for a matrix without surprises.
for label in "$@"; do
    cut -f1 "$cases" | grep -v '^#' | grep -Fxq -- "$label" || {
        echo "matrix.sh: no case '$label'; there are: $(cut -f1 "$cases" | grep -v '^#' | uniq | xargs)" >&2
        exit 1
    }
done
mkdir -p "$results"
status=0
interruptible run_all "$@" >"$results/matrix.tsv.part" || status=$?
# A guest that was running when the run ended early.
if [[ -s $work/guest/pid ]]; then
    udp_guest_pidfile=$work/guest/pid
    udp_guest_pid=$(<"$udp_guest_pidfile")
    udp_guest_stop
fi
rm -rf "$work"
[[ $status == 0 ]] || {
    echo "matrix.sh: ended early, $results/matrix.tsv is as it was" >&2
    exit "$status"
}
mv "$results/matrix.tsv.part" "$results/matrix.tsv"
column -t -s $'\t' "$results/matrix.tsv"
echo "emulated: the times say which mechanism recovers, not how fast a machine is"
awk -F '\t' 'NR > 1 && ($4 != $5 || $12 != "ok") {
    print "matrix.sh: " $1 " in mode " $2 ": " $4 ", expected " $5 ", invariants " $12 > "/dev/stderr"; bad = 1
} END { exit bad }' "$results/matrix.tsv"
