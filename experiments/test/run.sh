#!/usr/bin/env bash
# Runs the test suites of a tier and counts: the last line is "N passed, N failed".
#   run.sh fast|all [SUITE...]
# The output of each suite goes to build/test/NAME.log; of a failed one the tail is shown.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
export BUILD=${BUILD:-$PWD/build}
tier=${1:-}
shift || true
case $tier in
fast | all) ;;
*)
    echo "usage: run.sh fast|all [SUITE...]; suites: $(cut -f1 "$here/suites.tsv" | grep -v '^#' | xargs)" >&2
    exit 2
    ;;
esac
logs=$BUILD/test
mkdir -p "$logs"

# Counts results in the words of cmocka and of TAP (bats). A suite that counts nothing, or fails
# without saying which test, is one failure.
count() {
    awk -v status="$2" '
        /^\[  PASSED  \] [0-9]+ test/ { pass += $4 }
        /^\[  FAILED  \] [0-9]+ test/ { fail += $4 }
        /^\[  SKIPPED \] [0-9]+ test/ { skip += $4 }
        /^ok [0-9]+/ { if (tolower($0) ~ /# skip/) skip++; else pass++ }
        /^not ok [0-9]+/ { fail++ }
        END {
            if (status != 0 && !fail || !pass && !skip && !fail) fail++
            print pass + 0, fail + 0, skip + 0
        }' "$1"
}

run_suite() {
    local name=$1 command=$2 log=$logs/$1.log status=0 start=$SECONDS p f s
    bash -c "$command" >"$log" 2>&1 </dev/null || status=$?
    read -r p f s < <(count "$log" "$status")
    echo "$p $f $s" >"$logs/$name.count"
    printf '%-8s %4d passed %3d failed %3d skipped  %4d s\n' "$name" "$p" "$f" "$s" $((SECONDS - start))
    grep -i '^ok .*# skip' "$log" | sed 's/^/         /'
    if [[ $f != 0 ]]; then
        grep -nE '^not ok|FAILED|rror:|assert' "$log" | head -n 20
        echo "--- the end of $log:"
        tail -n 25 "$log"
    fi
}

# The fast suites share nothing and run side by side; the others time guests and want the machine.
run_suites() {
    local name tiers command jobs=1
    [[ $tier != fast ]] || jobs=$(nproc)
    while IFS=$'\t' read -r name tiers command <&3; do
        [[ $name != \#* && " $tiers " == *" $tier "* ]] || continue
        [[ $# == 0 || " $* " == *" $name "* ]] || continue
        while (($(jobs -rp | wc -l) >= jobs)); do
            wait -n
        done
        run_suite "$name" "$command" 3<&- &
    done 3<"$here/suites.tsv"
    wait
}

rm -f "$logs"/*.count
if ! make -s -j"$(nproc)" kit >"$logs/build.log" 2>&1; then
    tail -n 20 "$logs/build.log"
    echo "0 1 0" >"$logs/build.count"
else
    run_suites "$@"
fi
read -r passed failed skipped < <(cat "$logs"/*.count | awk '{ p += $1; f += $2; s += $3 }
    END { print p + 0, f + 0, s + 0 }')
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed == 0 && $passed -gt 0 ]]
