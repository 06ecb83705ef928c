# From samples to bench.tsv: medians, the median ratio of the pairs, its 95 % interval by bootstrap over
# the pairs (fixed seed, a generator of our own: the same numbers under every awk).
#   awk -f ratio.awk UNITS SAMPLES      UNITS: lines "NAME UNIT[,UNIT...] [PEER]"
# A ratio above 1 means that ours is better: more frames per second, or less time.
BEGIN {
    OFS = "\t"
    RESAMPLES = 2000
    seed = 20240229
    print "name", "ours", "peer", "peer_name", "unit", "ratio", "ci_lo", "ci_hi", "n", "backend_busy",
        "peer_backend_busy"
}

NR == FNR {
    names[++cases] = $1
    units[$1] = $2
    peer[$1] = NF > 2 ? $3 : "dpdk-virtio-user"
    next
}
FNR == 1 {
    for (i = 1; i <= NF; i++) column[$i] = i
    next
}
{
    if ($column["pair"] + 1 > pairs[$1]) pairs[$1] = $column["pair"] + 1
    for (c in column) value[$1, $column["pair"], $column["side"], c] = $column[c]
}

# As of Park and Miller, whose products fit a double.
function random(n) {
    seed = (seed * 16807) % 2147483647
    return int(seed / 2147483647 * n)
}

function sort(a, n,    i, j, x) {
    for (i = 2; i <= n; i++) {
        x = a[i]
        for (j = i - 1; j >= 1 && a[j] > x; j--) a[j + 1] = a[j]
        a[j + 1] = x
    }
}

function median(a, n,    s, i) {
    for (i = 1; i <= n; i++) s[i] = a[i]
    sort(s, n)
    return n % 2 ? s[(n + 1) / 2] : (s[n / 2] + s[n / 2 + 1]) / 2
}

function median_of(name, side, what,    a, i) {
    for (i = 1; i <= pairs[name]; i++) a[i] = value[name, i - 1, side, what] + 0
    return median(a, pairs[name])
}

# Leaves the bounds in lo and hi.
function bootstrap(a, n,    b, k, i, picked) {
    for (k = 1; k <= RESAMPLES; k++) {
        for (i = 1; i <= n; i++) picked[i] = a[random(n) + 1]
        b[k] = median(picked, n)
    }
    heapsort(b, RESAMPLES)
    lo = b[int(RESAMPLES * 0.025) + 1]
    hi = b[int(RESAMPLES * 0.975)]
}

function sift(a, root, n,    child, x) {
    x = a[root]
    while ((child = 2 * root) <= n) {
        if (child < n && a[child + 1] > a[child]) child++
        if (a[child] <= x) break
        a[root] = a[child]
        root = child
    }
    a[root] = x
}

function heapsort(a, n,    i, x) {
    for (i = int(n / 2); i >= 1; i--) sift(a, i, n)
    for (i = n; i > 1; i--) {
        x = a[1]; a[1] = a[i]; a[i] = x
        sift(a, 1, i - 1)
    }
}

function row(name, unit,    i, a, n, o, p) {
    n = pairs[name]
    for (i = 1; i <= n; i++) {
        o = value[name, i - 1, "ours", unit]
        p = value[name, i - 1, "peer", unit]
        a[i] = unit == "pps" ? o / p : p / o
    }
    bootstrap(a, n)
    print name (unit == "cpu_ns" ? "_cpu" : ""), median_of(name, "ours", unit), median_of(name, "peer", unit),
        peer[name], unit, sprintf("%.3f", median(a, n)), sprintf("%.3f", lo), sprintf("%.3f", hi), n,
        median_of(name, "ours", "backend_busy"), median_of(name, "peer", "backend_busy")
}

END {
    for (c = 1; c <= cases; c++) {
        n_units = split(units[names[c]], unit, ",")
        for (u = 1; u <= n_units; u++) row(names[c], unit[u])
    }
}
