# The host's probes on a real vhost-net under a guest's traffic; probes.sh chooses the Debian. In
# order, each test standing on what the one before it left: attaching is what takes the time. The
# lab outlives the test, so nothing that may start it gets bats' descriptor 3.
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    export BUILD=${BUILD:-$PWD/build}
    # A lab that ran before is somebody's and is left running.
    export LAB_WAS_UP=0
    ! experiments/lab/lab.sh status >/dev/null 2>&1 || LAB_WAS_UP=1
    export LAB_START_SECONDS=${LAB_START_SECONDS:-900}
}

teardown_file() {
    ((LAB_WAS_UP)) || "$BATS_TEST_DIRNAME/../lab/lab.sh" stop
}

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    # shellcheck source=experiments/host.sh
    . experiments/host.sh
}

on_host() {
    host_open >/dev/null 3>&- && host_run "cd ringscope-kit && $1" 3>&-
}

@test "every probe of the full set records something, and one on an inlined function is named" {
    run experiments/probes.sh --also vhost_signal --keep selftest.log 3>&-
    echo "$output"
    ((status != 0))
    # That one, and nothing else.
    [[ $(grep -c '^selftest.sh: ' <<<"$output") == 1 ]]
    grep -q 'vhost_signal: attached, but recorded nothing' <<<"$output"
}

@test "why runs began: by a kick, by the socket, by the weight of the run before" {
    on_host 'cat selftest.log' >"$BATS_FILE_TMPDIR/host.log"
    # 0x10 a kick alone, 0x20 the socket, 0x50 requeued by weight; 0x12 at the start of the queue.
    for flags in 16 32 80; do
        grep -qE "^R [0-9]+ [0-9]+ [0-9]+ 65 [01] $flags " "$BATS_FILE_TMPDIR/host.log"
    done
}

@test "the log becomes a CTF trace with every event in it" {
    "$BUILD/trace/join/hostlog2ctf" --log "$BATS_FILE_TMPDIR/host.log" --out "$BATS_TEST_TMPDIR/ctf"
    babeltrace2 "$BATS_TEST_TMPDIR/ctf" >"$BATS_TEST_TMPDIR/text"
    for event in host_kick run_begin run_end used call_read mark notify_off notify_on weight_out \
        tap_send tap_recv worker_on worker_off vcpu_on vcpu_off; do
        grep -q " $event: " "$BATS_TEST_TMPDIR/text"
    done
}

@test "attach finds the guest and tells what its queues do" {
    run on_host '
        setsid ./selftest_traffic.sh ringscope-intr.elf >traffic.log 2>&1 </dev/null &
        traffic=$!
        until grep -qs "^vhost-" /proc/[0-9]*/task/*/comm || ! kill -0 $traffic; do sleep 0.2; done
        rm -rf attached
        ./attach --seconds 5 --out attached
        status=$?
        kill -- -$traffic
        wait $traffic 2>/dev/null
        cat attached/summary.tsv attached/histograms.tsv
        exit $status'
    echo "$output"
    ((status == 0))
    grep -q '^attach: process [0-9]* (qemu-system-x86), 1 vhost-net device.* tap ringself0, worker vhost-' <<<"$output"
    # Each queue: kicks, runs, buffers; a guest that takes interrupts is called.
    awk -F '\t' '$1 ~ /^vhost-/ && NF == 13 && $5 > 0 && $7 + $8 + $9 > 0 && $10 > 0 { ok[$3]++; calls += $11 }
        END { exit !(ok["tx"] == 1 && ok["rx"] == 1 && calls > 0) }' <<<"$output"
    awk -F '\t' '$4 == "run_buffers" && $7 > 0 { ok[$3]++ } END { exit !(ok["tx"] && ok["rx"]) }' <<<"$output"
}
