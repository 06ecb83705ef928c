# The hosted echo on a real tap with a pretended vhost-net behind it (pretend_vhost.c): what the tap is
# told must be right, and the script that vhost_net.bats runs on a host.
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    export BUILD=${BUILD:-$PWD/build} HOSTED_DIR=$BATS_TEST_TMPDIR/host
    [[ $EUID == 0 ]] || skip "needs root to make a tap"
    tap=rsh$$ # of this test alone: others may be under way
    { ip tuntap add dev "$tap" mode tap && ip link del "$tap"; } 2>/dev/null ||
        skip "no tap can be made here"
    work=$BATS_TEST_TMPDIR
    mkdir "$HOSTED_DIR"
    cp virtio_net/hosted/test/vhost_net.sh "$BUILD/experiments/loadgen/loadgen" "$HOSTED_DIR/"
    for mode in poll intr hybrid; do
        cp "$BUILD/virtio_net/hosted/san/pretend-echo-$mode" "$HOSTED_DIR/echo-$mode"
    done
    # shellcheck source=SCRIPTDIR/kit.bash
    source virtio_net/hosted/test/kit.bash
    # shellcheck source=SCRIPTDIR/../../../experiments/host.sh
    source experiments/host.sh
    # shellcheck disable=SC2034
    host_name=local
}

@test "poll echoes on a tap" { echo_on_vhost_net poll; }
@test "intr echoes on a tap" { echo_on_vhost_net intr; }
@test "hybrid echoes on a tap" { echo_on_vhost_net hybrid; }
@test "intr echoes on a tap, by flags" { echo_on_vhost_net intr --no-event-idx; }
@test "indirect descriptors and merged receive buffers on a tap" {
    echo_on_vhost_net hybrid --features +INDIRECT_DESC,+MRG_RXBUF
}

# The queues of one tap: the kernel steers frames to any that is attached, and each of them echoes.
@test "three pairs echo on a tap of several queues" {
    local mode
    for mode in poll intr hybrid; do
        echo_on_vhost_net "$mode" --pairs 3
        (($(counter echo pair1_echoed) + $(counter echo pair2_echoed) + $(counter echo pair3_echoed) == 300))
        grep -q ', 3 pairs' "$work/out/echo.log"
    done
}

@test "a tap of one queue has no second pair" {
    ip tuntap add dev "$tap" mode tap
    local status=0
    "$HOSTED_DIR/echo-intr" --vhost-net "$tap" --pairs 2 >"$work/log" 2>&1 || status=$?
    ip link del "$tap"
    cat "$work/log"
    ((status == 1 && $(wc -l <"$work/log") == 1))
    grep -q "TUNSETIFF: Invalid argument: .*ip tuntap add $tap mode tap multi_queue" "$work/log"
}

@test "a tap that another process holds is one clear line" {
    "$HOSTED_DIR/echo-intr" --vhost-net "$tap" >"$work/first" 2>&1 3>&- &
    local first=$! status=0
    until grep -q mode "$work/first"; do
        kill -0 "$first"
        sleep 0.05
    done
    "$HOSTED_DIR/echo-intr" --vhost-net "$tap" >"$work/second" 2>&1 || status=$?
    kill -INT "$first"
    wait "$first"
    cat "$work/second"
    ((status == 1 && $(wc -l <"$work/second") == 1))
    grep -q "vhost-net $tap: TUNSETIFF: Device or resource busy: needs a tap that no one else uses" "$work/second"
}
