# What both generators of LaTeX share: nothing from data reaches the paper unescaped, and a
# number is written one way throughout.
function tex(s) {
    gsub(/\\/, "\001", s); gsub(/[&%$#_{}]/, "\\\\&", s)
    gsub(/~/, "\\textasciitilde{}", s); gsub(/\^/, "\\textasciicircum{}", s)
    gsub(/\001/, "\\textbackslash{}", s)
    gsub(/</, "\\textless{}", s); gsub(/>/, "\\textgreater{}", s)
    return s
}
function thousands(s,   out) {
    while (length(s) > 3) { out = "\\," substr(s, length(s) - 2) out; s = substr(s, 1, length(s) - 3) }
    return s out
}
# Counts in full, ratios to three significant digits, n/a where nothing was measured.
function number(x,   s, p) {
    if (!isnum(x)) return "n/a"
    if (x == int(x) && x >= 0 && x < 1e15) return thousands(sprintf("%.0f", x))
    s = sprintf("%.3g", x)
    if ((p = index(s, "e")) > 0) return "$" substr(s, 1, p - 1) "\\times 10^{" substr(s, p + 1) + 0 "}$"
    return s
}
function cap(s) { return toupper(substr(s, 1, 1)) substr(s, 2) }
