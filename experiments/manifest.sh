#!/usr/bin/env bash
# Prints a flat JSON manifest: what ran, on what, with which versions.
#   manifest.sh CELL.tsv HOST.txt      of a cell
#   manifest.sh --sweep RESULTS        of a sweep
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

# name=value lines to JSON; numbers stay numbers, the rest is quoted.
to_json() {
    awk 'BEGIN { print "{" }
        {
            name = $0; sub(/=.*/, "", name)
            value = substr($0, length(name) + 2)
            # A hash of digits only is no number.
            if (value !~ /^(0|[1-9][0-9]*)$/ || name ~ /^(git|cell)$/) {
                gsub(/\\/, "&&", value)
                gsub(/"/, "\\\"", value)
                gsub(/[\001-\037]/, " ", value)
                value = "\"" value "\""
            }
            printf "%s  \"%s\": %s", (NR > 1 ? ",\n" : ""), name, value
        }
        END { print "\n}" }'
}

software() {
    local dirty=''
    git -C "$root" diff --quiet HEAD 2>/dev/null || dirty=-modified
    echo "git=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)$dirty"
    echo "compiler=$(gcc --version 2>/dev/null | sed -n 1p)"
    echo "trace_format=CTF 1.8"
}

if [[ $1 == --sweep ]]; then
    results=$2
    # To the end of the list: a reader that stops early kills sort, once a sweep has enough cells.
    first=$(find "$results/cells" -path '*/cell.tsv' | sort | sed -n 1p)
    {
        echo "sweep=$(basename "$results")"
        echo "cells=$(find "$results/cells" -name DONE | wc -l)"
        echo "finished=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
        software
        sed -n 's/^host:\(host\|accel\|emulated\)\t/\1=/p' "$first"
        sed 's/^/host_/' "$results/host.txt"
    } | to_json
else
    {
        sed -n 's/^\(param\|host\):\([^\t]*\)\t/\2=/p' "$1"
        software
        sed 's/^/host_/' "$2"
    } | to_json
fi
