# Removes every TRACE...(...); statement and every `if (FAULT(...))` with its one-line body from a C
# source, and the two includes, as if they had never been written. Blank lines stay in their place:
# the source's line numbers are part of its object code. An `if` without braces whose body was a
# TRACE goes with it. The number of removals goes to the file `count`.

function drop() { print ""; }

function flush_held() {
    if (held != "")
        print held
    held = ""
}

/^#include "\.\.\/(trace\/trace|faultinj\/fault)\.h"$/ { flush_held(); removed++; drop(); next }

in_trace { drop(); if (/;$/) in_trace = 0; next }

/^[ \t]*TRACE[A-Z_]*\(/ {
    if (held != "")
        drop()
    held = ""
    removed++
    drop()
    in_trace = !/;$/
    next
}

in_fault { drop(); in_fault = 0; next }

/^[ \t]*if \(FAULT\(/ { flush_held(); removed++; drop(); in_fault = 1; next }

{ flush_held() }

/^[ \t]*if \(.*\)$/ { held = $0; next }

{ print }

END { flush_held(); print removed + 0 > count }
