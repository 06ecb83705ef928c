# Reads a guest trace as babeltrace2 prints it (--clock-seconds) and gives, for the fault point of
# number `point`, how long it took: detect (the driver's record that names the trouble) and recover
# (entries of that queue are harvested again), both from the moment the fault fired.
#   awk -v point=0 -f recovery.awk   ->  detect_us recover_p50_us recover_p99_us recover_max_us
# Empty fields: never happened.

function field(name,    s) {
    if (!match($0, name " = [0-9]+"))
        return -1
    s = substr($0, RSTART, RLENGTH)
    sub(/.*= /, "", s)
    return s + 0
}

function percentile(p,    i) {
    i = int(p * n + 0.999999)
    return n ? sprintf("%.1f", took[i < 1 ? 1 : i]) : ""
}

{
    time = substr($1, 2, length($1) - 2) * 1000000
    event = $3
    vq = field("[ {]vq")
}

event == "fault:" && field("point") == point {
    if (!((vq) in open))
        open[vq] = time
    next
}

(event == "rescue:" || event == "drop:" || event == "broken:") && (vq in open) {
    if (detect == "" || time - open[vq] > detect)
        detect = time - open[vq]
}

event == "harvest:" && (vq in open) {
    took[++n] = time - open[vq]
    for (i = n; i > 1 && took[i] < took[i - 1]; i--) {
        t = took[i]
        took[i] = took[i - 1]
        took[i - 1] = t
    }
    delete open[vq]
}

END {
    printf "%s\t%s\t%s\t%s\n", detect == "" ? "" : sprintf("%.1f", detect), percentile(0.5),
        percentile(0.99), percentile(1)
}
