#!/usr/bin/env bash
# Builds the driver's hosted tests for gcov, runs them, and says per file which share of its lines
# and branches they reach: results/proof/coverage.tsv, and what they miss in
# build/coverage/missed.txt. Fails below the least shares.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
out=${BUILD:-$PWD/build}/coverage
results=${RESULTS:-$PWD/results}/proof
least_lines=95 least_branches=90
flags='-O0 -g --coverage'

make_here() {
    make -s BUILD="$out" VNET_TEST_SAN="$flags" HOSTED_SAN="$flags" "$@"
}

# run NAME COMMAND...: shows what it said only if it failed
run() {
    local name=$1 log=$out/$1.log
    shift
    if ! "$@" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        echo "coverage.sh: $name fails (all of it: $log)" >&2
        exit 1
    fi
}

mkdir -p "$out" "$results"
run build make_here coverage-build
find "$out" -name '*.gcda' -delete
for test in $(make_here test-names) "$out"/virtio_net/hosted/san/test_vhost_{net,queues}; do
    run "$(basename "$test")" "$test"
done
run hosted.bats env BUILD="$out" bats --tap virtio_net/hosted/test/hosted.bats

make_here coverage-data | while read -r data; do
    [[ -e $data ]] || {
        echo "coverage.sh: no test runs ${data##*/}: is it linked to one?" >&2
        exit 1
    }
    gcov -b -c -t -r "$data"
done >"$out/gcov.txt"
awk -v missed="$out/missed.txt" -f "$here/coverage.awk" "$out/gcov.txt" >"$results/coverage.tsv.part"
mv "$results/coverage.tsv.part" "$results/coverage.tsv"
column -t -s $'\t' "$results/coverage.tsv"
awk -F '\t' -v lines="$least_lines" -v branches="$least_branches" '
    function judge(n, what, is, least) {
        printf "%s %d %s reached: %s %%, at least %s\n", (is < least ? "not ok" : "ok"), n, what, is, least
        bad += is < least
    }
    $1 == "total" { judge(1, "lines", $2 + 0, lines); judge(2, "branches", $3 + 0, branches) }
    END { exit bad > 0 || NR < 2 }' "$results/coverage.tsv" || {
    echo "coverage.sh: what no test reaches: $out/missed.txt" >&2
    exit 1
}
