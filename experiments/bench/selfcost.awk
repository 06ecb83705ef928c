# Own instructions of the chosen code in a callgrind profile: awk -v files=RE -v objects=RE -v functions=RE
# A line of cost counts if its source file, its object or its function matches (an empty RE matches
# nothing). Source files are those of inlined code too ("fi", "fe"); the cost of calls is left out.
function name(text,    id) {
    # "(12) path" names 12, "(12)" refers to it, anew for each kind of name.
    if (!match(text, /^\([0-9]+\)/)) return text
    id = kind substr(text, 1, RLENGTH)
    if (length(text) > RLENGTH) known[id] = substr(text, RLENGTH + 2)
    return known[id]
}
function look() {
    wanted = files != "" && file ~ files || objects != "" && object ~ objects || functions != "" && fn ~ functions
}
/^(fl|fi|fe|fn|ob)=/ {
    kind = substr($0, 1, 1) == "f" && substr($0, 2, 1) != "n" ? "f" : substr($0, 1, 2)
    text = name(substr($0, 4))
    if (kind == "f") file = text
    else if (kind == "fn") fn = text
    else object = text
    look()
    next
}
/^c(fn|fi|fl|ob)=/ {
    # Callees: their names may be given here for the first time.
    at = index($0, "=")
    kind = substr($0, 2, 1) == "o" ? "ob" : substr($0, 2, at - 2) == "fn" ? "fn" : "f"
    name(substr($0, at + 1))
    next
}
/^calls=/ { skip = 1; next }
/^[0-9+*-]/ {
    if (!skip && wanted) sum += $2
    skip = 0
}
END { printf "%.0f\n", sum }
