# Helpers for every awk script here: columns by name, numbers, medians. mawk-compatible.
BEGIN { FS = "\t"; OFS = "\t" }

function header(   i) { for (i = 1; i <= NF; i++) { col[$i] = i; colname[i] = $i }; ncol = NF }
function val(name) { return (name in col) ? $(col[name]) : "" }
function isnum(x) { return x ~ /^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$/ }

# Plain insertion sort: a group is a handful of repetitions, and mawk has no asort.
function sortnum(a, n,   i, j, t) {
    for (i = 2; i <= n; i++) {
        t = a[i]
        for (j = i - 1; j >= 1 && a[j] + 0 > t + 0; j--) a[j + 1] = a[j]
        a[j + 1] = t
    }
}
# a must be sorted.
function median(a, n) { return n % 2 ? a[(n + 1) / 2] + 0 : (a[n / 2] + a[n / 2 + 1]) / 2 }
# %.10g keeps counts exact up to ten digits and ratios readable.
function show(x) { return sprintf("%.10g", x) }

function mode_rank(m) { return m == "poll" ? "1" : m == "intr" ? "2" : m == "hybrid" ? "3" : "4" m }
function on_off(e) { return e == 1 ? "on" : "off" }

# What has to be equal before two rows may be called repetitions of each other.
# Mode, event_idx and load are the axes of every figure, so they are kept apart.
function factors(f) {
    return split("host accel backend machine strategy ring_size frame_bytes budget watchdog_ms workload arrival seconds", f, " ")
}
# A factor splits the figures only if it varies within one mode: a strategy that
# merely names its mode is no further axis.
function note_factors(   i, n, f, v, m) {
    n = factors(f); m = val("mode")
    for (i = 1; i <= n; i++) {
        v = val(f[i])
        if (!((f[i], m) in first)) first[f[i], m] = v
        else if (first[f[i], m] != v) varies[f[i]] = 1
    }
}
function panel_of(   i, n, f, s) {
    n = factors(f); s = ""
    for (i = 1; i <= n; i++) if (f[i] in varies) s = s (s == "" ? "" : " ") f[i] "=" val(f[i])
    return s
}
