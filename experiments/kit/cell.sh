#!/usr/bin/env bash
# On the host: one load on the running guest, with both traces, into the folder OUT.
#   cell.sh OUT frame_bytes=… arrival=… offered_pps=… seconds=… seed=… number=…
# The guest and the tracer run already; number is unique in the tracer's life (the mark's number).
#
# A cell begins and ends at quiet points: the ring drained and no counter of frames moving, which
# is also the check that it drains with no further stimulus.
set -euo pipefail
cd "$(dirname "$0")"

tap=ringscope0
ram=/dev/shm/ringscope-guest.ram
log=tracer/host.log

die() {
    echo "cell.sh: $*" >&2
    exit 1
}

frames() {
    ./ringsnap "$ram" counters |
        awk '$1 ~ /^(rx_packets|tx_packets|rx_posted|tx_posted|pool_free|echoed)$/'
}

wait_quiet() {
    local before after try
    before=$(frames)
    for try in {1..60}; do
        sleep 0.1
        after=$(frames)
        [[ $before != "$after" ]] || return 0
        before=$after
    done
    die "the guest never became quiet: frames still move ${try}00 ms after the load"
}

# Counters of the host's own side: everything that can lose a frame between generator and guest.
host_counters() {
    local name
    for name in tx_packets tx_dropped rx_packets rx_dropped; do
        printf 'tap_%s\t%s\n' "$name" "$(<"/sys/class/net/$tap/statistics/$name")"
    done
    printf 'softnet_dropped\t%d\n' \
        $((0$(awk '{ printf "+0x%s", $2 }' /proc/net/softnet_stat)))
}

# Everything that the probes saw before the mark is in the log once every CPU's mark is.
wait_for_mark() {
    local cpus
    cpus=$(getconf _NPROCESSORS_ONLN)
    for _ in {1..200}; do
        [[ $(tail -c +"$2" "$log" | grep -c "^R .* 69 255 .* $1 0\$" || true) -lt $cpus ]] || return 0
        sleep 0.05
    done
    die "mark $1 did not appear in the host's log within 10 s: is bpftrace alive?"
}

# Of every CPU, with its losses, as `cut` takes them.
positions() {
    ./ringsnap "$ram" position | awk '{ printf "%s%s:%s", (NR > 1 ? "," : ""), $2, $3 }'
}

snapshot() {
    ./ringsnap "$ram" counters >"$out/counters.$1"
    host_counters >"$out/host.$1"
}

out=${1:?usage: cell.sh OUT name=value…}
shift
frame_bytes=60 arrival=constant offered_pps=100 seconds=1 seed=1 number=1
for arg in "$@"; do
    case ${arg%%=*} in
    frame_bytes | arrival | offered_pps | seconds | seed | number) declare "$arg" ;;
    *) die "unknown argument '$arg'" ;;
    esac
done

rm -rf "$out"
mkdir -p "$out"
wait_quiet
snapshot before
offset=$(($(stat -c %s "$log") + 1))
from=$(positions)
./mark $((2 * number))
./loadgen --port "packet:$tap" --dst 52:54:00:00:00:01 --size "$frame_bytes" --arrival "$arrival" --rate "$offered_pps" \
    --seconds "$seconds" --seed "$seed" --run "$number" --out "$out" >"$out/loadgen.log"
wait_quiet
./mark $((2 * number + 1))
to=$(positions)
snapshot after
./ringsnap "$ram" cut --from "$from" --to "$to" --out "$out/guest" >"$out/cut.tsv"
wait_for_mark $((2 * number + 1)) "$offset"
tail -c +"$offset" "$log" >"$out/host.log"
cp tracer/*.err "$out/" 2>/dev/null || true
