# The hosted programs, with the sanitizers, against DPDK's vhost library: testpmd without huge pages
# or devices, told what to do on its standard input. Counts must be equal on both sides.
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    export BUILD=${BUILD:-$PWD/build}
    command -v dpdk-testpmd >/dev/null || skip "no dpdk-testpmd here: apt-get install dpdk-dev"
    PROGRAMS=$BUILD/virtio_net/hosted/san
    work=$BATS_TEST_TMPDIR
    # shellcheck source=SCRIPTDIR/kit.bash
    source virtio_net/hosted/test/kit.bash
}

teardown() {
    if [[ -n ${testpmd:-} ]]; then
        kill "$testpmd" 2>/dev/null || true
        wait "$testpmd" || true
    fi
}

# testpmd_start FORWARDING PORTS [QUEUES]: backends at $work/vhost0, ..., of so many pairs each
testpmd_start() {
    local devices=() queues=${3:-1} i
    for ((i = 0; i < $2; i++)); do
        devices+=(--vdev "net_vhost$i,iface=$work/vhost$i,queues=$queues")
    done
    mkfifo "$work/commands"
    # Open for both, so that neither side waits for the other.
    exec {commands}<>"$work/commands"
    dpdk-testpmd --no-huge -m 256 --no-pci --no-shconf --no-telemetry --file-prefix "rs$$" -l 0,1 \
        "${devices[@]}" -- -i --auto-start --forward-mode="$1" --total-num-mbufs=$((4096 * queues)) \
        --rxq="$queues" --txq="$queues" \
        <&"$commands" >"$work/testpmd.log" 2>&1 3>&- &
    testpmd=$!
    for ((i = 0; i < $2; i++)); do
        wait_for "$testpmd" "$work/vhost$i" || { cat "$work/testpmd.log" && return 1; }
    done
    wait_for_prompt || { cat "$work/testpmd.log" && return 1; }
}

# The sockets are there before testpmd forwards: when it begins it throws away what has come till then,
# and its prompt comes after that.
wait_for_prompt() {
    for _ in {1..2400}; do
        ! grep -aq 'testpmd>' "$work/testpmd.log" || return 0
        kill -0 "$testpmd" || return 1
        sleep 0.05
    done
    return 1
}

# Ends it and reads its own account: testpmd_count RX|TX PORT
testpmd_stop() {
    printf 'stop\nquit\n' >&"$commands"
    wait "$testpmd" || { tail -n 20 "$work/testpmd.log" && return 1; }
    testpmd=''
}

testpmd_count() {
    awk -v what="$1-packets:" -v port="port $2 " '/Forward statistics for/ { here = index($0, port) }
        here && $1 == what { print $2; here = 0; found = 1 }
        END { exit !found }' "$work/testpmd.log"
}

# wait_for_link PID PORT N: until the port has changed its link N times. testpmd forwards to a port from
# then on only, which is after it has acknowledged the last message; what comes earlier it drops.
wait_for_link() {
    for _ in {1..2400}; do
        (($(grep -c "Port $2: link state change event" "$work/testpmd.log") < $3)) || return 0
        kill -0 "$1" || return 1
        sleep 0.05
    done
    echo "port $2 did not come up" && return 1
}

rings=("" "--packed" "--no-event-idx" "--packed --no-event-idx" "--packed --features +INDIRECT_DESC,+MRG_RXBUF")

@test "testpmd rxonly counts what source sends: each mode, each kind of ring" {
    local sent=0 mode ring
    testpmd_start rxonly 1
    for mode in poll intr hybrid; do
        for ring in "${rings[@]}"; do
            # shellcheck disable=SC2086
            run_program "source-$mode" --vhost-user "$work/vhost0" --count 5000 $ring
            conserved "source-$mode"
            (($(counter "source-$mode" tx_packets) == 5000))
            interrupts "source-$mode" "$mode"
            sent=$((sent + 5000))
        done
    done
    testpmd_stop
    echo "sent $sent, testpmd received $(testpmd_count RX 0)"
    (($(testpmd_count RX 0) == sent))
}

@test "testpmd macswap returns what source sends, once and in order" {
    local sent=0 mode ring
    testpmd_start macswap 1
    for mode in poll intr hybrid; do
        for ring in "${rings[@]}"; do
            # shellcheck disable=SC2086
            run_program "source-$mode" --vhost-user "$work/vhost0" --count 3000 --window 64 --size 1514 $ring
            conserved "source-$mode"
            (($(counter "source-$mode" sunk) == 3000))
            interrupts "source-$mode" "$mode"
            sent=$((sent + 3000))
        done
    done
    testpmd_stop
    (($(testpmd_count RX 0) == sent && $(testpmd_count TX 0) == sent))
}

@test "testpmd io between source and echo: all return" {
    local sent=0 changes=0 mode ring echo
    testpmd_start io 2
    for mode in poll intr hybrid; do
        for ring in "${rings[@]}"; do
            # shellcheck disable=SC2086
            run_program "echo-$mode" --vhost-user "$work/vhost1" $ring --count 2000 >"$work/echo.log" 2>&1 3>&- &
            echo=$!
            changes=$((changes + 1))
            wait_for_link "$echo" 1 "$changes"
            run_program source-intr --vhost-user "$work/vhost0" --count 2000 --window 64
            wait "$echo"
            cat "$work/echo.log"
            conserved "echo-$mode"
            conserved source-intr
            (($(counter "echo-$mode" echoed) == 2000 && $(counter source-intr sunk) == 2000))
            interrupts "echo-$mode" "$mode"
            changes=$((changes + 1))
            sent=$((sent + 2000))
        done
    done
    testpmd_stop
    for port in 0 1; do
        (($(testpmd_count RX $port) == sent && $(testpmd_count TX $port) == sent))
    done
}

@test "testpmd macswap of four pairs: 1, 2 and 4 are used, and each gets its own frames back" {
    local sent=0 mode pairs
    testpmd_start macswap 1 4
    for mode in poll intr hybrid; do
        for pairs in 1 2 4; do
            run_program "source-$mode" --vhost-user "$work/vhost0" --count 2000 --window 32 --pairs "$pairs"
            conserved "source-$mode"
            (($(counter "source-$mode" sunk) == 2000 && $(total "source-$mode" rx packets) == 2000))
            # One that stayed away from its pair would have been counted by another.
            ((pairs == 1)) || (($(counter "source-$mode" "pair${pairs}_sunk") == 2000 / pairs))
            interrupts "source-$mode" "$mode"
            sent=$((sent + 2000))
        done
    done
    testpmd_stop
    (($(testpmd_count RX 0) == sent && $(testpmd_count TX 0) == sent))
}

@test "testpmd rxonly of two pairs: queues are reset and the device restarted, and no buffer is lost" {
    local sent=0 given_back=0 mode ring
    testpmd_start rxonly 1 2
    for mode in poll intr hybrid; do
        for ring in "" "--packed"; do
            # shellcheck disable=SC2086
            run_program "source-$mode" --vhost-user "$work/vhost0" --count 5000 --pairs 2 --queue-resets 1 \
                --restarts 1 $ring
            conserved "source-$mode"
            (($(counter "source-$mode" queue_resets) == 4 && $(counter "source-$mode" restarts) == 1))
            sent=$((sent + $(total "source-$mode" tx packets)))
            given_back=$((given_back + $(total "source-$mode" tx given_back)))
        done
    done
    testpmd_stop
    # Some of what came back from a reset testpmd may have received before.
    echo "sent $sent, given back $given_back, testpmd received $(testpmd_count RX 0)"
    (($(testpmd_count RX 0) >= sent && $(testpmd_count RX 0) <= sent + given_back))
}

@test "sink takes what testpmd txonly sends" {
    local mode ring
    testpmd_start txonly 1
    for mode in poll intr hybrid; do
        for ring in "${rings[@]}"; do
            # shellcheck disable=SC2086
            run_program "sink-$mode" --vhost-user "$work/vhost0" --count 5000 $ring
            conserved "sink-$mode"
            (($(counter "sink-$mode" sunk) >= 5000))
        done
    done
    testpmd_stop
}

@test "testpmd that ends amid traffic is noticed" {
    testpmd_start macswap 1
    "$PROGRAMS/source-hybrid" --vhost-user "$work/vhost0" --window 32 >"$work/log" 2>&1 3>&- &
    local source=$! status=0
    wait_for "$source" "$work/vhost0"
    until grep -q 'mode hybrid' "$work/log"; do
        kill -0 "$source"
        sleep 0.05
    done
    kill -KILL "$testpmd"
    wait "$testpmd" || true
    testpmd=''
    wait "$source" || status=$?
    cat "$work/log"
    ((status == 1))
    grep -q 'closed the connection' "$work/log"
}
