# Expands a sweep file into cells, one line of name=value pairs each, all parameters in the order of
# params.tsv:  awk -f expand.awk params.tsv NAME.sweep
# Order: repetitions are blocks (drift of the machine then hits every configuration alike); inside a
# block boots are in random order, and the loads of one boot too. The order depends on the file only.

function die(text) {
    printf "%s\n", text > "/dev/stderr"
    failed = 1
    exit 1
}

function check(name, value,    part, n) {
    split(kind[name], part, ":")
    if (part[1] == "choice") {
        if (value !~ /\|/ && index("|" part[2] "|", "|" value "|"))
            return
        die(where ": " name " cannot be '" value "'; choose from " part[2])
    }
    # No leading zeros: one number would have two names, and the shell takes them for octal.
    if (value !~ /^(0|[1-9][0-9]*)$/ || value + 0 < part[2] + 0 || value + 0 > part[3] + 0)
        die(where ": " name " cannot be '" value "'; give a number from " part[2] " to " part[3])
    if (name == "ring_size") {
        for (n = 2; n < value + 0; n *= 2)
            ;
        if (n != value + 0)
            die(where ": ring_size cannot be '" value "'; give a power of two")
    }
}

function shuffled(list, count,    i, j, t) {
    for (i = count; i > 1; i--) {
        j = int(rand() * i) + 1
        t = list[i]
        list[i] = list[j]
        list[j] = t
    }
}

# All combinations of the parameters of one scope (rep left out), into out[1..].
function combine(scope, out,    i, j, k, n, m, v, old) {
    out[1] = ""
    n = 1
    for (i = 1; i <= names; i++) {
        if (scope_of[name_at[i]] != scope || name_at[i] == "rep")
            continue
        m = split(levels[name_at[i]], v, " ")
        for (j = 1; j <= n; j++)
            old[j] = out[j]
        for (j = 1; j <= n; j++)
            for (k = 1; k <= m; k++)
                out[(j - 1) * m + k] = old[j] name_at[i] "=" v[k] " "
        n *= m
    }
    return n
}

FNR == NR {
    if ($0 ~ /^#/ || $0 == "")
        next
    split($0, f, "\t")
    names++
    name_at[names] = f[1]
    scope_of[f[1]] = f[2]
    kind[f[1]] = f[3]
    levels[f[1]] = f[4]
    known = known " " f[1]
    next
}

{
    where = FILENAME ":" FNR
    sub(/#.*/, "")
    if ($0 ~ /^[ \t]*$/)
        next
    if ($0 !~ /^[ \t]*[a-z_]+[ \t]*=/)
        die(where ": expected 'parameter = level level ...'")
    name = $0
    sub(/=.*/, "", name)
    gsub(/[ \t]/, "", name)
    values = $0
    sub(/^[^=]*=/, "", values)
    if (!(name in kind))
        die(where ": unknown parameter '" name "'; known:" known)
    if (name in given)
        die(where ": '" name "' is given twice, first in line " given[name])
    given[name] = FNR
    count = split(values, v, " ")
    if (!count)
        die(where ": '" name "' has no level; give at least one value")
    levels[name] = ""
    for (i = 1; i <= count; i++) {
        check(name, v[i])
        if (index(" " levels[name], " " v[i] " "))
            die(where ": level '" v[i] "' of '" name "' is given twice")
        levels[name] = levels[name] v[i] " "
    }
}

END {
    if (failed)
        exit 1
    if (!length(given))
        die(FILENAME ": no parameter given; write at least one line 'parameter = levels'")
    srand(1)
    boots = combine("boot", boot)
    loads = combine("load", load)
    reps = split(levels["rep"], rep, " ")
    for (r = 1; r <= reps; r++) {
        shuffled(boot, boots)
        for (b = 1; b <= boots; b++) {
            shuffled(load, loads)
            for (l = 1; l <= loads; l++)
                print boot[b] load[l] "rep=" rep[r]
        }
    }
}
