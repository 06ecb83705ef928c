# Flattens one JSON document into key<TAB>value lines; nested names are joined with dots.
# Written here because a manifest is all the JSON we read, and awk is there already.
{ text = text $0 "\n" }
function fail(why) {
    printf "%s: line %d: %s; write the manifest again\n", FILENAME, line, why > "/dev/stderr"
    failed = 1; exit 1
}
function skip(   c) {
    while (pos <= len) {
        c = substr(text, pos, 1)
        if (c == "\n") line++
        else if (c != " " && c != "\t" && c != "\r") return
        pos++
    }
}
function string(   c, out) {
    out = ""; pos++
    while (pos <= len) {
        c = substr(text, pos++, 1)
        if (c == "\"") return out
        if (c == "\\") {
            c = substr(text, pos++, 1)
            # Tabs and line ends would break our own format; a space says the same here.
            if (c == "n" || c == "t" || c == "r") c = " "
            else if (c == "u") { c = "\\u" substr(text, pos, 4); pos += 4 }
        } else if (c == "\t" || c == "\n") c = " "
        out = out c
    }
    fail("string without end")
}
function value(key,   c, i, name, s) {
    skip(); c = substr(text, pos, 1)
    if (c == "{" || c == "[") {
        pos++
        for (i = 0; ; i++) {
            skip()
            if (substr(text, pos, 1) ~ /[]}]/) { pos++; return }
            name = i
            if (c == "{") {
                if (substr(text, pos, 1) != "\"") fail("a name was expected")
                name = string(); skip()
                if (substr(text, pos++, 1) != ":") fail("':' was expected")
            }
            value(key == "" ? name : key "." name); skip()
            if (substr(text, pos, 1) == ",") pos++
            else if (substr(text, pos, 1) !~ /[]}]/) fail("',' or an end was expected")
        }
    }
    if (c == "\"") { printf "%s\t%s\n", key, string(); return }
    s = substr(text, pos); if (match(s, /^[-+.0-9a-zA-Z]+/) != 1) fail("a value was expected")
    printf "%s\t%s\n", key, substr(s, 1, RLENGTH); pos += RLENGTH
}
END { if (!failed) { len = length(text); pos = 1; line = 1; value("") } }
