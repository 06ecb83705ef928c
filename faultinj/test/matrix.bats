#!/usr/bin/env bats
# The fault matrix on a part of its cases, and the arithmetic of its times.

setup_file() {
    export BUILD=${BUILD:-$BATS_TEST_DIRNAME/../../build}
    export RESULTS=$BATS_FILE_TMPDIR/results
    status=0
    "$BATS_TEST_DIRNAME/../matrix.sh" rx_alloc irq_drop ring_break ring_break,no-reset >"$BATS_FILE_TMPDIR/out" 2>&1 || status=$?
    echo "$status" >"$BATS_FILE_TMPDIR/status"
}

setup() {
    here=$BATS_TEST_DIRNAME/..
    table=$BATS_FILE_TMPDIR/results/faults/matrix.tsv
    cat "$BATS_FILE_TMPDIR/out"
}

# cell FAULT MODE COLUMN
cell() {
    awk -F '\t' -v fault="$1" -v mode="$2" -v name="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        $1 == fault && $2 == mode { print $at; found++ }
        END { exit !(at && found == 1) }' "$table"
}

@test "the columns are the contract's" {
    want='fault mode injected outcome expected packets_lost buffers_leaked detect_us recover_p50_us'
    want+=' recover_p99_us recover_max_us invariants'
    [ "$(head -n 1 "$table" | tr '\t' ' ')" = "$want" ]
    [ "$(awk -F '\t' '{ print NF }' "$table" | uniq)" = 12 ]
}

@test "the labels asked for, in every mode, and no other" {
    [ "$(tail -n +2 "$table" | cut -f1,2 | tr '\t' ' ' | sort | paste -sd,)" = \
        "irq_drop hybrid,irq_drop intr,irq_drop poll,ring_break hybrid,ring_break intr,ring_break poll,$(
        )ring_break,no-reset hybrid,ring_break,no-reset intr,rx_alloc hybrid,rx_alloc intr,rx_alloc poll" ]
}

@test "all as expected: exit status 0, no law broken, nothing leaked" {
    [ "$(<"$BATS_FILE_TMPDIR/status")" -eq 0 ]
    for fault in rx_alloc irq_drop ring_break; do
        for mode in poll intr hybrid; do
            [ "$(cell $fault $mode outcome)" = "$(cell $fault $mode expected)" ]
            [ "$(cell $fault $mode invariants)" = ok ]
            [ "$(cell $fault $mode buffers_leaked)" -eq 0 ]
        done
    done
}

@test "rx_alloc: fires as often as planned, costs exactly a frame each time" {
    for mode in poll intr hybrid; do
        [ "$(cell rx_alloc $mode injected)" -eq 5 ]
        [ "$(cell rx_alloc $mode outcome)" = RECOVERED ]
        [ "$(cell rx_alloc $mode packets_lost)" -eq 5 ]
        [ -n "$(cell rx_alloc $mode detect_us)" ]
    done
}

@test "irq_drop: recovered where there are interrupts, without a loss; not possible in poll" {
    for mode in intr hybrid; do
        [ "$(cell irq_drop $mode injected)" -eq 5 ]
        [ "$(cell irq_drop $mode outcome)" = RECOVERED ]
        [ "$(cell irq_drop $mode packets_lost)" -eq 0 ]
        [ -n "$(cell irq_drop $mode recover_max_us)" ]
    done
    [ "$(cell irq_drop poll injected)" -eq 0 ]
    [ "$(cell irq_drop poll outcome)" = PASS ]
    [ "$(cell irq_drop poll detect_us)$(cell irq_drop poll recover_max_us)" = "" ]
}

@test "ring_break: a reset brings the device back, in every mode; without one it stands still" {
    for mode in poll intr hybrid; do
        [ "$(cell ring_break $mode injected)" -eq 3 ]
        [ "$(cell ring_break $mode outcome)" = RECOVERED ]
        [ -n "$(cell ring_break $mode recover_max_us)" ]
    done
    for mode in intr hybrid; do
        [ "$(cell ring_break,no-reset $mode outcome)" = WEDGED ]
        [ "$(cell ring_break,no-reset $mode buffers_leaked)" -eq 0 ]
        [ -z "$(cell ring_break,no-reset $mode recover_max_us)" ]
    done
}

@test "an outcome that is not the expected one: said in one line, exit status 1" {
    printf 'x\tirq_drop:interval=20,times=5\twatchdog_ms=100\tpoll\tRECOVERED\n' >"$BATS_TEST_TMPDIR/cases"
    CASES=$BATS_TEST_TMPDIR/cases RESULTS=$BATS_TEST_TMPDIR run "$here/matrix.sh"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "${lines[-1]}" == "matrix.sh: x in mode poll: PASS, expected RECOVERED, invariants ok" ]]
}

@test "a label that is not there: refused, and no table is written" {
    RESULTS=$BATS_TEST_TMPDIR run "$here/matrix.sh" rx_aloc
    [ "$status" -eq 1 ]
    [ "$output" = "matrix.sh: no case 'rx_aloc'; there are: irq_drop irq_drop,flags irq_drop,no-watchdog rx_alloc $(
        )ring_break ring_break,flags ring_break,no-reset" ]
    [ ! -e "$BATS_TEST_TMPDIR/faults" ]
}

# recovery.awk ----------------------------------------------------------------------------------

# record SECONDS EVENT VQ [FIELD = VALUE]
record() {
    printf '[%s] (+0.000001000) %s: { cpu_id = 0, pad = 0 }, { vq = %d, flags = 0x0, ordinal = 1%s }\n' \
        "$1" "$2" "$3" "${4:+, $4}"
}

recovery() {
    awk -v point="$1" -f "$here/recovery.awk" | tr '\t' ' '
}

@test "recovery: percentiles are exact, by nearest rank" {
    # Faults recover after 1, 2, ... 200 us, the slowest first.
    got=$(for i in {200..1}; do
        record "$i.000000000" fault 0 "point = 1, fired = 1"
        record "$i.$(printf '%09d' $((i * 1000)))" harvest 0 "used_idx = 5, count = 1"
    done | recovery 1)
    echo "$got"
    [ "$got" = " 100.0 198.0 200.0" ]
}

@test "recovery: between two ranks it is the upper one" {
    got=$(for i in 1 2 3; do
        record "$i.000000000" fault 0 "point = 1, fired = 1"
        record "$i.0000${i}0000" harvest 0 "used_idx = 5, count = 1"
    done | recovery 1)
    echo "$got"
    [ "$got" = " 20.0 30.0 30.0" ]
}

@test "recovery: one fault is every percentile" {
    got=$({
        record 1.000000000 fault 0 "point = 0, fired = 1"
        record 1.000050000 rescue 0 "used_idx = 1, waited_ns = 1"
        record 1.000080000 harvest 0 "used_idx = 2, count = 1"
    } | recovery 0)
    [ "$got" = "50.0 80.0 80.0 80.0" ]
}

@test "recovery: detection is the slowest rescue or drop" {
    got=$(for took in 3 7 5; do
        record "$took.000000000" fault 0 "point = 0, fired = 1"
        record "$took.00000${took}000" rescue 0 "used_idx = 1, waited_ns = 1"
        record "$took.000009000" harvest 0 "used_idx = 2, count = 1"
    done | recovery 0)
    echo "$got"
    [ "$got" = "7.0 9.0 9.0 9.0" ]
}

@test "recovery: other points, other queues and records before the fault do not count" {
    got=$({
        record 0.000000000 harvest 0 "used_idx = 1, count = 1"
        record 1.000000000 fault 0 "point = 1, fired = 1"
        record 2.000000000 fault 1 "point = 0, fired = 1"
        record 2.000001000 drop 0 "reason = 2, count = 1"
        record 2.000002000 harvest 0 "used_idx = 2, count = 1"
        record 2.000004000 drop 1 "reason = 2, count = 1"
        record 2.000007000 harvest 1 "used_idx = 2, count = 1"
        record 2.000009000 harvest 1 "used_idx = 3, count = 1"
    } | recovery 0)
    echo "$got"
    [ "$got" = "4.0 7.0 7.0 7.0" ]
}

@test "recovery: what never recovers leaves the fields empty" {
    got=$(record 1.000000000 fault 0 "point = 0, fired = 1" | recovery 0)
    [ "$got" = "   " ]
    got=$(recovery 0 </dev/null)
    [ "$got" = "   " ]
}
