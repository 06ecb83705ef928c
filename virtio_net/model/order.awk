# What the driver does in a model of a ring, step by step: the inlines driver_* of a file like split.pml,
# with nothing left out, as rows of test_order.c's table: format, operation, step.
#   awk -v format=NAME -v defines="EVENT_IDX ..." -f order.awk FILE

# Conditions: only whether a name is defined.
/^#(if|elif) / {
    print FILENAME ":" FNR ": order.awk understands #ifdef, #ifndef, #else and #endif" > "/dev/stderr"
    exit failed = 1
}
/^#if(n?)def / {
    yes = index(" " defines " ", " " $2 " ") > 0
    on[++depth] = $1 == "#ifdef" ? yes : !yes
    next
}
/^#else/ { on[depth] = !on[depth]; next }
/^#endif/ { depth--; next }
{
    for (i = 1; i <= depth; i++)
        if (!on[i])
            next
}

/^#define [A-Z_]+ +[A-Z_]+$/ { alias[$2] = $3 }
/^inline / { name = $2; sub(/\(.*/, "", name); order[++operations] = name; next }
/^}/ { name = "" }
name != "" { body[name] = body[name] $0 "\n" }

function word(text) {
    sub(/^[^,]*, */, "", text)
    match(text, /^[A-Z_]+/)
    text = substr(text, 1, RLENGTH)
    return text in alias ? alias[text] : text
}

function steps(of,    n, lines, i, at, call) {
    n = split(body[of], lines, "\n")
    for (i = 1; i <= n; i++) {
        at = lines[i]
        if (match(at, /(store|load)(_[a-z]+)?\(DRIVER.*/)) {
            at = substr(at, RSTART)
            call = substr(at, 1, index(at, "(") - 1)
            row(call == "load_pair" ? call : call " " word(at))
        } else if (match(at, /(wmb|rmb|mb)\(DRIVER\)/)) {
            row(substr(at, RSTART, index(substr(at, RSTART), "(") - 1))
        } else if (match(at, /driver_[a-z_]+\(/)) {
            steps(substr(at, RSTART, RLENGTH - 1))
        } else if (match(at, /(masked|published|harvested) = /)) {
            call = substr(at, RSTART)
            sub(/[ ;].*/, "", call)
            row(call == "masked" ? call (at ~ /true/ ? " = true" : " = false") : call)
        }
    }
}

function row(step) { printf "{ \"%s\", \"%s\", \"%s\" },\n", format, current, step }

END {
    if (failed)
        exit 1
    for (i = 1; i <= operations; i++) {
        current = order[i]
        if (current ~ /^driver_/)
            steps(current)
    }
}
