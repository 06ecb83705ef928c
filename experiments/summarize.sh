#!/usr/bin/env bash
# Writes RESULTS/summary.tsv from every finished cell, in the order of RESULTS/cells.txt.
#   summarize.sh RESULTS
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
results=${1:?usage: summarize.sh RESULTS}

{
    awk -v header=1 -f "$here/summarize.awk" "$here/columns.tsv"
    while read -r hash _; do
        cell=$results/cells/$hash
        [[ -f $cell/DONE ]] || continue
        awk -f "$here/summarize.awk" "$here/columns.tsv" "$cell/cell.tsv" "$cell/counters.tsv"
    done <"$results/cells.txt"
} >"$results/summary.tsv.part"
mv "$results/summary.tsv.part" "$results/summary.tsv"
