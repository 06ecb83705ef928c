#!/usr/bin/env bash
# Checks a sweep against its invariants: RESULTS_DIR/verdicts.tsv (check cells verdict detail).
# usage: verdicts.sh RESULTS_DIR     exit status 1 if any check fails
set -euo pipefail
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_results "$@"
results=$1
med=$(mktemp) && trap 'rm -f "$med"' EXIT
medians "$results" > "$med"
write_to "$results/verdicts.tsv" awk -f "$PLOTS/lib.awk" -f "$PLOTS/verdicts.awk" -v med="$med" "$results/summary.tsv"

awk -F '\t' 'NR > 1 { printf "%-12s %s (%s)%s\n", $3, $1, $2, $3 == "pass" ? "" : ": " $4; if ($3 == "fail") bad = 1 }
    END { exit bad }' "$results/verdicts.tsv"
