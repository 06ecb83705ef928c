#!/usr/bin/env bash
# The hosted driver against DPDK's, side by side: results/bench/bench.tsv and a table.
#   bench.sh [NAME...]       all cases, or those with such names; * stands for anything
# BENCH=quick: few cases, short windows, to see that it works. PAIRS=n, WINDOW=ms: otherwise than the
# default. Both drivers run alternately, one pair after the other and each pair in the other order, the
# driver on one CPU, or with several pairs of queues one each, and the backend on another. The backend
# has the clock.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-$root/build}
results=${RESULTS:-$root/results}/bench

die() {
    echo "bench.sh: $*" >&2
    exit 1
}

bench=${BENCH:-full}
case $bench in
full) pairs=${PAIRS:-6} window=${WINDOW:-100} ;;
quick) pairs=${PAIRS:-2} window=${WINDOW:-20} ;;
*) die "BENCH=$bench: full or quick" ;;
esac
# shellcheck source=SCRIPTDIR/sides.bash
source "$here/sides.bash"
patience=60 # s, with one driver
need_programs
work=$(mktemp -d)
driver=''
trap '[[ -z $driver ]] || kill "$driver" 2>/dev/null; stop_backend; rm -rf "$work"' EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

limit=()

# What the backend says of a driver, and the driver of itself: one line of samples.
sample() { # PAIR SIDE LINE
    awk -F '\t' -v name="$name" -v pair="$1" -v side="$2" -v line="$3" '
        { own[$1] = $2 }
        END {
            OFS = "\t"
            n = split(line, word, "\t")
            for (i = 1; i <= n; i++) { at = index(word[i], "="); v[substr(word[i], 1, at - 1)] = substr(word[i], at + 1) }
            frames = own["rx_packets"] > own["tx_packets"] ? own["rx_packets"] : own["tx_packets"]
            print name, pair, side, v["pps"], 1e6 / v["pps"], own["cpu_ns"] / frames, v["busy"],
                v["frames_per_pass"], v["clean"], v["dropped"], v["features"]
        }' "$work/driver.tsv" >>"$samples"
}

# A driver runs until the backend has seen enough of it.
run() { # PAIR SIDE
    local line='' status=0
    "$2" >"$work/driver.log" 2>&1 &
    driver=$!
    IFS= read -r -t "$patience" -u "$said" line || true
    kill "$driver" 2>/dev/null || true
    wait "$driver" || status=$?
    driver=''
    if [[ $status != 0 || $line != *pps=[0-9]* ]]; then
        tail -n 20 "$work/driver.log" >&2
        die "$name, $2: exit status $status, the backend said: ${line:-nothing in $patience s}"
    fi
    sample "$1" "$2" "$line"
}

run_pair() { # PAIR
    local order="ours peer" side
    (($1 % 2 == 0)) || order="peer ours"
    for side in $order; do run "$1" "$side"; done
}

chosen() {
    local name rest pattern
    "$here/cases.sh" "$bench" | while read -r name rest; do
        (($# > 0)) || echo "$name $rest"
        for pattern in "$@"; do
            # shellcheck disable=SC2053 # a pattern
            [[ $name != $pattern ]] || { echo "$name $rest" && break; }
        done
    done
}

run_cases() {
    local total finished=0 left units pair
    total=$(wc -l <"$work/cases")
    # The names are global: sides.bash reads the case from there.
    while read -r name program mode peer job bytes ring format outstanding queues units <&3; do
        left=''
        ((finished == 0)) || left=", about $((SECONDS * (total - finished) / finished)) s left"
        echo "bench $((finished + 1))/$total: $name$left"
        start_backend
        wrap=(taskset -c "$driver_cpus")
        for ((pair = 0; pair < pairs; pair++)); do run_pair "$pair"; done
        echo "$name $units" >>"$work/units"
        finished=$((finished + 1))
    done 3<"$work/cases"
    stop_backend
}

write_bench() {
    cp "$samples" "$results/samples.tsv"
    awk -f "$here/ratio.awk" "$work/units" "$results/samples.tsv" >"$results/bench.tsv.part"
}

# What is finished is not lost.
interrupted() {
    if [[ -s $work/units ]]; then
        write_bench
        mv "$results/bench.tsv.part" "$results/bench.tsv"
        "$here/table.sh" "$results/bench.tsv"
    fi
    exit "$1"
}

mkdir -p "$results"
chosen "$@" >"$work/cases"
[[ -s $work/cases ]] || die "no case is named $*; there are: $("$here/cases.sh" "$bench" | cut -d ' ' -f 1 | xargs)"
samples=$results/samples.tsv.part
printf 'name\tpair\tside\tpps\tus\tcpu_ns\tbackend_busy\tframes_per_pass\tclean\tdropped\tfeatures\n' >"$samples"
run_cases
write_bench
rm "$samples"
if (($# == 0)); then
    echo "bench: instructions, under callgrind"
    "$here/instructions.sh" "$bench" >>"$results/bench.tsv.part"
fi
mv "$results/bench.tsv.part" "$results/bench.tsv"
"$here/table.sh" "$results/bench.tsv"
