# The paper's two tables. -v what=medians reads the medians, -v what=verdicts the verdicts.
FNR == 1 { header(); next }
what == "medians" {
    if (nr == 0) panel = val("panel")
    if (val("panel") != panel || !isnum(val("offered_pps"))) next
    x = val("offered_pps") + 0
    if (!(x in seen)) { seen[x] = 1; loads[++nl] = x }
    nr++; mode[nr] = val("mode"); ev[nr] = on_off(val("event_idx")); load[nr] = x
    text[nr] = " & " number(x) " & " val("n") " & " number(val("irqs_per_rx")) " & " number(val("kicks_per_tx")) " & " \
        (isnum(val("loss_pct")) ? sprintf("%.2f", val("loss_pct")) : "n/a")
    next
}
{ rows = rows tex(math($1)) " & " $2 " & " ($3 == "pass" ? "pass" : "\\textbf{" tex($3) "}") " \\\\\n" }
function math(s) { return s }
# A column holds about forty lines; beyond that the ends and the middle stand for the rest.
function kept(x,   i) {
    if (nr <= 40) return 1
    return x == loads[1] || x == loads[nl] || x == loads[int((nl + 1) / 2)]
}
END {
    print "% Generated from a sweep's results. Do not edit."
    if (what == "medians") {
        sortnum(loads, nl)
        print "\\begin{tabular}{@{}llrrrrr@{}}\\toprule"
        print "mode & idx & load & n & irqs/rx & kicks/tx & loss \\% \\\\ \\midrule"
        for (i = 1; i <= nr; i++) {
            if (!kept(load[i])) continue
            group = mode[i] " & " ev[i]
            if (last != "" && group != last) print "\\addlinespace"
            print (group == last ? " & " : tex(mode[i]) " & " ev[i]) text[i] " \\\\"
            last = group
        }
    } else {
        print "\\begin{tabular}{@{}p{0.60\\linewidth}rl@{}}\\toprule\ncheck & cells & verdict \\\\ \\midrule"
        gsub(/\\textless\{\}=/, "$\\le$", rows)
        printf "%s", rows
    }
    print "\\bottomrule\\end{tabular}"
}
