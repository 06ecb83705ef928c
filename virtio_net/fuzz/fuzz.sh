#!/usr/bin/env bash
# Runs the fuzz targets.
#   fuzz.sh for SECONDS      shares them among the targets: results/proof/fuzz.tsv, and what is found
#                            under results/fuzz/
#   fuzz.sh test             TAP: replays the corpora, and five seconds of each target
#   fuzz.sh seeds            writes corpus/ anew
# FUZZ_SEED: another one than 1; 0: one by chance.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
build=${BUILD:-$PWD/build}/virtio_net/fuzz
results=${RESULTS:-$PWD/results}
found=$results/fuzz

die() {
    echo "fuzz.sh: $*" >&2
    exit 1
}

# clang may be there and its libFuzzer not.
has_fuzzer() {
    command -v clang >/dev/null &&
        echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -x c -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null
}

# run TARGET SECONDS: goes on from the corpus and from what was learned before
run() {
    local target=$1 learned=$build/learned/$1
    mkdir -p "$learned" "$found"
    "$build/$target" -seed="${FUZZ_SEED:-1}" -max_total_time="$2" -max_len=400 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$found/$target-" "$learned" "$here/corpus/$target" \
        >"$build/$target.log" 2>&1
}

# row TARGET: of its log
row() {
    awk -v target="$1" -v artifacts="$(find "$found" -name "$1-*" -newer "$build/$1" | wc -l)" '
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
        /^stat::number_of_executed_units/ { runs = $2 }
        /^stat::average_exec_per_sec/ { rate = $2 }
        END { printf "%s\t%d\t%d\t%d\t%d\n", target, runs, rate, cov, artifacts }' "$build/$1.log"
}

show_finding() {
    echo "fuzz.sh: $1: the driver or the oracle gave way:" >&2
    grep -m 1 -E '^fuzz: |ERROR: |runtime error' "$build/$1.log" >&2 || tail -n 5 "$build/$1.log" >&2
    grep -m 1 'Test unit written' "$build/$1.log" >&2 || true
}

fuzz_for() {
    local targets target each bad=0
    read -ra targets < <(make -s fuzz-names)
    each=$(($1 / ${#targets[@]}))
    ((each > 0)) || die "T=$1: at least ${#targets[@]} seconds, one for each of: ${targets[*]}"
    mkdir -p "$results/proof" "$found"
    printf 'target\texecutions\texecutions_per_s\tcov\tfindings\n' >"$results/proof/fuzz.tsv"
    for target in "${targets[@]}"; do
        run "$target" "$each" || {
            show_finding "$target"
            bad=1
        }
        row "$target" >>"$results/proof/fuzz.tsv"
    done
    column -t -s $'\t' "$results/proof/fuzz.tsv"
    return "$bad"
}

fuzz_test() {
    local n=0 bad=0 target
    say() { # RESULT TEXT
        n=$((n + 1))
        echo "$1 $n $2"
        [[ $1 == ok ]] || bad=1
    }
    for target in $(make -s fuzz-names); do
        if "$build/$target" -runs=0 "$here/corpus/$target" >"$build/$target.log" 2>&1; then
            say ok "$target: the corpus, $(find "$here/corpus/$target" -type f | wc -l) inputs"
        else
            show_finding "$target"
            say 'not ok' "$target: the corpus"
        fi
        if run "$target" 5; then
            say ok "$target: five seconds, $(row "$target" | cut -f2) executions"
        else
            show_finding "$target"
            say 'not ok' "$target: five seconds"
        fi
    done
    return "$bad"
}

write_seeds() {
    local target
    for target in $(make -s fuzz-names); do
        rm -rf "${here:?}/corpus/$target"
        mkdir -p "$here/corpus/$target"
        "$build/$target" --seeds "$here/corpus/$target"
    done
}

job=${1:-}
[[ $job != for || ${2:-} =~ ^[1-9][0-9]*$ ]] || die "T=${2:-}: a number of seconds"
[[ " for test seeds " == *" $job "* ]] || die "usage: fuzz.sh for SECONDS | test | seeds"
if ! has_fuzzer; then
    missing="clang's libFuzzer is not here: install the Debian packages clang and libclang-rt-dev"
    [[ $job == test ]] || die "$missing"
    echo "ok 1 fuzz # skip $missing"
    exit 0
fi
make -s fuzz-targets
case $job in
for) fuzz_for "$2" ;;
test) fuzz_test ;;
seeds) write_seeds ;;
esac
