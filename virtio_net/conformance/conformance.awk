# Which test shows that the driver keeps which rule. Reads rules.tsv, features.def, the models'
# variants.tsv and then C sources, in any order after rules.tsv, and prints `rule class test result`.
#
# A test names its rules in a comment before it or in it: /* rule: PC-4 */. The model devices hold the
# driver to rules in every test that has one, by a message that begins with the rule: "PC-4: ...".
# result: tested, refused (about a feature that is never accepted), review, open. On standard error what
# is wrong with the sources; exit status 1 then, and with -v strict=1 for an open rule of class H too.

function note(rule, where) {
    if (!(rule in class)) {
        print FILENAME ":" FNR ": no rule " rule " in rules.tsv" > "/dev/stderr"
        wrong = 1
    } else if (!((rule, where) in noted)) {
        noted[rule, where] = 1
        tests[rule] = tests[rule] (tests[rule] == "" ? "" : ", ") where
    }
}

function base(path) {
    sub(/.*\//, "", path)
    sub(/\.[a-z]*$/, "", path)
    return path
}

FNR == 1 {
    flush_pending("")
    current = ""
}

FILENAME ~ /rules\.tsv$/ {
    if ($0 ~ /^#/)
        next
    split($0, f, "\t")
    order[++n] = f[1]
    weight[f[1]] = f[2]
    class[f[1]] = f[3]
    how[f[1]] = f[7]
    next
}

FILENAME ~ /features\.def$/ {
    if (match($0, /^FEATURE\( *[0-9]+, [A-Z0-9_]+, *[a-z]+/)) {
        split(substr($0, RSTART + 8, RLENGTH - 8), f, ", *")
        wanted[f[2]] = f[3]
    }
    next
}

FILENAME ~ /variants\.tsv$/ {
    split($0, f, "\t")
    variant[f[1]] = f[4]
    next
}

# Rules named before a test wait for its name.
function flush_pending(name,   i) {
    for (i = 1; i <= pending_count; i++) {
        if (name == "")
            print "conformance: rule " pending[i] " is named before no test" > "/dev/stderr"
        else
            note(pending[i], name)
    }
    if (name == "" && pending_count)
        wrong = 1
    pending_count = 0
}

{
    line = $0
    if (match(line, /^static void test_[a-z0-9_]+\(/)) {
        current = base(FILENAME) ": " substr(line, 13, RLENGTH - 13)
        flush_pending(current)
    }
    if (line == "}")
        current = ""
    while (match(line, /rule: [A-Z][A-Z0-9]*-[0-9A-Z]+/)) {
        rule = substr(line, RSTART + 6, RLENGTH - 6)
        if (current != "")
            note(rule, current)
        else
            pending[++pending_count] = rule
        line = substr(line, RSTART + RLENGTH)
    }
    line = $0
    while (match(line, /"[A-Z][A-Z0-9]*-[0-9]+[A-Z]?: /)) {
        note(substr(line, RSTART + 1, RLENGTH - 3), "model device")
        line = substr(line, RSTART + RLENGTH)
    }
}

function result_of(rule,   feature, name) {
    if (tests[rule] != "")
        return "tested"
    if (how[rule] ~ /^refused /) {
        feature = substr(how[rule], 9)
        if ((feature in wanted) && wanted[feature] != "never") {
            print "rules.tsv: " rule ": the driver may accept " feature ", so its rules need tests" > "/dev/stderr"
            wrong = 1
            return "open"
        }
        tests[rule] = "test_attach: test_features (" feature " is never accepted)"
        return "refused"
    }
    if (how[rule] ~ /^model: /) {
        name = substr(how[rule], 8)
        if (!(name in variant) || variant[name] == "holds") {
            print "rules.tsv: " rule ": no model that fails without it: " name > "/dev/stderr"
            wrong = 1
            return "open"
        }
        tests[rule] = "model " name " (" variant[name] "), tied by test_order"
        return "tested"
    }
    if (how[rule] ~ /^review: /) {
        tests[rule] = substr(how[rule], 9)
        return "review"
    }
    return "open"
}

END {
    flush_pending("")
    OFS = "\t"
    print "rule", "class", "test", "result"
    for (i = 1; i <= n; i++) {
        rule = order[i]
        result = result_of(rule)
        count[result] += weight[rule]
        total += weight[rule]
        if (result == "open" && class[rule] ~ /H/)
            open_hosted += weight[rule]
        print rule, class[rule], tests[rule], result
    }
    printf "%d rules: %d tested, %d refused with their feature, %d by review, %d open\n", total, count["tested"],
        count["refused"], count["review"], count["open"] > "/dev/stderr"
    exit wrong || (strict && open_hosted)
}
