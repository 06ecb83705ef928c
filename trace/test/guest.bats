#!/usr/bin/env bats
# The buffer of a real guest: interrupted by NMIs, killed, panicked, stopped by a trigger.
# shellcheck disable=SC2154 # bats sets status and output
bats_require_minimum_version 1.5.0

setup() {
    export BUILD=${BUILD:-$BATS_TEST_DIRNAME/../../build}
    # shellcheck source=trace/test/guest.bash
    . "$BATS_TEST_DIRNAME/guest.bash"
    command -v babeltrace2 >/dev/null || skip "no babeltrace2: apt-get install babeltrace2"
}

teardown() {
    [ -z "${guest:-}" ] || trace_guest_stop
    cat "$BATS_TEST_TMPDIR/console" 2>/dev/null || true
}

# Interrupts can come after every instruction, not only between blocks of translated code.
one_instruction() {
    local version
    version=$(qemu-system-x86_64 --version | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
    if ((${version%%.*} * 100 + ${version#*.} >= 801)); then
        echo "-accel tcg,one-insn-per-tb=on"
    else
        echo "-accel tcg -singlestep"
    fi
}

nmis_in_record() {
    echo nmi >&"$monitor"
    (($(counter nmis_in_record) >= $1))
}

@test "NMIs inside the writer: none of the records is lost, torn or out of order" {
    # shellcheck disable=SC2046 # two words
    trace_guest "nmi=trace" $(one_instruction)
    until_true written 1000
    until_true nmis_in_record 10
    # Quiet, so that the counters and the buffer are of one moment.
    "$snap" "$ram" mask none
    taken=$(counter nmis_taken)
    inside=$(counter nmis_in_record)
    echo "# $taken NMIs, $(counter nmis_in_writer) in the writer, $inside within an open record" >&3
    run dump_whole
    echo "$output"
    [ "$status" -eq 0 ]
    read -r first last records others <<<"${lines[-1]}"
    grep -qx $'uncommitted\t0' "$BATS_TEST_TMPDIR/dump.tsv"
    grep -qx $'dropped\t0' "$BATS_TEST_TMPDIR/dump.tsv"
    ((records == last - first + 1 && records > 1000))
}

@test "killed while it writes: all but the open record is there" {
    trace_guest "" -accel tcg
    until_true written 200000
    kill -KILL "$guest"
    wait "$guest" || true
    run dump_whole
    echo "$output"
    [ "$status" -eq 0 ]
    read -r first last records others <<<"${lines[-1]}"
    ((records == last - first + 1 && others == 0))
    # The last of them is the last reserved, or the one before it.
    reserved=$(position)
    ((last == reserved || last == reserved - 1))
    (($(awk '$1 == "uncommitted" { print $2 }' "$BATS_TEST_TMPDIR/dump.tsv") == reserved - last))
    # 2 MiB hold 504 packets, one of which is ready and empty.
    ((records >= 502 * 126))
}

@test "after a panic: the record of what came last" {
    trace_guest "" -accel tcg
    until_true written 1000
    echo nmi >&"$monitor"
    until_true grep -q panic "$BATS_TEST_TMPDIR/console"
    run "$snap" "$ram" wait done 60
    [ "$status" -eq 3 ]
    run dump_whole
    echo "$output"
    [ "$status" -eq 0 ]
    read -r first last records others <<<"${lines[-1]}"
    reserved=$(position)
    ((last == reserved || last == reserved - 1))
}

@test "live: a dump of a running guest is whole, and the mask stops it" {
    trace_guest "" -accel tcg
    until_true written 1000
    run dump_whole
    echo "$output"
    [ "$status" -eq 0 ]
    "$snap" "$ram" mask -control
    before=$(position)
    sleep 0.3
    after=$(position)
    ((after - before <= 1))
    "$snap" "$ram" mask +control
    until_true written $((after + 1000))
}

@test "discard: the first records stay, the rest is counted by its class" {
    trace_guest "trace_mode=discard count=100000" -accel tcg
    "$snap" "$ram" wait done 60 || until_true "$snap" "$ram" wait done 1
    room=$((504 * 126))
    [ "$(position)" -eq $room ]
    run "$snap" "$ram" losses
    [[ "$output" == *$'0\tcontrol\t'$((100000 - room))$'\n'* ]]
    run dump_whole
    echo "$output"
    [ "${lines[-1]}" = "1 $room $room 0" ]
}

@test "a stall stops the buffer, and the region names it, its queue and when" {
    # shellcheck source=experiments/udp_guest.sh
    . "$BATS_TEST_DIRNAME/../../experiments/udp_guest.sh"
    udp_guest_start "$BATS_TEST_TMPDIR/guest" intr \
        "workload=echo trace_mb=1 trigger=stall trigger_post=1 watchdog_ms=100 fault=irq_drop:after=20,times=1"
    guest=$udp_guest_pid ram=$udp_guest_ram
    # One frame at a time, so that the lost interrupt is followed by no other.
    "$BUILD/experiments/loadgen/loadgen" --port "$udp_guest_port" --rate 100 --count 300 --drain-ms 3000 --out "$BATS_TEST_TMPDIR/load" || true
    stopped() { "$snap" "$ram" state | grep -q '^trigger'; }
    run until_true stopped
    state=$("$snap" "$ram" state)
    "$snap" "$ram" dump --out "$BATS_TEST_TMPDIR/dump" >"$BATS_TEST_TMPDIR/dump.tsv"
    udp_guest_stop
    guest=''
    echo "$state"
    grep -qx $'trigger\tstall' <<<"$state"
    grep -qx $'trigger\tstall' "$BATS_TEST_TMPDIR/dump.tsv"
    babeltrace2 --clock-cycles "$BATS_TEST_TMPDIR/dump" >"$BATS_TEST_TMPDIR/dump.txt"
    # The fault, the rescue that fired the trigger, the trigger's own record right after it.
    awk '/ fault: /{ f = NR } / rescue: / && !r { r = NR } / trigger: / { t = NR } END { print f, r, t, NR; exit !(f && r > f && t == r + 1) }' \
        "$BATS_TEST_TMPDIR/dump.txt"
}
