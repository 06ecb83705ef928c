# One line per (panel, mode, event_idx, load): n, then median, min and max of each metric over
# the repetitions. A metric nobody measured stays empty; it is never taken for zero.
# Reads the summary twice, because panels need all rows seen first.
BEGIN {
    nm = split("irqs_per_rx kicks_per_tx p50_us p99_us p999_us delivered_pps achieved_pps loss_pct " \
               "sent delivered lost tx_packets rx_packets tx_kicks irqs_rx irqs_tx host_calls " \
               "chains chains_complete unmatched stalls trace_lost clock_bound_us packets_per_publish", metric, " ")
    ARGV[ARGC++] = ARGV[1]
}
# The rate delivered: what was really sent, times the share of it that arrived. The loss is
# counted against the schedule where that is known, since a frame refused at once is lost too.
function derived(m,   s, rate, base) {
    s = val("sent"); rate = val("achieved_pps")
    if (!isnum(rate)) rate = val("offered_pps")
    if (!isnum(s) || s <= 0 || !isnum(val("delivered"))) return ""
    base = isnum(val("offered")) ? val("offered") : s
    if (m == "loss_pct") return 100 * (base - val("delivered")) / base
    return isnum(rate) ? rate * val("delivered") / s : ""
}
function packets_per_publish(   publishes) {
    if (!isnum(val("tx_kicks")) || !isnum(val("tx_kicks_suppressed")) || !isnum(val("tx_packets"))) return ""
    publishes = val("tx_kicks") + val("tx_kicks_suppressed")
    return publishes ? val("tx_packets") / publishes : ""
}
function metric_value(m) {
    if (m == "packets_per_publish") return packets_per_publish()
    return (m == "delivered_pps" || m == "loss_pct") ? derived(m) : val(m)
}
FNR == 1 { pass++; if (pass == 1) header(); next }
$0 == "" { next }
pass == 1 { note_factors(); next }
{
    p = panel_of()
    rank = p "|" mode_rank(val("mode")) "|" 1 - val("event_idx") "|" sprintf("%020.6f", val("offered_pps"))
    if (!(rank in n)) {
        keys[++nk] = rank
        label[rank] = p OFS val("mode") OFS val("event_idx") OFS val("offered_pps")
    }
    n[rank]++
    if (val("emulated") == 1) emu[rank] = 1
    for (i = 1; i <= nm; i++) {
        v = metric_value(metric[i])
        if (isnum(v)) value[rank, i, ++cnt[rank, i]] = v
    }
}
END {
    line = "rank" OFS "panel" OFS "mode" OFS "event_idx" OFS "offered_pps" OFS "n" OFS "emulated"
    for (i = 1; i <= nm; i++) line = line OFS metric[i] OFS metric[i] "_min" OFS metric[i] "_max"
    print line
    for (k = 1; k <= nk; k++) {
        rank = keys[k]
        line = rank OFS label[rank] OFS n[rank] OFS emu[rank] + 0
        for (i = 1; i <= nm; i++) {
            c = cnt[rank, i] + 0
            if (!c) { line = line OFS OFS OFS; continue }
            for (j = 1; j <= c; j++) a[j] = value[rank, i, j]
            sortnum(a, c)
            line = line OFS show(median(a, c)) OFS show(a[1]) OFS show(a[c])
        }
        print line
    }
}
