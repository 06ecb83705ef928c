# shellcheck shell=bash
# A guest that does nothing but write records, and its monitor. Sourced by bats files.

snap=$BUILD/trace/ctf/ringsnap

# trace_guest "PARAMETERS" [QEMU OPTION...]: starts it; its RAM file is $ram.
trace_guest() {
    local parameters=$1
    shift
    ram=$BATS_TEST_TMPDIR/ram
    mkfifo "$BATS_TEST_TMPDIR/monitor"
    qemu-system-x86_64 -machine pc,memory-backend=ram -cpu qemu64 -m 64 -nodefaults -display none -no-reboot \
        -object "memory-backend-file,id=ram,size=64M,mem-path=$ram,share=on" \
        -serial "file:$BATS_TEST_TMPDIR/console" -monitor stdio \
        -kernel "$BUILD/kernel/ringscope-hybrid.elf" -append "workload=trace trace_mb=2 $parameters" "$@" \
        <"$BATS_TEST_TMPDIR/monitor" >"$BATS_TEST_TMPDIR/monitor.log" 2>&1 3>&- &
    guest=$!
    # shellcheck disable=SC2034 # the tests write to it
    exec {monitor}>"$BATS_TEST_TMPDIR/monitor"
}

# A guest that was killed by a signal is what some tests want.
trace_guest_stop() {
    kill -KILL "$guest" 2>/dev/null || true
    wait "$guest" 2>/dev/null || true
}

counter() {
    "$snap" "$ram" counters | awk -v name="$1" '$1 == name { print $2 }'
}

# Of the CPU that writes.
position() {
    "$snap" "$ram" position | awk '$1 == 0 { print $2 }'
}

# until_true COMMAND...: within two minutes
until_true() {
    local end=$((SECONDS + 120))
    until "$@"; do
        ((SECONDS < end)) || { echo "never came true: $*" && return 1; }
        sleep 0.02
    done
}

written() {
    local at
    at=$(position 2>/dev/null)
    ((${at:-0} >= $1))
}

# The dump of the guest: the self-test's records numbered without a gap, each of them whole; "FIRST LAST
# RECORDS OTHERS" on stdout.
dump_whole() {
    "$snap" "$ram" dump --out "$BATS_TEST_TMPDIR/dump" >"$BATS_TEST_TMPDIR/dump.tsv" || return 1
    babeltrace2 --clock-cycles --no-delta "$BATS_TEST_TMPDIR/dump" >"$BATS_TEST_TMPDIR/dump.txt" || return 1
    # 64-bit products, which awk has not.
    awk -F '[][ ,{}=]+' '
        { if ($2 + 0 < time + 0) { print "time goes back: " $0; bad = 1 } time = $2 }
        !/ selftest: / { others++; next }
        {
            for (i = 1; i < NF; i++) field[$i] = $(i + 1)
            if (n++ && field["number"] != last + 1) { print "after " last ": " $0; bad = 1 }
            first = n == 1 ? field["number"] : first
            last = field["number"]
            print field["number"], field["check"] >checks
        }
        END { print first, last, n, others + 0; exit bad }' checks="$BATS_TEST_TMPDIR/checks" "$BATS_TEST_TMPDIR/dump.txt" || return 1
    [ "$(awk 'NR % 997 == 1' "$BATS_TEST_TMPDIR/checks" | while read -r number check; do
        [[ $(printf '%u' $((number * 0x9e3779b97f4a7c15))) == "$check" ]] || echo bad
    done)" = "" ]
}
