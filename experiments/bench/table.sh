#!/usr/bin/env bash
# bench.tsv for reading: table.sh results/bench/bench.tsv
set -euo pipefail
awk -F '\t' '
    # The digits that can mean something.
    function short(x) { return x >= 1000 ? sprintf("%d", x) : sprintf("%.4g", x) }
    NR == 1 {
        for (i = 1; i <= NF; i++) at[$i] = i
        print "case\tours\tDPDK\tunit\tratio\t95 %\tn\tbackend busy"
        next
    }
    {
        busy = $at["backend_busy"] == "" ? "-" : $at["backend_busy"] " / " $at["peer_backend_busy"]
        print $1 "\t" short($2) "\t" short($3) "\t" $5 "\t" $6 "\t" $7 " - " $8 "\t" $9 "\t" busy
    }' "$1" | column -t -s $'\t'
