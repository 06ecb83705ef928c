#!/usr/bin/env bash
# Puts each fault of mutants.tsv into a copy of the driver and runs the driver's suite on it: at least
# one test must go red. Writes results/proof/mutants.tsv and prints it. Exit status 1 if one survives.
#   mutants.sh [NAME...]      only these; JOBS=n: so many at once (default: the processors)
# The suite's objects must be there (make test-driver); a mutant compiles what it changes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build}
out=$build/mutants
results=${RESULTS:-$root/results}/proof
table=$here/mutants.tsv

# plant NAME DIR: a copy of the sources in DIR with that fault in it.
plant() {
    local name=$1 dir=$2
    mkdir -p "$dir"
    cp -r "$root"/{virtio_net,faultinj,trace} "$dir/"
    awk -F '\t' -v name="$name" -v dir="$dir" -f "$here/replace.awk" "$table"
}

# Objects of the healthy driver, so that only what the fault touches is compiled.
borrow_objects() {
    mkdir -p "$1/build/virtio_net"
    cp -a "$build/virtio_net/test" "$1/build/virtio_net/"
    rm -rf "$1"/build/virtio_net/test/text "$1"/build/virtio_net/test/test_*
    find "$1/build" -name '*.d' -exec sed -i "s#$build/#$1/build/#g" {} +
    # The copies are new, the borrowed objects must look newer: all but those of the fault.
    find "$1/build" -name '*.o' -exec touch {} +
    sleep 0.01
    touch "$1/$2"
}

# The tests, those first that are about this source: most faults then fall at once.
tests_for() {
    local about all
    all=$(make -s -C "$1" -f virtio_net/build.mk BUILD="$1/build" test-names | xargs -n 1)
    case $2 in
    */vring* | */virtio_spec.h) about='test_ring' ;;
    */mode_*) about=test_$(basename "$2" .c) ;;
    */tx.c | */rx*.c | */offload.c) about='test_(merge|offload|trace)' ;;
    */ctrl*) about='test_ctrl' ;;
    */irq.c) about='test_(mmio|transports|watchdog)' ;;
    *) about="test_($(basename "$2" .c)|attach|transports|offload|ctrl)" ;;
    esac
    grep -E "$about" <<<"$all" || true
    grep -vE "$about" <<<"$all" || true
}

# The test that finds it, or nothing.
hunt() {
    local dir=$1 test log=$1/log
    for test in $(tests_for "$dir" "$3"); do
        if ! make -s -C "$dir" -f virtio_net/build.mk BUILD="$dir/build" VNET_WERROR= "$test" \
            >"$log" 2>&1; then
            echo "mutants.tsv: $2: does not compile: $(grep -m 1 'error' "$log")" >&2
            return 1
        fi
        if ! timeout 120 "$test" >"$log" 2>&1; then
            echo "$(basename "$test"): $(sed -n 's/^\[  FAILED  \] \(.*\)/\1/p' "$log" | head -n 1)"
            return
        fi
    done
}

try() {
    local name=$1 dir=$out/$1 file trap killer
    rm -rf "$dir"
    IFS=$'\t' read -r file trap < <(awk -F '\t' -v name="$name" '$1 == name { print $2 "\t" $3 }' "$table")
    plant "$name" "$dir" || return 1
    borrow_objects "$dir" "$file"
    killer=$(hunt "$dir" "$name" "$file") || return 1
    printf '%s\t%s\t%s\n' "$name" "$trap" "${killer:-SURVIVES}" >"$out/$name.row"
    rm -rf "$dir"
}

case ${1:-} in
--one)
    try "$2"
    exit
    ;;
--plant) # NAME DIR: for another judge
    plant "$2" "$3"
    exit
    ;;
esac
names=$(grep -v '^#' "$table" | cut -f1)
for name in "$@"; do
    grep -qxF -- "$name" <<<"$names" || {
        echo "mutants.sh: no mutant '$name'; there are: $(xargs <<<"$names")" >&2
        exit 1
    }
done
[[ $# == 0 ]] || names=$(printf '%s\n' "$@")
rm -rf "$out"
mkdir -p "$out" "$results"
xargs -P "${JOBS:-$(nproc)}" -n 1 "$0" --one <<<"$names"
{
    printf 'mutant\ttrap\tkilled_by\n'
    while read -r name; do cat "$out/$name.row"; done <<<"$names"
} >"$results/mutants.tsv.part"
mv "$results/mutants.tsv.part" "$results/mutants.tsv"
# The table, as TAP too.
awk -F '\t' 'NR > 1 {
        n++
        alive += $3 == "SURVIVES"
        printf "%s %d %-32s %-46s %s\n", ($3 == "SURVIVES" ? "not ok" : "ok"), n, $1, $2, $3
    }
    END { printf "# %d mutants, %d killed, %d survive\n", n, n - alive, alive; exit alive > 0 }' "$results/mutants.tsv"
