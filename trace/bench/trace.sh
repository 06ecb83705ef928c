#!/usr/bin/env bash
# What a trace event costs, side by side with LTTng-UST and with a ring after ftrace's, in one process:
# results/bench/trace.tsv and a table.   BENCH=quick: few rounds, to see that it works.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-$root/build}
results=${RESULTS:-$root/results}/bench
program=$BUILD/trace/bench/trace_cost

die() {
    echo "trace.sh: $*" >&2
    exit 1
}
case ${BENCH:-full} in
full) rounds=21 events=20000 ;;
quick) rounds=3 events=2000 ;;
*) die "BENCH=$BENCH: full or quick" ;;
esac
[[ -x $program ]] || die "no $program: make bench-trace-built"
command -v lttng-sessiond >/dev/null || die "no lttng-sessiond: apt-get install lttng-tools"
command -v valgrind >/dev/null || die "no valgrind: apt-get install valgrind"

work=$(mktemp -d)
# A daemon of our own, which ends with us: its files, and so its sockets, are in our folder. It takes the
# user's place, for root would otherwise share the system's.
export LTTNG_HOME=$work LTTNG_RUNDIR=$work/run LTTNG_UST_APP_PATH=$work/run
daemon=''
trap '[[ -z $daemon ]] || kill "$daemon" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_lttng() {
    mkdir -p "$LTTNG_RUNDIR"
    lttng-sessiond --no-kernel >"$work/sessiond.log" 2>&1 &
    daemon=$!
    for _ in {1..600}; do
        ! lttng --no-sessiond list >/dev/null 2>&1 || break
        sleep 0.1
    done
    {
        lttng --no-sessiond create bench --snapshot --output="$work/lttng"
        # Four times 256 KiB a CPU, overwritten: as much as ours.
        lttng --no-sessiond enable-channel --userspace --overwrite --subbuf-size=256k --num-subbuf=4 bench
        lttng --no-sessiond enable-event --userspace --channel=bench ringscope:on
        lttng --no-sessiond start
    } >"$work/lttng.log" 2>&1 || die "LTTng: $(tail -n 1 "$work/lttng.log")"
}

# instructions SIDE: of an event, in our sources; LTTng has threads of its own in the program
instructions() {
    local n=20000 of=()
    for k in 1 2; do
        LTTNG_UST_REGISTER_TIMEOUT=0 valgrind --tool=callgrind --callgrind-out-file="$work/profile" \
            "$program" run "$1" $((k * n)) >"$work/valgrind.log" 2>&1 || die "$1: $(tail -n 1 "$work/valgrind.log")"
        of+=("$(awk -v files='/trace/.*[.][ch]$' -f "$root/experiments/bench/selfcost.awk" "$work/profile")")
    done
    awk -v n=$n -v a="${of[0]}" -v b="${of[1]}" 'BEGIN { printf "%.2f\n", (b - a) / n }'
}

# Exact, so the interval is the ratio.
instruction_row() { # NAME OURS PEER PEER_NAME
    awk -v name="$1" -v ours="$(instructions "$2")" -v peer="$(instructions "$3")" -v who="$4" 'BEGIN {
        OFS = "\t"
        ratio = sprintf("%.3f", peer / ours)
        print name, ours, peer, who, "instructions", ratio, ratio, ratio, 1
    }'
}

mkdir -p "$results"
start_lttng
LTTNG_UST_REGISTER_TIMEOUT=-1 "$program" samples "$rounds" "$events" >"$work/samples"
grep -q '^trace_on	.*peer' "$work/samples" || die "LTTng-UST recorded nothing: $(tail -n 1 "$work/sessiond.log")"
printf '%s\n' 'trace_off ns bare-loop' 'trace_masked ns lttng-ust' 'trace_on ns lttng-ust' \
    'trace_on_ring ns ftrace-like' 'trace_full ns ftrace-like' >"$work/units"
{
    awk -f "$root/experiments/bench/ratio.awk" "$work/units" "$work/samples" | cut -f 1-9
    instruction_row instr_trace_masked masked bare bare-loop
    instruction_row instr_trace_on on ring ftrace-like
    instruction_row instr_trace_full full ring_full ftrace-like
} >"$results/trace.tsv.part"
mv "$results/trace.tsv.part" "$results/trace.tsv"
cp "$work/samples" "$results/trace_samples.tsv"
column -t -s $'\t' "$results/trace.tsv"
