#!/usr/bin/env bash
# Which test shows that the driver keeps which rule of the specification: results/proof/conformance.tsv
# and the sums. Exit status 1 if a rule that a hosted test can show is open, or a test names a rule that
# there is not.
#   conformance.sh [--table]     with the whole table on the terminal
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
driver=$(dirname "$here")
table=${RESULTS:-$driver/../results}/proof/conformance.tsv
mkdir -p "$(dirname "$table")"
awk -v strict=1 -f "$here/conformance.awk" "$here/rules.tsv" "$driver/features.def" \
    "$driver/model/variants.tsv" "$driver"/test/*.c \
    "$driver"/hosted/test/test_*.c "$driver"/../faultinj/device*.c >"$table.part"
mv "$table.part" "$table"
[[ ${1:-} != --table ]] || column -t -s $'\t' "$table"
# For the runner of the tests: a rule is a test.
awk -F '\t' 'NR > 1 { printf "%s %d %s: %s\n", $4 == "open" ? "not ok" : "ok", NR - 1, $1, $3 }' "$table"
