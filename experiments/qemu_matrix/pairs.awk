# Pairwise rows, greedily: awk -f pairs.awk excluded.tsv factors.tsv -> "factor=level ..." a row.
# Deterministic: the same tables give the same rows.
BEGIN { FS = "\t" }
/^#/ { next }
FILENAME ~ /excluded/ {
    never[$1 "=" $2, $3 "=" $4] = never[$3 "=" $4, $1 "=" $2] = 1
    next
}
{
    factor[++factors] = $1
    for (i = 2; i <= NF; i++)
        level[factors, i - 1] = $1 "=" $i
    levels[factors] = NF - 1
}

# Whether level l of factor f can stand in the row so far.
function fits(f, l,   g) {
    for (g = 1; g <= factors; g++)
        if (row[g] && (level[f, l], level[g, row[g]]) in never)
            return 0
    return 1
}

# How many pairs that were not met yet it would bring.
function gain(f, l,   g, n) {
    for (g = 1; g <= factors; g++)
        if (g != f && row[g] && (f, l, g, row[g]) in wanted)
            n++
    return n + 0
}

# A pair that is still wanted begins the row; the other factors are added where they bring most, and among
# equals by the level that was used least.
function build(f, l, g, m,   h, best, at, i, n) {
    split("", row)
    row[f] = l
    row[g] = m
    for (h = 1; h <= factors; h++) {
        if (row[h])
            continue
        best = -1
        for (i = 1; i <= levels[h]; i++) {
            n = fits(h, i) ? gain(h, i) : -1
            if (n > best || n == best && n >= 0 && used[h, i] < used[h, at]) {
                best = n
                at = i
            }
        }
        if (best < 0)
            return 0
        row[h] = at
    }
    return 1
}

function strike_out(   f, g) {
    for (f = 1; f <= factors; f++) {
        used[f, row[f]]++
        for (g = 1; g <= factors; g++)
            delete wanted[f, row[f], g, row[g]]
    }
}

END {
    for (f = 1; f <= factors; f++)
        for (g = 1; g <= factors; g++)
            for (l = 1; f != g && l <= levels[f]; l++)
                for (m = 1; m <= levels[g]; m++)
                    if (!((level[f, l], level[g, m]) in never))
                        wanted[f, l, g, m] = 1
    for (f = 1; f <= factors; f++)
        for (g = f + 1; g <= factors; g++)
            for (l = 1; l <= levels[f]; l++)
                for (m = 1; m <= levels[g]; m++) {
                    if (!((f, l, g, m) in wanted))
                        continue
                    if (!build(f, l, g, m)) {
                        print "pairs.awk: no row can have " level[f, l] " and " level[g, m] > "/dev/stderr"
                        exit 1
                    }
                    line = ""
                    for (h = 1; h <= factors; h++)
                        line = line (h > 1 ? " " : "") level[h, row[h]]
                    print line
                    strike_out()
                }
}
