#!/usr/bin/env bash
# Writes the table beside each figure: RESULTS_DIR/figures/<name>[.pN].tsv.
# usage: extract.sh RESULTS_DIR
set -euo pipefail
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_results "$@"
results=$1
out=$results/figures
mkdir -p "$out"
med=$(mktemp) && trap 'rm -f "$med"' EXIT
medians "$results" > "$med"
git=$(git_of "$results")

figure() { # name suffix panel title metrics metrics-on-the-y-axis [lossmax]
    write_to "$out/$1$2.tsv" awk -f "$PLOTS/lib.awk" -f "$PLOTS/figure.awk" \
        -v panel="$3" -v title="$4" -v metrics="$5" -v axis="$6" -v lossmax="${7-}" -v git="$git" "$med"
}

# A sweep over more than mode, event_idx and load gets one set of figures per further
# combination: pooling, say, two ring sizes in one median would be a number of nothing.
load_figures() {
    local panel suffix='' i=0
    rm -f "$out"/*.p[0-9]*.*
    while IFS= read -r panel; do
        i=$((i + 1))
        [ "$i" = 1 ] || suffix=.p$i
        figure irqs_per_rx "$suffix" "$panel" 'Interrupts per received packet' irqs_per_rx 1
        figure kicks_per_tx "$suffix" "$panel" 'Kicks per transmitted packet' kicks_per_tx 1
        figure latency "$suffix" "$panel" 'Latency' 'p50_us p99_us p999_us' 3 1
        figure delivered "$suffix" "$panel" 'Delivered against offered' 'delivered_pps achieved_pps loss_pct' 1
    done < <(awk -F '\t' 'NR > 1 && !($1 in seen) { seen[$1] = 1; print $1 }' "$med")
}

# The chain shown: prefer the mode with the most lanes to show and EVENT_IDX on.
timeline_cell() {
    awk -f "$PLOTS/lib.awk" -f <(cat <<'AWK'
FNR == 1 { header(); next }
{
    m = val("mode"); rank = m == "hybrid" ? 1 : m == "intr" ? 2 : 3
    printf "%d\t%d\t%020.6f\t%s\t%s\t%s\t%s\n", rank, 1 - val("event_idx"), val("offered_pps"),
        val("cell"), m, on_off(val("event_idx")), val("emulated")
}
AWK
    ) "$results/summary.tsv" | sort | while IFS=$TAB read -r _ _ load cell mode ev emu; do
        [ -s "$results/cells/$cell/timeline.tsv" ] || continue
        printf '%s\t%s\t%s\t%s\t%s\n' "$cell" "$mode" "$ev" "$load" "$emu" && break
    done
}

timeline_figure() {
    local cell mode ev load emu
    IFS=$TAB read -r cell mode ev load emu < <(timeline_cell) || true
    if [ -z "${cell-}" ]; then
        rm -f "$out"/timeline.*
        echo "extract.sh: $results/cells: no timeline.tsv in any cell, so no timeline figure; join the traces first" >&2
        return 0
    fi
    write_to "$out/timeline.tsv" awk -f "$PLOTS/lib.awk" -f "$PLOTS/timeline.awk" \
        -v cell="$cell" -v mode="$mode" -v ev="$ev" -v load="$load" -v emulated="$emu" -v git="$git" \
        "$results/cells/$cell/timeline.tsv"
}

load_figures
timeline_figure
