#!/usr/bin/env bash
# The joiner's speed beside babeltrace2's on the same traces: results/bench/join.tsv.
#   MIB="16 256 2048" bench.sh     sizes of the made-up traces, both sides together
# babeltrace2 only reads (sink.utils.dummy), or prints (text); the joiner reads three times and joins.
set -euo pipefail
bin=${BUILD:?}/trace/join
out=${RESULTS:?}/bench
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out"

# measure NAME MIB RECORDS COMMAND...: one row
measure() {
    local name=$1 mib=$2 records=$3 cpu kib
    shift 3
    IFS=$'\t' read -r cpu kib < <("$bin/bench/measure" "$@")
    awk -v OFS='\t' -v name="$name" -v mib="$mib" -v n="$records" -v cpu="$cpu" -v kib="$kib" \
        'BEGIN { print name, mib, n, cpu, sprintf("%.3f", n / cpu / 1e6), sprintf("%.1f", kib / 1024) }'
}

{
    printf 'name\tmib\trecords\tcpu_s\trecords_per_us\tpeak_mib\n'
    for mib in ${MIB:-16 256}; do
        "$bin/bench/generate" "$mib" "$scratch/guest" "$scratch/host"
        join=("$bin/ringjoin" --guest "$scratch/guest" --host "$scratch/host" --out "$scratch/out")
        "${join[@]}" --chains-max 0 >/dev/null
        records=$(awk '/^(guest|host)_records/ { n += $2 } END { print n }' "$scratch/out/join.tsv")
        measure ringjoin "$mib" "$records" "${join[@]}"
        measure 'ringjoin, no chains.tsv' "$mib" "$records" "${join[@]}" --chains-max 0
        command -v babeltrace2 >/dev/null || continue
        measure 'babeltrace2 dummy' "$mib" "$records" babeltrace2 "$scratch/guest" "$scratch/host" \
            --component=sink.utils.dummy
        measure 'babeltrace2 text' "$mib" "$records" babeltrace2 "$scratch/guest" "$scratch/host"
    done
} >"$out/join.tsv.part"
mv "$out/join.tsv.part" "$out/join.tsv"
column -t -s $'\t' "$out/join.tsv"
