# Refuses a summary that cannot be drawn, in one line with the place and the remedy.
function bad(line, why, remedy) {
    printf "%s: line %d: %s; %s\n", FILENAME, line, why, remedy > "/dev/stderr"
    failed = 1
    exit 1
}
FNR == 1 {
    header()
    n = split("cell rep emulated mode event_idx offered_pps sent delivered lost kicks_per_tx irqs_per_rx " \
              "tx_kicks rx_kicks irqs_rx irqs_tx host_tx_kicks host_rx_kicks stalls trace_lost " \
              "p50_us p99_us p999_us", need, " ")
    for (i = 1; i <= n; i++)
        if (!(need[i] in col)) bad(1, "column " need[i] " is missing", "write the summary again with the current sweep tools")
    next
}
$0 == "" { next }
NF != ncol { bad(FNR, NF " fields where the header has " ncol, "run that cell again or remove the line") }
{ rows++ }
val("mode") == "" { bad(FNR, "mode is empty", "run cell " val("cell") " again") }
val("event_idx") !~ /^[01]$/ { bad(FNR, "event_idx is '" val("event_idx") "', not 0 or 1", "run cell " val("cell") " again") }
val("emulated") !~ /^[01]$/ { bad(FNR, "emulated is '" val("emulated") "', not 0 or 1", "run cell " val("cell") " again") }
val("offered_pps") != "" && !isnum(val("offered_pps")) {
    bad(FNR, "offered_pps is '" val("offered_pps") "', not a number", "run cell " val("cell") " again") }
END { if (!failed && !rows) { bad(1, "no cell below the header", "run the sweep first") } }
