#!/usr/bin/env bash
# The hosted driver against DPDK's, side by side: results/bench/bench.tsv and a table.
#   bench.sh [NAME...]       all cases, or those whose names begin so
# BENCH=quick: few cases, short windows, to see that it works. PAIRS=n, WINDOW=ms: otherwise than the
# default. Both drivers run alternately, one pair after the other and each pair in the other order, the
# driver on one CPU and the backend on another. The backend has the clock.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-$root/build}
results=${RESULTS:-$root/results}/bench
hosted=$BUILD/virtio_net/hosted
peers=$BUILD/experiments/peers
bench=${BENCH:-full}
case $bench in
full) pairs=${PAIRS:-8} window=${WINDOW:-300} ;;
quick) pairs=${PAIRS:-2} window=${WINDOW:-50} ;;
*)
    echo "bench.sh: BENCH=$bench: full or quick" >&2
    exit 2
    ;;
esac
warm=50
driver_cpu=0 backend_cpu=1
# The driver's time: warm-up and window, and a margin so that the window always ends within it.
seconds=$(awk -v ms=$((warm + window)) 'BEGIN { print ms * 1.25 / 1000 + 0.05 }')

die() {
    echo "bench.sh: $*" >&2
    exit 1
}

(($(nproc) > 1)) || die "one CPU: driver and backend need one each"
for program in "$peers/dpdk_driver" "$peers/vhost_backend" "$hosted/source-poll"; do
    [[ -x $program ]] || die "$program is not there: run it as make bench"
done

work=$(mktemp -d)
backend=''
stop_backend() {
    [[ -n $backend ]] || return 0
    kill "$backend" 2>/dev/null || true
    wait "$backend" 2>/dev/null || true
    backend=''
}
trap 'stop_backend; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# No huge pages, no devices, no files left behind: runs as anyone, anywhere.
eal=(--no-huge -m 256 --no-pci --no-telemetry --no-shconf --log-level=4)

start_backend() { # DO BYTES
    stop_backend
    rm -f "$work/socket"
    : >"$work/backend.tsv"
    "$peers/vhost_backend" -l $backend_cpu "${eal[@]}" --file-prefix "rsb$$" -- --socket "$work/socket" \
        --do "$1" --size "$2" --warm $warm --window "$window" >"$work/backend.tsv" 2>"$work/backend.log" &
    backend=$!
    for _ in {1..200}; do
        [[ ! -S $work/socket ]] || return 0
        kill -0 "$backend" 2>/dev/null || break
        sleep 0.05
    done
    cat "$work/backend.log" >&2
    die "the backend did not start"
}

run_ours() { # PROGRAM MODE BYTES RING FORMAT WINDOW
    local options=()
    [[ $1 != source ]] || options+=(--size "$3")
    [[ $5 != packed ]] || options+=(--packed)
    [[ $6 == 0 ]] || options+=(--window "$6")
    taskset -c $driver_cpu "$hosted/$1-$2" --vhost-user "$work/socket" --seconds "$seconds" --ring "$4" \
        "${options[@]}" --out "$work/driver.tsv"
}

run_peer() { # DO BYTES RING FORMAT WINDOW
    local options=() packed=0
    [[ $1 != *-intr ]] || options+=(--intr)
    [[ $5 == 0 ]] || options+=(--window "$5")
    [[ $4 != packed ]] || packed=1
    "$peers/dpdk_driver" -l $driver_cpu "${eal[@]}" --file-prefix "rsd$$" \
        --vdev "net_virtio_user0,path=$work/socket,queue_size=$3,packed_vq=$packed,vectorized=0,in_order=0,mrg_rxbuf=0,mac=52:54:00:12:34:56" \
        -- --do "${1%-intr}" --size "$2" --ring "$3" --seconds "$seconds" "${options[@]}" --out "$work/driver.tsv"
}

# What the backend said of the driver that has just gone, and the driver of itself: one line of samples.
sample() { # NAME PAIR SIDE LINES_BEFORE
    local line
    for _ in {1..100}; do
        line=$(tail -n +$(($4 + 1)) "$work/backend.tsv")
        [[ -z $line ]] || break
        sleep 0.02
    done
    [[ $line == *pps=[0-9]* ]] || die "$1, $3: the window did not end: ${line:-nothing from the backend}"
    awk -F '\t' -v name="$1" -v pair="$2" -v side="$3" -v line="$line" '
        { own[$1] = $2 }
        END {
            OFS = "\t"
            n = split(line, word, "\t")
            for (i = 1; i <= n; i++) { at = index(word[i], "="); v[substr(word[i], 1, at - 1)] = substr(word[i], at + 1) }
            frames = own["rx_packets"] > own["tx_packets"] ? own["rx_packets"] : own["tx_packets"]
            print name, pair, side, v["pps"], 1e6 / v["pps"], own["cpu_ns"] / frames, v["busy"],
                v["frames_per_pass"], v["features"]
        }' "$work/driver.tsv" >>"$samples"
}

run_side() { # SIDE PAIR, and the case in the shell's variables
    local before
    before=$(wc -l <"$work/backend.tsv")
    if [[ $1 == ours ]]; then
        run_ours "$program" "$mode" "$bytes" "$ring" "$format" "$outstanding"
    else
        run_peer "$peer" "$bytes" "$ring" "$format" "$outstanding"
    fi >"$work/driver.log" 2>&1 || {
        cat "$work/driver.log" >&2
        die "$name: $1 failed"
    }
    sample "$name" "$2" "$1" "$before"
}

chosen() {
    local name rest prefix
    "$here/cases.sh" "$bench" | while read -r name rest; do
        (($# > 0)) || echo "$name $rest"
        for prefix in "$@"; do
            [[ $name != "$prefix"* ]] || { echo "$name $rest" && break; }
        done
    done
}

mkdir -p "$results"
samples=$results/samples.tsv.part
printf 'name\tpair\tside\tpps\tus\tcpu_ns\tbackend_busy\tframes_per_pass\tfeatures\n' >"$samples"
chosen "$@" >"$work/cases"
total=$(wc -l <"$work/cases")
((total > 0)) || die "no case begins with: $*; there are: $("$here/cases.sh" "$bench" | cut -d ' ' -f 1 | xargs)"
done_cases=0
while read -r name program mode peer job bytes ring format outstanding units <&3; do
    # Left: what a case has taken so far, times the cases left.
    left=''
    ((done_cases == 0)) || left=", about $((SECONDS * (total - done_cases) / done_cases)) s left"
    echo "bench $((done_cases + 1))/$total: $name$left"
    start_backend "$job" "$bytes"
    for ((pair = 0; pair < pairs; pair++)); do
        if ((pair % 2 == 0)); then order="ours peer"; else order="peer ours"; fi
        for side in $order; do run_side "$side" "$pair"; done
    done
    echo "$name $units" >>"$work/units"
    done_cases=$((done_cases + 1))
done 3<"$work/cases"
stop_backend
mv "$samples" "$results/samples.tsv"
awk -f "$here/ratio.awk" "$work/units" "$results/samples.tsv" >"$results/bench.tsv.part"
mv "$results/bench.tsv.part" "$results/bench.tsv"
"$here/table.sh" "$results/bench.tsv"
