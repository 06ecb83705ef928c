# Puts a line of a table like mutants.tsv into a copy of the sources:
#   awk -F '\t' -v name=NAME -v dir=DIR -f replace.awk TABLE       name='': every line, one after another
# The text must be there exactly once, or the table no longer fits the source.
function text(s) {
    gsub(/\\n/, "\n", s)
    return s
}
/^#/ || (name != "" && $1 != name) { next }
{
    file = dir "/" $2; from = text($4); to = text($5); whole = ""
    while ((getline line < file) > 0) whole = whole line "\n"
    close(file)
    at = index(whole, from)
    rest = substr(whole, at + length(from))
    if (!at || index(rest, from)) {
        table = FILENAME
        sub(/.*\//, "", table)
        printf "%s: %s: its text is %s in %s: adapt the line\n", table, $1,
            at ? "there more than once" : "not", $2 > "/dev/stderr"
        found = 0
        exit 1
    }
    printf "%s%s%s", substr(whole, 1, at - 1), to, rest > file
    close(file)
    found = 1
}
END { exit !found }
