# Checks every cell of a summary against the invariants that hold in any machine, emulated or
# not, and the two shapes that counts must show. -v med=FILE is the table of medians.
# pass: every cell passes. fail: at least one fails. undecidable: none fails, but at least one
# cell lacks what the check needs; a missing number is never taken for a zero.

function name() {
    return val("mode") "/" on_off(val("event_idx")) "/" val("offered_pps") + 0 "#" val("rep") " (" val("cell") ")"
}
function tally(check, outcome, who,   k) {
    if (!(check in seen)) { seen[check] = 1; list[++nc] = check }
    k = check SUBSEP outcome
    count[k]++; total[check]++
    if (outcome == "pass") return
    # Eight names show where to look; a thousand would hide it.
    if (count[k] <= 8) names[k] = names[k] (count[k] == 1 ? "" : ", ") who
}
function want(check) { if (!(check in seen)) { seen[check] = 1; list[++nc] = check; total[check] = 0 } }
# Outcome of "a equals b" when either may not have been measured.
function equal(a, b) { return isnum(a) && isnum(b) ? (a == b ? "pass" : "fail") : "undecidable" }
function differ(what, a, b) { return name() " " what " " (a == "" ? "?" : a) " against " (b == "" ? "?" : b) }

function frames(   i, base, d, v, drops, known, gone, o) {
    # The schedule is the base where it was recorded; then a failed send is a drop like any other.
    base = isnum(val("offered")) ? val("offered") : val("sent"); d = val("delivered"); drops = 0; known = ndrop > 0
    for (i = 1; i <= ndrop; i++) {
        v = val(drop[i])
        if (drop[i] == "drops_send" && !isnum(val("offered"))) continue
        if (!isnum(v)) known = 0
        # What the guest took for foreign may be ours damaged or the host's own: it is a range.
        else if (drop[i] != "drops_foreign") drops += v
    }
    gone = isnum(base) && isnum(d) ? base - d - drops : ""
    if (gone == "") o = "undecidable"
    else if (gone == 0 || (gone > 0 && gone <= val("drops_foreign") + 0)) o = "pass"
    # Frames may be missing into a counter nobody read, but none may appear from nothing.
    else o = (known || gone < 0) ? "fail" : "undecidable"
    tally("offered = delivered + named drops", o, differ("offered", base, isnum(d) ? d + drops : ""))
}
function kicks(q, check) {
    tally(check, equal(val(q "_kicks"), val("host_" q "_kicks")), differ("guest", val(q "_kicks"), val("host_" q "_kicks")))
}
function poll_irqs(   a, b) {
    if (val("mode") != "poll") return
    a = val("irqs_rx"); b = val("irqs_tx")
    tally("interrupts under polling = 0", isnum(a) && isnum(b) ? (a + b == 0 ? "pass" : "fail") : \
          (a > 0 || b > 0) ? "fail" : "undecidable", name() " rx " a ", tx " b)
}
function zero(column, check) { tally(check, equal(val(column), "0"), name() " " (val(column) == "" ? "not measured" : val(column))) }
# A queue that had to be nudged did not drain by itself, whatever it delivered in the end.
function drains(   r, d, o) {
    r = val("rescues"); d = val("drained")
    if ((isnum(r) && r > 0) || d == "0" || d == "no") o = "fail"
    else o = (isnum(r) || d == "1" || d == "yes") ? "pass" : "undecidable"
    tally("ring drains without further stimulus", o, name() (isnum(r) ? " rescues " r : " not recorded"))
}

BEGIN { FEW = 5 }
FNR == 1 && NR == 1 {
    header()
    for (i = 1; i <= ncol; i++) if (colname[i] ~ /^drops_/) drop[++ndrop] = colname[i]
    next
}
$0 == "" || FILENAME == med { next }
{
    frames()
    kicks("tx", "guest kicks = host kicks, transmit queue")
    kicks("rx", "guest kicks = host kicks, receive queue")
    want("interrupts under polling = 0"); poll_irqs()
    zero("stalls", "stalls = 0")
    drains()
    zero("trace_lost", "trace records lost = 0")
    add_publishes()
}

# ---- shapes, on medians -----------------------------------------------------------------
# Kicks per packet are kicks per publish, which is what EVENT_IDX is about, by publishes per packet,
# which is how the frames happened to come: a machine that had other work for a while makes bursts,
# and bursts need fewer kicks whatever asks for them. So an excess counts only as far as bursts do not
# explain it; then a pair of FEW repetitions fails if its ranges are apart by half, and the set if a
# sign test over all pairs says so.
function event_idx_shape(   key, on, off, worse, better, check, i) {
    check = "kicks per packet with EVENT_IDX <= without"
    want(check)
    for (i = 1; i <= npair; i++) {
        key = pair[i]
        if (!((key, 1) in km) || !((key, 0) in km)) continue
        on = km[key, 1]; off = km[key, 0]
        if (on * 1.05 < off) better++
        if (on <= off * 1.05) tally(check, "pass")
        else if (bursts_explain(key)) tally(check, "undecidable", label[key] " " on " against " off \
            sprintf(" in bursts of %.3g against %.3g", batch[key, 1], batch[key, 0]))
        else {
            worse++
            tally(check, kn[key, 0] >= FEW && kn[key, 1] >= FEW && klo[key, 1] > 1.5 * khi[key, 0] ? "fail" : "undecidable", \
                  label[key] " " on " against " off)
        }
    }
    if (sign_p(worse + 0, worse + better) < 0.05)
        tally(check, "fail", worse " of " worse + better " pairs that differ are worse with it, sign test p < 0.05")
}
function bursts_explain(key) {
    return batch[key, 0] != "" && batch[key, 1] != "" && km[key, 1] * batch[key, 1] <= km[key, 0] * batch[key, 0] * 1.05
}
# P(at least k heads in n fair throws).
function sign_p(k, n,   i, p, c) {
    if (n == 0) return 1
    c = 1; p = 0
    for (i = 0; i <= n; i++) { if (i >= k) p += c; c = c * (n - i) / (i + 1) }
    return p / 2 ^ n
}
# Per publish, not per packet: how many packets one publish carries is the moment's, whether a
# publish kicks is the mechanism's. Summed over repetitions, as both numbers are counts.
function add_publishes(   key) {
    if (!isnum(val("tx_kicks")) || !isnum(val("tx_kicks_suppressed"))) return
    key = trim(val("ring_size") " " val("frame_bytes") " " val("mode") "/" val("offered_pps") + 0)
    if (!(key in share_seen)) { share_seen[key] = 1; share_key[++nshare] = key }
    share_kicks[key, val("event_idx") + 0] += val("tx_kicks")
    share_all[key, val("event_idx") + 0] += val("tx_kicks") + val("tx_kicks_suppressed")
}
function publish_shape(   check, i, key, on, off) {
    check = "kicks per publish with EVENT_IDX <= without"
    want(check)
    for (i = 1; i <= nshare; i++) {
        key = share_key[i]
        if (!share_all[key, 0] || !share_all[key, 1]) continue
        on = share_kicks[key, 1] / share_all[key, 1]
        off = share_kicks[key, 0] / share_all[key, 0]
        tally(check, on <= off ? "pass" : on <= off * 1.05 ? "undecidable" : "fail", key " " on " against " off)
    }
}
function hybrid_shape(   s, check, a, b, who) {
    check = "hybrid: interrupts per packet fall with load"
    want(check)
    for (s = 1; s <= nser; s++) {
        a = series[s]
        who = label[a] " from " lomid[a] " at " lox[a] " to " himid[a] " at " hix[a] " frames/s"
        if (lox[a] == hix[a]) tally(check, "undecidable", label[a] " has one load only")
        else if (himax[a] < lomin[a]) tally(check, "pass")
        else if (himin[a] > lomax[a]) tally(check, "fail", who)
        else tally(check, "undecidable", who)
    }
}
function read_medians(   line, f, h, i, n, key, e, x) {
    getline line < med
    n = split(line, f, "\t"); for (i = 1; i <= n; i++) h[f[i]] = i
    while ((getline line < med) > 0) {
        split(line, f, "\t"); e = f[h["event_idx"]]; x = f[h["offered_pps"]]
        key = f[h["panel"]] SUBSEP f[h["mode"]] SUBSEP x
        if (f[h["kicks_per_tx"]] != "") {
            if (!(key in paired)) { paired[key] = 1; pair[++npair] = key; label[key] = trim(f[h["panel"]] " " f[h["mode"]] "/" x + 0) }
            kn[key, e] = f[h["n"]] + 0; km[key, e] = f[h["kicks_per_tx"]] + 0; klo[key, e] = f[h["kicks_per_tx_min"]] + 0; khi[key, e] = f[h["kicks_per_tx_max"]] + 0
            batch[key, e] = f[h["packets_per_publish"]]
        }
        if (f[h["mode"]] != "hybrid" || f[h["irqs_per_rx"]] == "" || !isnum(x)) continue
        key = f[h["panel"]] SUBSEP e
        # Loads come in rising order, so the first is the lowest and the last the highest.
        if (!(key in lox)) {
            series[++nser] = key; label[key] = trim(f[h["panel"]] " hybrid/" on_off(e)); lox[key] = x + 0
            lomid[key] = f[h["irqs_per_rx"]]; lomin[key] = f[h["irqs_per_rx_min"]] + 0; lomax[key] = f[h["irqs_per_rx_max"]] + 0
        }
        hix[key] = x + 0; himid[key] = f[h["irqs_per_rx"]]; himin[key] = f[h["irqs_per_rx_min"]] + 0; himax[key] = f[h["irqs_per_rx_max"]] + 0
    }
}
function trim(s) { sub(/^ /, "", s); return s }

function detail(check, outcome,   k, s) {
    k = check SUBSEP outcome
    if (!count[k]) return ""
    s = count[k] " of " total[check] " " outcome ": " names[k]
    return s (count[k] > 8 ? ", and " count[k] - 8 " more" : "")
}
END {
    read_medians(); publish_shape(); event_idx_shape(); hybrid_shape()
    print "check" OFS "cells" OFS "verdict" OFS "detail"
    for (i = 1; i <= nc; i++) {
        c = list[i]; f = detail(c, "fail"); u = detail(c, "undecidable")
        v = f != "" ? "fail" : (u != "" || !total[c]) ? "undecidable" : "pass"
        if (!total[c]) u = "no cell of this sweep can show it"
        print c, total[c] + 0, v, v == "pass" ? "all " total[c] " pass" : f (f != "" && u != "" ? "; " : "") u
    }
}
