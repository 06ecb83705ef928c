# One row of summary.tsv:  awk -v header=1 -f summarize.awk columns.tsv        the names
#                          awk -f summarize.awk columns.tsv CELL/cell.tsv CELL/counters.tsv
# cell.tsv holds the cell's parameters and its host (param:… and host:… lines).

function sum(expr,    parts, ops, n, i, total) {
    n = split(expr, parts, /[+-]/)
    ops = expr
    gsub(/[^+-]/, "", ops)
    for (i = 1; i <= n; i++) {
        if (!(parts[i] in value))
            return ""
        total += (i > 1 && substr(ops, i - 1, 1) == "-" ? -1 : 1) * value[parts[i]]
    }
    return total
}

function field(source,    parts, a, b) {
    if (source ~ /^=/)
        return substr(source, 2)
    if (source in value)
        return value[source]
    if (source ~ /\//) {
        split(source, parts, "/")
        a = sum(parts[1])
        b = sum(parts[2])
        return a == "" || b == "" || b == 0 ? "" : sprintf("%.6g", a / b)
    }
    return sum(source)
}

BEGIN {
    FS = "\t"
    OFMT = CONVFMT = "%.15g"
}

FNR == 1 { file++ }
file == 1 && !/^#/ && NF == 2 || file == 1 && /\t=$/ {
    name[++columns] = $1
    from[columns] = $2
    next
}
file > 1 { value[$1] = $2 }

END {
    for (i = 1; i <= columns; i++)
        printf "%s%s", header ? name[i] : field(from[i]), i < columns ? "\t" : "\n"
}
