# Every number the paper names, as one macro. Input: summary.tsv, the medians, verdicts.tsv,
# in this order. A name is made of letters only, as LaTeX asks: \rsIrqsHybridOnLow.
function def(name, value) { printf "\\newcommand{\\rs%s}{%s}\n", name, value }
function level(column,   v) {
    v = val(column)
    if (v == "" || (column, v) in met) return
    met[column, v] = 1; list[column] = list[column] (list[column] == "" ? "" : ", ") (isnum(v) ? number(v) : tex(v))
    many[column]++
}
function levels(column) { return list[column] == "" ? "not recorded" : list[column] }
FNR == 1 { file++; delete_columns(); header(); next }
function delete_columns(   c) { for (c in col) delete col[c] }
$0 == "" { next }

file == 1 {
    n = split("sweep host accel backend mode event_idx ring_size frame_bytes offered_pps rep", c, " ")
    for (i = 1; i <= n; i++) level(c[i])
    n = split("sent delivered lost chains chains_complete unmatched stalls trace_lost tx_kicks host_tx_kicks", c, " ")
    for (i = 1; i <= n; i++) if (isnum(val(c[i]))) { sum[c[i]] += val(c[i]); had[c[i]]++ }
    cells++; if (val("emulated") == 1) emulated++
    if (val("mode") == "poll") { pollcells++; if (isnum(val("irqs_rx"))) pollirqs += val("irqs_rx") + val("irqs_tx") }
    if (isnum(val("clock_bound_us")) && val("clock_bound_us") + 0 > bound) { bound = val("clock_bound_us") + 0; got["bound"] = 1 }
}
file == 2 {
    if (panels == 0) panel = val("panel")
    if (!(val("panel") in panelseen)) { panelseen[val("panel")] = 1; panels++ }
    # One set of numbers needs one set of conditions: the first panel, as the figures show.
    if (val("panel") != panel || !isnum(val("offered_pps"))) next
    x = val("offered_pps") + 0; key = cap(val("mode")) cap(on_off(val("event_idx")))
    if (low == "" || x < low) low = x
    if (high == "" || x > high) high = x
    if (nlo == "" || val("n") + 0 < nlo) nlo = val("n") + 0
    if (val("n") + 0 > nhi) nhi = val("n") + 0
    m["Irqs", key, x] = val("irqs_per_rx"); m["Kicks", key, x] = val("kicks_per_tx"); m["Loss", key, x] = val("loss_pct")
    m["Median", key, x] = val("loss_pct_max") > 1 ? "" : val("p50_us")
    m["Tail", key, x] = val("loss_pct_max") > 1 ? "" : val("p99_us")
}
file == 3 { checks++; verdict[$3]++ }

function trend(a, b) {
    if (a == "" || b == "") return "were not measured at both ends"
    if (number(a) == number(b)) return "stay at " number(a)
    return (b + 0 < a + 0 ? "fall" : "rise") " from " number(a) " to " number(b)
}
# A total over some of the cells would look like one over all.
function total(name) { return had[name] == cells ? number(sum[name]) : "n/a" }
function per_mode(   i, j, k, nm, ne, nq, mode, e, q, key) {
    nm = split("Poll Intr Hybrid", mode, " "); ne = split("On Off", e, " "); nq = split("Irqs Kicks Loss Median Tail", q, " ")
    for (i = 1; i <= nm; i++) for (j = 1; j <= ne; j++) for (k = 1; k <= nq; k++) {
        key = mode[i] e[j]
        def(q[k] key "Low", number(m[q[k], key, low])); def(q[k] key "High", number(m[q[k], key, high]))
        if (k <= 2) def("Trend" q[k] key, trend(m[q[k], key, low], m[q[k], key, high]))
    }
}
END {
    print "% Generated from a sweep's results. Do not edit: change the sweep and build again."
    print "\\newif\\ifrsemulated\\rsemulated" (emulated ? "true" : "false")
    print "\\newif\\ifrstimeline\\rstimeline" (timeline ? "true" : "false")
    print "\\newif\\ifrspanels\\rspanels" (panels > 1 ? "true" : "false")
    def("Git", tex(git)); def("Sweep", levels("sweep")); def("Tag", emulated ? "emulated: counts only" : "measured")
    def("Qemu", tex(qemu)); def("Kernel", tex(kernel)); def("Compiler", tex(compiler)); def("Bpftrace", tex(bpftrace)); def("Machine", tex(machine))
    def("Host", levels("host")); def("Accel", levels("accel")); def("Backend", levels("backend")); def("Modes", levels("mode"))
    def("Ring", levels("ring_size")); def("FrameBytes", levels("frame_bytes")); def("Loads", levels("offered_pps"))
    def("Panel", tex(panel)); def("LoadCount", number(many["offered_pps"] + 0))
    def("Cells", number(cells)); def("EmulatedCells", number(emulated + 0)); def("Reps", nlo == nhi ? number(nlo) : number(nlo) "--" number(nhi))
    def("LowLoad", number(low)); def("HighLoad", number(high))
    def("Sent", total("sent")); def("Delivered", total("delivered")); def("Lost", total("lost"))
    def("Chains", total("chains")); def("Complete", total("chains_complete")); def("Unmatched", total("unmatched"))
    def("CompleteShare", had["chains"] == cells && had["chains_complete"] == cells && sum["chains"] > 0 ? \
        sprintf("%.2f\\,\\%%", 100 * sum["chains_complete"] / sum["chains"]) : "n/a")
    def("Stalls", total("stalls")); def("TraceLost", total("trace_lost"))
    def("GuestKicks", total("tx_kicks")); def("HostKicks", total("host_tx_kicks"))
    def("PollCells", number(pollcells + 0)); def("PollIrqs", pollcells ? number(pollirqs + 0) : "n/a")
    def("Bound", got["bound"] ? number(bound) : "n/a")
    def("Checks", number(checks)); def("ChecksPass", number(verdict["pass"] + 0))
    def("ChecksFail", number(verdict["fail"] + 0)); def("ChecksOpen", number(verdict["undecidable"] + 0))
    per_mode()
}
