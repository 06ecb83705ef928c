# Reads `gcov -b -c -t`, one report after another, and prints file, line_pct, branch_pct and a total.
# A header is reported with each source that includes it; its lines are counted once, and a line is
# reached if it is in any of them. What is not goes to the file `missed`.

function ours(file) { return file ~ /^virtio_net\/([a-z_]+|transport\/[a-z_]+)\.[ch]$/ }

function share(hit, all) { return all ? sprintf("%.1f", 100 * hit / all) : "-" }

BEGIN { OFS = "\t" }

/^ *-: *0:Source:/ {
    file = $0
    sub(/^[^S]*Source:/, "", file)
    measured = ours(file)
    line = 0
    next
}

!measured { next }

# count:line:text
/^ *[0-9#=-]+\*?: *[0-9]+:/ {
    split($0, part, ":")
    count = part[1]
    line = part[2] + 0
    text = $0
    sub(/^[^:]*:[^:]*:/, "", text)
    # Whether a record is wanted is the trace's decision, not the driver's.
    traces = text ~ /^[ \t]*TRACE[A-Z_]*\(/
    gsub(/[ *]/, "", count)
    if (count == "-" || line == 0)
        next
    key = file SUBSEP line
    if (!(key in line_hit))
        order[++lines] = key
    line_hit[key] += count + 0 > 0
    source[key] = text
    next
}

/^branch +[0-9]+ / && line && !traces {
    branch = file SUBSEP line SUBSEP $2
    if (!(branch in branch_hit))
        branch_at[file, line, branches_of[file, line]++] = branch
    branch_hit[branch] += /taken/ && $4 + 0 > 0
}

END {
    for (i = 1; i <= lines; i++) {
        key = order[i]
        split(key, at, SUBSEP)
        file = at[1]
        if (!(file in all))
            files[++n] = file
        all[file]++
        hit[file] += line_hit[key] > 0
        for (b = 0; b < branches_of[key]; b++) {
            ways[file]++
            taken = branch_hit[branch_at[key, b]] > 0
            gone[file] += taken
            if (!taken && line_hit[key])
                print file ":" at[2] ": branch " b ": " source[key] > missed
        }
        if (!line_hit[key])
            print file ":" at[2] ": line: " source[key] > missed
    }
    print "file", "line_pct", "branch_pct"
    for (i = 1; i <= n; i++) {
        file = files[i]
        print file, share(hit[file], all[file]), share(gone[file], ways[file])
        total_all += all[file]; total_hit += hit[file]
        total_ways += ways[file]; total_gone += gone[file]
    }
    print "total", share(total_hit, total_all), share(total_gone, total_ways)
}
