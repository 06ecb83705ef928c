# End to end on a real vhost-net: the lab, or this machine where it has one. Slow: one file, in
# order, each test standing on what the one before it left. The lab outlives the test, so nothing that
# may start it gets bats' descriptor 3: bats would wait for it to be closed.
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    export BUILD=${BUILD:-$PWD/build}
    export RESULTS=$BATS_FILE_TMPDIR/results
    # A lab that ran before is somebody's and is left running.
    export LAB_WAS_UP=0
    ! experiments/lab/lab.sh status >/dev/null 2>&1 || LAB_WAS_UP=1
}

teardown_file() {
    ((LAB_WAS_UP)) || "$BATS_TEST_DIRNAME/../lab/lab.sh" stop
}

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
}

sweep() {
    experiments/sweep.sh "$@" 3>&-
}

cell_count() {
    find "$RESULTS/smoke/cells" -name DONE 2>/dev/null | wc -l
}

@test "an interrupted sweep keeps its finished cells and says so" {
    setsid experiments/sweep.sh smoke >"$BATS_FILE_TMPDIR/first.log" 2>&1 3>&- &
    sweep=$!
    # Interrupted in the middle of a cell: after the first is finished and before the last is.
    until (($(cell_count) > 0)); do
        kill -0 "$sweep" || { cat "$BATS_FILE_TMPDIR/first.log" && false; }
        sleep 0.2
    done
    # Not INT: a shell without job control starts its background jobs deaf to it.
    kill -TERM -- "-$sweep"
    status=0
    wait "$sweep" || status=$?
    cat "$BATS_FILE_TMPDIR/first.log"
    ((status == 130))
    (($(cell_count) > 0 && $(cell_count) < 6))
    grep -q "interrupted; .* of 6 cells are finished and kept" "$BATS_FILE_TMPDIR/first.log"
}

@test "the next run does the missing cells only" {
    before=$(find "$RESULTS/smoke/cells" -name DONE -printf '%p %T@\n' | sort)
    run sweep smoke
    echo "$output"
    ((status == 0))
    [[ $output == *"cells are finished already"* ]]
    (($(cell_count) == 6))
    # What was finished before has not been touched.
    while read -r line; do
        find "$RESULTS/smoke/cells" -name DONE -printf '%p %T@\n' | grep -qxF "$line"
    done <<<"$before"
    run sweep smoke
    ((status == 0))
    [[ -z $output ]]
}

@test "every invariant holds in every cell" {
    # The shapes need more repetitions than this sweep has; the invariants must hold in one cell.
    run plots/verdicts.sh "$RESULTS/smoke"
    echo "$output"
    for check in "offered = delivered + named drops (6)" \
        "guest kicks = host kicks, transmit queue (6)" "guest kicks = host kicks, receive queue (6)" \
        "interrupts under polling = 0 (2)" "stalls = 0 (6)" "trace records lost = 0 (6)" \
        "ring drains without further stimulus (6)"; do
        grep -q "^pass  *${check//[()]/.}" <<<"$output"
    done
}

@test "every record of both traces is in a class, and the classes add up" {
    for cell in "$RESULTS"/smoke/cells/*/; do
        awk -F '\t' '$2 == "total" { total[$1] = $3; next }
            NR > 1 { sum[$1] += $3 }
            END { for (s in total) if (sum[s] != total[s] || !total[s]) exit 1 }' "$cell/classes.tsv"
    done
}

@test "both traces of a cell are CTF that babeltrace2 reads as they are" {
    for cell in "$RESULTS"/smoke/cells/*/; do
        babeltrace2 "$cell/guest" | grep -q ' kick: '
        babeltrace2 "$cell/host" | grep -q ' host_kick: '
        [[ $(babeltrace2 "$cell/guest" | grep -c ' kick: ') == \
            $(babeltrace2 "$cell/host" | grep -c ' host_kick: ') ]]
    done
}

@test "the report is one file with every figure in it" {
    run plots/report.sh "$RESULTS/smoke"
    echo "$output"
    ((status == 0))
    report=$RESULTS/smoke/report.html
    (($(grep -c '<svg' "$report") >= 5))
    run ! grep -qE '(src|href)="https?:' "$report"
    grep -q 'emulated' "$report"
}

@test "a chain can be printed from publish to harvest" {
    cell=$(dirname "$(grep -l 'mode.intr' "$RESULTS"/smoke/cells/*/cell.tsv | head -n 1)")
    run "$BUILD/trace/join/ringjoin" --guest "$cell/guest" --host "$cell/host" \
        --out "$BATS_TEST_TMPDIR/join" --print slowest
    echo "$output"
    ((status == 0))
    for stage in publish kick run used harvest; do
        grep -q "$stage" <<<"$output"
    done
}

@test "a guest that does not boot is one clear line, and the finished cells stay" {
    printf 'mode = intr\nseconds = 1\nwatchdog_ms = 1\n' >experiments/sweeps/test-noboot.sweep
    export LAB_STATE=${LAB_STATE:-$BUILD/lab/${LAB_RELEASE:-trixie}}
    broken=$BATS_TEST_TMPDIR/build
    mkdir "$broken"
    ln -s "$BUILD"/{experiments,trace} "$broken/"
    cp -r "$BUILD/kernel" "$broken/"
    # A program that is no kernel of ours: it starts and never says that it is ready.
    cp "$BUILD/trace/host/mark" "$broken/kernel/ringscope-intr.elf"
    BUILD=$broken run sweep test-noboot
    rm experiments/sweeps/test-noboot.sweep
    echo "$output"
    ((status != 0))
    grep -q 'the guest did not boot' <<<"$output"
    (($(cell_count) == 6))
}

@test "a full results disk is one clear line before anything runs" {
    [[ $EUID == 0 ]] || skip "needs root to mount a small file system"
    mkdir "$BATS_TEST_TMPDIR/full"
    mount -t tmpfs -o size=8m tmpfs "$BATS_TEST_TMPDIR/full" || skip "cannot mount a tmpfs here"
    RESULTS=$BATS_TEST_TMPDIR/full run sweep smoke
    umount "$BATS_TEST_TMPDIR/full"
    echo "$output"
    ((status != 0))
    grep -q 'MiB free for' <<<"$output"
}
