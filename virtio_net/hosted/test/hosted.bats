# The hosted programs, with the sanitizers, against a vhost-user backend of ours (backend.c) that
# checks each message and each ring and misbehaves on command.
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    export BUILD=${BUILD:-$PWD/build}
    PROGRAMS=$BUILD/virtio_net/hosted/san
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

rings=("" "--packed" "--no-event-idx" "--packed --no-event-idx"
    "--features +INDIRECT_DESC,+MRG_RXBUF --ring 64" "--packed --ring 77")

# source_returns MODE: what is sent comes back, once and in order, on each kind of ring
source_returns() {
    local mode=$1 no_calls=() ring
    [[ $mode != poll ]] || no_calls=(no-calls)
    for ring in "${rings[@]}"; do
        backend_start "${no_calls[@]}"
        # shellcheck disable=SC2086
        run_program "source-$mode" --vhost-user "$socket" --count 600 --window 32 $ring
        backend_end
        conserved "source-$mode"
        interrupts "source-$mode" "$mode"
        (($(counter "source-$mode" sunk) == 600))
        (($(counter backend taken) == 600 && $(counter backend given) == 600))
        (($(counter backend kicks) == $(counter "source-$mode" rx_kicks) + $(counter "source-$mode" tx_kicks)))
    done
}

echo_returns() {
    local mode=$1 ring
    for ring in "${rings[@]}"; do
        backend_start pingpong=600 no-ack
        # shellcheck disable=SC2086
        run_program "echo-$mode" --vhost-user "$socket" --count 600 $ring
        backend_end
        conserved "echo-$mode"
        (($(counter "echo-$mode" echoed) == 600))
        (($(counter backend returned) == 600))
    done
}

sink_counts() {
    local mode=$1 ring
    for ring in "${rings[@]}"; do
        backend_start generate=600 no-protocol
        # shellcheck disable=SC2086
        run_program "sink-$mode" --vhost-user "$socket" --count 600 $ring
        backend_end
        conserved "sink-$mode"
        (($(counter "sink-$mode" sunk) == 600))
    done
}

@test "poll: frames that are sent come back, and no call is asked for" { source_returns poll; }
@test "intr: frames that are sent come back" { source_returns intr; }
@test "hybrid: frames that are sent come back" { source_returns hybrid; }
@test "poll: echoes" { echo_returns poll; }
@test "intr: echoes" { echo_returns intr; }
@test "hybrid: echoes" { echo_returns hybrid; }
@test "poll: counts what comes" { sink_counts poll; }
@test "intr: counts what comes" { sink_counts intr; }
@test "hybrid: counts what comes" { sink_counts hybrid; }

@test "an open-loop source keeps to its rate's schedule and stops by time" {
    backend_start
    run_program source-intr --vhost-user "$socket" --rate 1000 --count 100
    backend_end
    conserved source-intr
    (($(counter source-intr sourced) == 100 && $(counter source-intr tx_packets) == 100))
    backend_start
    run_program source-hybrid --vhost-user "$socket" --rate 1000 --seconds 3
    backend_end
    conserved source-hybrid
    # At most what was due by the end, however late that was: one at the start, one a millisecond.
    (($(counter source-hybrid sourced) > 0))
    (($(counter source-hybrid sourced) <= 1 + $(counter source-hybrid run_ns) / 1000000))
}

@test "Ctrl-C stops each mode amid traffic, with all buffers back" {
    for mode in poll intr hybrid; do
        backend_start pingpong=100000000
        interrupted "echo-$mode" INT
        backend_end
        backend_start
        interrupted "source-$mode" TERM
        backend_end
    done
}

@test "frames that the backend never gives back come back at the stop" {
    backend_start hold=7
    run_program source-intr --vhost-user "$socket" --count 200 --timeout 5000
    backend_end
    conserved source-intr
    (($(counter backend held) == 7))
    (($(counter source-intr tx_given_back) >= 7))
}

@test "what cannot be echoed because the ring is full is counted, and no buffer is lost" {
    backend_start generate=2000 deaf
    run_program echo-hybrid --vhost-user "$socket" --ring 16 --seconds 5 --timeout 5000
    backend_end
    conserved echo-hybrid
    (($(counter echo-hybrid echo_full) > 0))
    (($(counter echo-hybrid tx_given_back) == 16))
}

all_requests=(GET_FEATURES GET_PROTOCOL_FEATURES SET_OWNER SET_FEATURES SET_MEM_TABLE
    SET_VRING_CALL SET_VRING_NUM SET_VRING_BASE SET_VRING_ADDR SET_VRING_KICK
    SET_VRING_ENABLE GET_VRING_BASE)

# flaw_is_named FLAW PATTERN REQUEST...: a healthy answer may take its time, and is waited for no longer
# than need be where none comes
flaw_is_named() {
    local flaw=$1 pattern=$2 request patience=60000
    shift 2
    [[ $flaw != silent ]] || patience=5000
    for request; do
        [[ $flaw != refuse || $request != GET_* ]] || continue
        backend_start "$flaw=$request"
        refused "${pattern//REQUEST/$request}" source-hybrid --vhost-user "$socket" --count 10 \
            --window 10 --timeout $patience
        kill "$backend" 2>/dev/null || true
        wait "$backend" || true
    done
}

@test "a backend that hangs up is named with the message" {
    flaw_is_named close "closed the connection at REQUEST" "${all_requests[@]}"
}

@test "a backend that never answers is given up" {
    flaw_is_named silent "no answer to REQUEST within 5000 ms" GET_FEATURES SET_MEM_TABLE GET_VRING_BASE
}

@test "a backend that refuses is named with the message" {
    flaw_is_named refuse "refused REQUEST" "${all_requests[@]}"
}

@test "an answer to another question is not believed" {
    flaw_is_named nonsense "REQUEST was answered by request" "${all_requests[@]}"
}

@test "an answer of the wrong length is not believed" {
    flaw_is_named short "REQUEST was answered by .* 4 bytes" "${all_requests[@]}"
}

@test "a ring that another queue's base is told for is not taken back" {
    backend_start base=GET_VRING_BASE
    refused "GET_VRING_BASE of queue 0 was answered by queue 1" source-intr --vhost-user "$socket" --count 10
}

@test "a backend that dies amid traffic is noticed in each mode" {
    for mode in poll intr hybrid; do
        backend_start die-after=300
        refused "closed the connection" "source-$mode" --vhost-user "$socket" --window 32
        wait "$backend"
    done
}

@test "a device that breaks the rules of its ring is named" {
    local ring trick
    for ring in "" --packed; do
        for trick in id_range:"used id is not below" id_twice:"used id names a descriptor"; do
            backend_start "trick=${trick%%:*}"
            # shellcheck disable=SC2086
            refused "transmit queue: ${trick#*:}" source-intr --vhost-user "$socket" --count 5000 \
                --window 32 $ring
            backend_end
        done
    done
}

@test "what the backend does not offer and was asked for is named" {
    backend_start no-version-1
    refused VERSION_1 echo-intr --vhost-user "$socket"
    backend_start no-packed
    refused "no RING_PACKED" echo-intr --vhost-user "$socket" --packed
    backend_start
    refused "no CSUM" echo-intr --vhost-user "$socket" --features +CSUM
}

@test "a socket that is not there, is too long, or is no socket" {
    refused "No such file.*start the backend first" echo-poll --vhost-user "$work/none"
    refused "at most 107 bytes" echo-poll --vhost-user "/$(printf '%0120d' 0)"
    touch "$work/file"
    refused "Connection refused" echo-poll --vhost-user "$work/file"
}

@test "mistakes on the command line" {
    refused "one of --vhost-user SOCKET and --vhost-net TAP" echo-poll
    refused "one of --vhost-user" echo-poll --vhost-user a --vhost-net b
    refused "no such option" echo-poll --vhost-user a --rate 5
    refused "needs a value" echo-poll --vhost-user
    refused "every argument is an option" echo-poll --vhost-user a b
    refused "power of 2" echo-poll --vhost-user a --ring 100
    refused "2 to 32768" echo-poll --vhost-user a --ring 65536
    refused "60 to 1514" source-poll --vhost-user a --size 59
    refused "1 to 10000000000" source-poll --vhost-user a --count -1
    refused "0.001 to 86400 seconds" source-poll --vhost-user a --seconds 1e3
    refused "no more than the ring has" source-poll --vhost-user a --ring 16 --window 17
    refused "no such feature" source-poll --vhost-user a --features +NONE
    refused "does not implement" source-poll --vhost-user a --features +HASH_REPORT
    refused "give --read FILE" pcap-poll --vhost-user a
    refused "nothing to send" pcap-poll --vhost-user a --write "$work/x" --paced
    refused "exclude each other" pcap-poll --vhost-user a --read x --rate 5 --paced
    refused "No such file" pcap-poll --vhost-user a --read "$work/none"
    refused "unknown file format" pcap-poll --vhost-user a --read Makefile
    refused "No such file or directory" pcap-poll --vhost-user a --write "$work/none/file"
    refused "--out .*No such file" echo-poll --vhost-user a --out "$work/none/file"
}

@test "a count that is not reached in time is an error" {
    backend_start
    refused "--seconds is over before --count" source-hybrid --vhost-user "$socket" --rate 10 --count 100 --seconds 0.1
    backend_end
}

@test "--help names every option of a program and no other" {
    for name in source sink echo pcap; do
        "$PROGRAMS/$name-intr" --help >"$work/$name"
    done
    awk -F '"' '/^OPTION/ { print $2 }' virtio_net/hosted/options.def | while read -r option; do
        grep -q -- "^  --$option " "$work/source" "$work/pcap"
        grep -q -- "^    --$option" virtio_net/hosted/README.md
    done
    grep -q -- --window "$work/source"
    run ! grep -q -- --window "$work/echo"
}

@test "a capture that is replayed and recorded is the same capture" {
    # Two test frames and one cut short: made by the programs themselves.
    for mode in poll intr hybrid; do
        backend_start generate=50
        run_program "pcap-$mode" --vhost-user "$socket" --write "$work/first.pcap" --count 50
        backend_end
        backend_start
        run_program "pcap-$mode" --vhost-user "$socket" --read "$work/first.pcap" \
            --write "$work/second.pcap" --count 50 --rate 10000
        backend_end
        conserved "pcap-$mode"
        (($(counter "pcap-$mode" sourced) == 50 && $(counter "pcap-$mode" sunk) == 50))
        # 24 bytes of file header, and of each record 16, of which the first 8 are its time.
        for file in first second; do
            tail -c +25 "$work/$file.pcap" | od -An -v -tx1 -w76 | cut -c25- >"$work/$file"
        done
        (($(wc -l <"$work/first") == 50))
        cmp "$work/first" "$work/second"
    done
    head -c -10 "$work/first.pcap" >"$work/cut.pcap"
    backend_start
    refused "truncated dump file" pcap-poll --vhost-user "$socket" --read "$work/cut.pcap"
    backend_end
}
