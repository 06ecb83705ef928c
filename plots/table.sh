#!/usr/bin/env bash
# Prints a sweep for the terminal: one row per mode, event_idx and load, medians over n.
# usage: table.sh RESULTS_DIR
set -euo pipefail
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_results "$@"
medians "$1" | awk -f "$PLOTS/lib.awk" -f <(cat <<'AWK'
# What was not measured is a dash, so that it cannot be read as a zero.
function num(name, fmt,   v) { v = val(name); return v == "" ? "-" : sprintf(fmt, v) }
FNR == 1 {
    header()
    fmt = "%-8s %-9s %10s %3s %10s %8s %10s %10s %7s %9s %9s\n"
    next
}
val("panel") != last || FNR == 2 {
    last = val("panel"); if (last != "") print (FNR == 2 ? "" : "\n") last
    printf fmt, "mode", "event_idx", "load/s", "n", "delivered", "loss %", "irqs/rx", "kicks/tx", "stalls", "p50 us", "p99 us"
}
{
    if (val("emulated") == 1) emulated = 1
    printf fmt, val("mode"), on_off(val("event_idx")), num("offered_pps", "%.0f"), val("n"), num("delivered", "%.0f"),
        num("loss_pct", "%.2f"), num("irqs_per_rx", "%.4f"), num("kicks_per_tx", "%.4f"), num("stalls", "%.0f"),
        num("p50_us", "%.1f"), num("p99_us", "%.1f")
}
END { if (emulated) print "emulated: counts only (loads, rates and microseconds above are no results)" }
AWK
)
