# Cuts one figure's table out of the medians, with what the picture has to say as comment lines.
# -v metrics="a b" -v axis=1 -v panel=... -v git=... -v title=... [-v lossmax=1]
# The first `axis` metrics share the y axis and so make its range.
# The gnuplot scripts read those comments, so a table redraws without its sweep at hand.
FNR == 1 { header(); nm = split(metrics, metric, " "); next }
val("panel") != panel || !isnum(val("offered_pps")) || val("offered_pps") <= 0 { next }
{
    m = val("mode"); e = val("event_idx"); load = val("offered_pps")
    if (!(m in has)) { has[m] = 1; modes = modes (modes == "" ? "" : " ") m }
    if (!(load in hasload)) { hasload[load] = 1; loads[++nl] = load }
    if (nlo == "" || val("n") + 0 < nlo) nlo = val("n") + 0
    if (val("n") + 0 > nhi) nhi = val("n") + 0
    emulated = emulated || val("emulated") == 1
    if (val("loss_pct_max") > worst) worst = val("loss_pct_max") + 0
    # A percentile over the survivors of a lossy run flatters it; the point goes, and is counted.
    lossy = lossmax != "" && val("loss_pct_max") > lossmax + 0
    if (lossy) dropped++
    # x is repeated as text for a reader; gnuplot takes it as a number.
    line = m OFS e OFS load OFS val("n")
    for (i = 1; i <= nm; i++) {
        if (lossy) { line = line OFS "NaN" OFS "NaN" OFS "NaN"; continue }
        line = line OFS cell(metric[i]) OFS cell(metric[i] "_min") OFS cell(metric[i] "_max")
        if (i <= axis) note_range(val(metric[i]), val(metric[i] "_min"), val(metric[i] "_max"), m)
    }
    rows[++nr] = line
}
function cell(name) { return val(name) == "" ? "NaN" : val(name) }
function note_range(mid, lo, hi, m) {
    if (mid == "") return
    points++; seen[m]++
    if (mid == 0) zero[m]++
    if (mid == 0 || lo == 0) zeros++
    if (hi + 0 > high) high = hi + 0
    if (mid > 0 && (low == "" || mid + 0 < low)) low = mid + 0
    if (lo > 0 && lo + 0 < low) low = lo + 0
}
function note(   m, s) {
    s = ""
    for (m in seen) if (zero[m] == seen[m]) s = s (s == "" ? "" : ", ") m
    if (s != "") s = s ": 0 at every load"
    if (dropped) s = s (s == "" ? "" : "; ") "percentiles left out where loss > " lossmax " %: " dropped " of " nr " points"
    return s
}
END {
    sortnum(loads, nl)
    for (i = 1; i <= nl; i++) list = list (i == 1 ? "" : " ") loads[i]
    print "# title " title
    print "# panel " panel
    print "# caption git " git ", n = " (nlo == nhi ? nlo + 0 : nlo "-" nhi) ", median and min-max"
    print "# tag " (emulated ? "emulated: counts only" : "")
    print "# modes " modes
    print "# loads " list
    print "# points " points + 0
    print "# zeros " zeros + 0
    print "# low " (low == "" ? 0 : low)
    print "# high " high + 0
    print "# lossmax " worst + 0
    print "# note " note()
    line = "mode" OFS "event_idx" OFS "offered_pps" OFS "n"
    for (i = 1; i <= nm; i++) line = line OFS metric[i] OFS metric[i] "_min" OFS metric[i] "_max"
    print line
    for (i = 1; i <= nr; i++) print rows[i]
}
