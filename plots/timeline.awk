# Puts one chain's lanes into drawing order and says beside each what the picture needs.
BEGIN {
    n = split("publish,kick,vhost service,call,irq,harvest", name, ",")
    for (i = 1; i <= n; i++) order[name[i]] = i
}
function bad(why) {
    printf "%s: line %d: %s; join that cell's traces again\n", FILENAME, FNR, why > "/dev/stderr"
    failed = 1; exit 1
}
{ sub(/\r$/, "") }
/^#/ {
    line = $0; sub(/^# */, "", line); key = line; sub(/[ \t=:].*/, "", key)
    sub(/^[^ \t=:]*[ \t=:]*/, "", line); meta[key] = line; keys = keys " " key
    next
}
$0 == "" || $1 == "lane" { next }
!($1 in order) { bad("lane '" $1 "' is not one of publish, kick, vhost service, call, irq, harvest") }
!isnum($2) || !isnum($3) || $3 < $2 { bad("'" $2 "' to '" $3 "' is no interval") }
{
    if (k == 0 || $2 < t0) t0 = $2
    if (k == 0 || $3 > t1) t1 = $3
    k++; lane[k] = $1; from[k] = $2; to[k] = $3; text[k] = $4
}
# Three significant digits: more would claim what the clock bound does not give.
# Three figures, never an exponent; an instant has no length to name.
function us(x) { return x >= 1000 ? sprintf("%.0f", x) : sprintf("%.3g", x) }
function length_of(x) { return x > 0 ? us(x) " us" : "" }
END {
    if (failed) exit 1
    if (!k) { FNR = 1; bad("no lane in it") }
    bound = meta["clock_bound_us"]
    print "# title One notification, end to end"
    print "# caption git " git ", n = 1 chain, " mode ", EVENT_IDX " ev ", " load + 0 " frames/s offered"
    print "# tag " (emulated == 1 ? "emulated: counts only" : "")
    print "# cell " cell
    print "# bound " (isnum(bound) ? bound : -1)
    print "# queue " meta["queue"]
    print "# span " t1 - t0
    print "lane" OFS "y" OFS "side" OFS "start_us" OFS "end_us" OFS "label"
    for (i = 1; i <= k; i++)
        print lane[i], n + 1 - order[lane[i]], (lane[i] == "vhost service" || lane[i] == "call") ? "host" : "guest", \
            from[i] - t0, to[i] - t0, text[i] (text[i] == "" || to[i] == from[i] ? "" : ", ") length_of(to[i] - from[i])
}
