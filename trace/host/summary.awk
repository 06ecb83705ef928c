# The maps that summary.bt.in leaves in the log, as tables: one row a queue, and one row a bucket of
# each histogram. Give -v workers="vhost-7 vhost-9" to keep those devices only.
#   awk -v histograms=FILE -f summary.awk host.log >summary.tsv
function start_row(key,    part) {
    if (key in row)
        return
    split(key, part, /, */)
    row[key] = ++rows
    device[rows] = part[1]
    queue[rows] = part[2] == 1 ? "tx" : "rx"
    key_of[rows] = key
}

# "[2, 4)", "[1]" and "[1K, 2K)" as bpftrace writes them: first value and first value beyond.
function bound(text,    n) {
    n = text + 0
    if (text ~ /K$/) n *= 1024
    if (text ~ /M$/) n *= 1048576
    if (text ~ /G$/) n *= 1073741824
    return n
}

function wanted(dev) {
    return workers == "" || index(" " workers " ", " " worker[dev] " ")
}

BEGIN {
    OFS = "\t"
    fields = split("kicks merged runs_kick runs_net runs_again buffers calls suppressed busy_ns", field, " ")
}

/^@[a-z_]+: / {
    name = substr($1, 2, length($1) - 2)
    scalar[name] = $2
    next
}

/^@[a-z_]+\[.*\]:/ {
    open = index($0, "[")
    close_at = index($0, "]:")
    name = substr($0, 2, open - 2)
    key = substr($0, open + 1, close_at - open - 1)
    rest = substr($0, close_at + 2)
    sub(/^ */, "", rest)
    if (name == "worker") {
        worker[key] = rest
    } else if (name != "emitted") {
        start_row(key)
        value[name, key] = rest
    }
    next
}

/^[[(]/ && /\|/ {
    label = $0
    sub(/ *\|.*/, "", label)
    count = label
    sub(/.* /, "", count)
    sub(/ *[0-9]+$/, "", label)
    gsub(/[][() ]/, "", label)
    parts = split(label, edge, ",")
    first = bound(edge[1])
    bucket[++buckets] = name SUBSEP key SUBSEP first SUBSEP \
        (parts > 1 ? bound(edge[2]) : first + 1) SUBSEP count
}

END {
    seconds = (scalar["window_end"] - scalar["window_begin"]) / 1e9
    print "worker", "device", "queue", "seconds", "kicks", "kicks_merged", "runs_kick", "runs_net",
        "runs_again", "buffers", "calls", "calls_suppressed", "busy_ns"
    for (r = 1; r <= rows; r++) {
        dev = device[r]
        if (!wanted(dev))
            continue
        if (!(dev in number))
            number[dev] = ++devices
        line = worker[dev] OFS number[dev] OFS queue[r] OFS sprintf("%.3f", seconds)
        for (f = 1; f <= fields; f++)
            line = line OFS value[field[f], key_of[r]] + 0
        print line
    }
    if (histograms == "")
        exit
    print "worker", "device", "queue", "what", "from", "below", "count" >histograms
    for (b = 1; b <= buckets; b++) {
        split(bucket[b], part, SUBSEP)
        r = row[part[2]]
        if (wanted(device[r]))
            print worker[device[r]], number[device[r]], queue[r], part[1], part[3], part[4],
                part[5] >histograms
    }
}
