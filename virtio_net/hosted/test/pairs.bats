# Several pairs of queues, a thread each, and queues and devices that are reset amid traffic, against a
# vhost-user backend of ours (backend.c). HOSTED_VARIANT says how the programs are built: san, or tsan,
# which finds what two threads share.
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    export BUILD=${BUILD:-$PWD/build}
    PROGRAMS=$BUILD/virtio_net/hosted/${HOSTED_VARIANT:-san}
    work=$BATS_TEST_TMPDIR
    socket=$work/socket
    # shellcheck source=SCRIPTDIR/kit.bash
    source virtio_net/hosted/test/kit.bash
    # shellcheck source=SCRIPTDIR/backend.bash
    source virtio_net/hosted/test/backend.bash
}

teardown() {
    [[ -z ${backend:-} ]] || kill "$backend" 2>/dev/null || true
}

rings=("" "--packed --no-event-idx" "--features +INDIRECT_DESC,+MRG_RXBUF --ring 64" "--packed --ring 77")

# pair_counter PROGRAM SIDE PAIR NAME: of one queue
pair_counter() {
    local number=$3
    ((number > 1)) || number=''
    counter "$1" "$2${number}_$4"
}

# Backend and program agree on what went by each pair: agree PROGRAM PAIRS
agree() {
    local i
    for ((i = 1; i <= $2; i++)); do
        (($(counter backend "pair${i}_taken") == $(pair_counter "$1" tx "$i" packets)))
        (($(counter backend "pair${i}_given") == $(pair_counter "$1" rx "$i" packets)))
    done
}

# spreads MODE: source sends as much by each pair, and all of it comes back
spreads() {
    local mode=$1 no_calls=() ring pairs i
    [[ $mode != poll ]] || no_calls=(no-calls)
    for pairs in 1 2 8; do
        for ring in "${rings[@]}"; do
            backend_start "pairs=$pairs" "${no_calls[@]}"
            # shellcheck disable=SC2086
            run_program "source-$mode" --vhost-user "$socket" --pairs "$pairs" --count 805 --window 32 $ring
            backend_end
            conserved "source-$mode"
            interrupts "source-$mode" "$mode"
            agree "source-$mode" "$pairs"
            (($(counter "source-$mode" sunk) == 805 && $(total "source-$mode" tx packets) == 805))
            for ((i = 1; i <= pairs; i++)); do
                (($(counter backend "pair${i}_taken") == 805 / pairs + (i <= 805 % pairs)))
            done
            (($(counter backend kicks) == $(total "source-$mode" rx kicks) + $(total "source-$mode" tx kicks)))
        done
    done
}

echoes_by_each() {
    local mode=$1 ring pairs
    for pairs in 2 8; do
        for ring in "${rings[@]}"; do
            backend_start pingpong=800 "pairs=$pairs" "spread=$pairs" no-ack
            # shellcheck disable=SC2086
            run_program "echo-$mode" --vhost-user "$socket" --pairs "$pairs" --count 800 $ring
            backend_end
            conserved "echo-$mode"
            agree "echo-$mode" "$pairs"
            (($(counter "echo-$mode" echoed) == 800 && $(counter backend returned) == 800))
        done
    done
}

# The backend chooses the pair: all may come by one, and --count is of all together.
sinks_by_each() {
    local mode=$1 spread
    for spread in 1 2 4; do
        backend_start generate=800 pairs=4 "spread=$spread"
        run_program "sink-$mode" --vhost-user "$socket" --pairs 4 --count 800
        backend_end
        conserved "sink-$mode"
        agree "sink-$mode" 4
        (($(counter "sink-$mode" sunk) == 800))
    done
}

@test "poll: a source spreads its frames over 1, 2 and 8 pairs" { spreads poll; }
@test "intr: a source spreads its frames over 1, 2 and 8 pairs" { spreads intr; }
@test "hybrid: a source spreads its frames over 1, 2 and 8 pairs" { spreads hybrid; }
@test "poll: each pair echoes" { echoes_by_each poll; }
@test "intr: each pair echoes" { echoes_by_each intr; }
@test "hybrid: each pair echoes" { echoes_by_each hybrid; }
@test "poll: what comes by any pair is counted" { sinks_by_each poll; }
@test "intr: what comes by any pair is counted" { sinks_by_each intr; }
@test "hybrid: what comes by any pair is counted" { sinks_by_each hybrid; }

@test "frames that come back by another pair than they went" {
    local mode
    for mode in poll intr hybrid; do
        backend_start pairs=3 steer=1
        run_program "source-$mode" --vhost-user "$socket" --pairs 3 --count 900 --window 16
        backend_end
        conserved "source-$mode"
        (($(counter "source-$mode" sunk) == 900))
        (($(counter "source-$mode" pair2_sunk) == 300))
    done
}

@test "pairs that a backend has and nobody asked for are left alone" {
    backend_start pairs=4
    run_program source-hybrid --vhost-user "$socket" --pairs 2 --count 400 --window 16
    backend_end
    conserved source-hybrid
    (($(counter backend pair3_taken) == 0 && $(counter backend pair2_taken) == 200))
}

@test "a backend that has fewer pairs than asked for is named, and so is one that has one" {
    backend_start pairs=2
    refused "4 pairs of queues are asked for and the backend has 2" source-intr --vhost-user "$socket" --pairs 4
    backend_end
    backend_start pairs=2 no-mq
    refused "2 pairs of queues are asked for and the backend has 1" source-intr --vhost-user "$socket" --pairs 2
    backend_end
    backend_start pairs=2 no-protocol
    refused "2 pairs of queues are asked for and the backend has 1" source-intr --vhost-user "$socket" --pairs 2
    backend_end
}

@test "an answer about the number of pairs that is none" {
    local flaw
    # The patience is for the one that is silent: a healthy answer needs less on the busiest machine.
    for flaw in close:"closed the connection at GET_QUEUE_NUM" silent:"no answer to GET_QUEUE_NUM within 5000" \
        nonsense:"GET_QUEUE_NUM was answered by request" short:"GET_QUEUE_NUM was answered by .* 4 bytes"; do
        backend_start pairs=2 "${flaw%%:*}=GET_QUEUE_NUM"
        refused "${flaw#*:}" source-intr --vhost-user "$socket" --pairs 2 --timeout 5000
        kill "$backend" 2>/dev/null || true
        wait "$backend" || true
    done
}

@test "Ctrl-C stops all pairs amid traffic, with all buffers back" {
    local mode
    for mode in poll intr hybrid; do
        backend_start pingpong=100000000 pairs=3 spread=2
        interrupted "echo-$mode" INT --pairs 3
        backend_end
        backend_start pairs=3
        interrupted "source-$mode" TERM --pairs 3
        backend_end
    done
}

@test "a backend that dies amid the traffic of several pairs is noticed" {
    local mode
    for mode in poll intr hybrid; do
        backend_start die-after=300 pairs=2
        refused "closed the connection" "source-$mode" --vhost-user "$socket" --pairs 2 --window 32
        wait "$backend"
    done
}

# Of all that was taken from rings or put there some may never have been harvested: those are among the
# buffers that came back. between LOW VALUE HIGH
between() {
    echo "$1 <= $2 <= $3"
    (($1 <= $2 && $2 <= $3))
}

# lossy_conserved PROGRAM: what the backend counted fits what came back from resets
lossy_conserved() {
    local sent received
    conserved "$1"
    sent=$(total "$1" tx packets) received=$(total "$1" rx packets)
    between "$sent" "$(counter backend taken)" $((sent + $(total "$1" tx given_back)))
    between "$received" "$(counter backend given)" $((received + $(total "$1" rx given_back)))
}

# /* rule: VR-1 */ /* rule: VR-2 */
queue_resets() {
    local mode=$1 ring pairs
    for pairs in 1 2; do
        for ring in "${rings[@]}"; do
            backend_start "pairs=$pairs"
            # shellcheck disable=SC2086
            run_program "source-$mode" --vhost-user "$socket" --pairs "$pairs" --count 4000 --queue-resets 3 $ring
            backend_end
            lossy_conserved "source-$mode"
            (($(counter "source-$mode" queue_resets) == 6 * pairs && $(counter "source-$mode" sourced) == 4000))
            # Each receive ring came back full three times and at the end.
            (($(total "source-$mode" rx given_back) >= 4 * pairs))
        done
    done
    backend_start generate=100000000 pairs=2 spread=2 gaps
    run_program "echo-$mode" --vhost-user "$socket" --pairs 2 --count 100 --queue-resets 2
    backend_end
    lossy_conserved "echo-$mode"
    (($(counter "echo-$mode" queue_resets) == 8))
}

@test "poll: queues are reset amid traffic, and no buffer is lost" { queue_resets poll; }
@test "intr: queues are reset amid traffic, and no buffer is lost" { queue_resets intr; }
@test "hybrid: queues are reset amid traffic, and no buffer is lost" { queue_resets hybrid; }

@test "the device is restarted amid traffic, and no buffer is lost" {
    local mode ring
    for mode in poll intr hybrid; do
        for ring in "${rings[@]}"; do
            backend_start pairs=2
            # shellcheck disable=SC2086
            run_program "source-$mode" --vhost-user "$socket" --pairs 2 --count 4000 --restarts 3 $ring
            backend_end
            lossy_conserved "source-$mode"
            (($(counter "source-$mode" restarts) == 3 && $(counter "source-$mode" sourced) == 4000))
        done
        backend_start generate=100000000 pairs=1 no-protocol
        run_program "sink-$mode" --vhost-user "$socket" --count 2000 --restarts 2 --queue-resets 1
        backend_end
        lossy_conserved "sink-$mode"
        (($(counter "sink-$mode" restarts) == 2 && $(counter "sink-$mode" queue_resets) == 2))
    done
}

@test "a ring that a device breaks is mended by a restart, as often as allowed" {
    local mode ring
    for mode in poll intr hybrid; do
        for ring in "" --packed; do
            backend_start pairs=2 trick=id_twice
            # shellcheck disable=SC2086
            run_program "source-$mode" --vhost-user "$socket" --pairs 2 --count 4000 --mend 1 $ring
            backend_end
            lossy_conserved "source-$mode"
            (($(counter "source-$mode" restarts) == 1))
            (($(counter backend taken) > 1000))
        done
    done
    backend_start pairs=2 trick=id_range
    refused "transmit queue of pair [12]: used id is not below" source-hybrid --vhost-user "$socket" \
        --pairs 2 --count 4000
    backend_end
}

@test "a backend that does not let go of a queue amid a reset is named, and keeps its buffers" {
    backend_start pairs=2 close=GET_VRING_BASE
    refused "closed the connection at GET_VRING_BASE" source-hybrid --vhost-user "$socket" --pairs 2 --queue-resets 1
    wait "$backend"
    backend_start base=GET_VRING_BASE
    refused "GET_VRING_BASE of queue 1 was answered by queue 0" source-intr --vhost-user "$socket" --queue-resets 1
    backend_end
}

@test "mistakes about pairs and resets on the command line" {
    refused "1 to 8" source-poll --vhost-user a --pairs 9
    refused "a capture has one order, so pcap has one pair" pcap-poll --vhost-user a --write x --pairs 2
    refused "a reset loses some" source-poll --vhost-user a --window 4 --queue-resets 1
    refused "a reset loses some" source-poll --vhost-user a --window 4 --restarts 1
    refused "a reset loses some" source-poll --vhost-user a --window 4 --mend 1
}
