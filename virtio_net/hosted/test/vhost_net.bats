# The hosted echo on a real /dev/vhost-net: this machine's where it has one and we are root, else the
# lab's. Nothing that may start the lab gets bats' descriptor 3: bats would wait for it to be closed.
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    export BUILD=${BUILD:-$PWD/build} LAB_WAS_UP=1
    host
    if [[ $EUID == 0 ]] && host_has_vhost; then
        export HOSTED_HOST=local HOSTED_DIR=$BATS_FILE_TMPDIR/host
    else
        export HOSTED_HOST=lab HOSTED_DIR=/tmp/ringscope-hosted
        # A lab that ran before is somebody's and is left running.
        experiments/lab/lab.sh status >/dev/null 2>&1 || LAB_WAS_UP=0
        experiments/lab/lab.sh start 3>&-
    fi
    stage=$BATS_FILE_TMPDIR/stage
    mkdir "$stage"
    cp virtio_net/hosted/test/vhost_net.sh "$BUILD"/virtio_net/hosted/echo-{poll,intr,hybrid} \
        "$BUILD/experiments/loadgen/loadgen" "$stage/"
    strip "$stage"/echo-* "$stage/loadgen"
    host
    host_put "$stage" "$HOSTED_DIR" 3>&-
}

teardown_file() {
    ((LAB_WAS_UP)) || "$BATS_TEST_DIRNAME/../../../experiments/lab/lab.sh" stop 3>&-
}

host() {
    # shellcheck source=SCRIPTDIR/../../../experiments/host.sh
    source experiments/host.sh
    # shellcheck disable=SC2034
    host_name=${HOSTED_HOST:-}
}

setup() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    work=$BATS_TEST_TMPDIR
    # shellcheck source=SCRIPTDIR/kit.bash
    source virtio_net/hosted/test/kit.bash
    host
}

@test "poll echoes on /dev/vhost-net, by event index" { echo_on_vhost_net poll; }
@test "poll echoes on /dev/vhost-net, by flags" { echo_on_vhost_net poll --no-event-idx; }
@test "intr echoes on /dev/vhost-net, by event index" { echo_on_vhost_net intr; }
@test "intr echoes on /dev/vhost-net, by flags" { echo_on_vhost_net intr --no-event-idx; }
@test "hybrid echoes on /dev/vhost-net, by event index" { echo_on_vhost_net hybrid; }
@test "hybrid echoes on /dev/vhost-net, by flags" { echo_on_vhost_net hybrid --no-event-idx; }

@test "indirect descriptors and merged receive buffers on /dev/vhost-net" {
    echo_on_vhost_net hybrid --features +INDIRECT_DESC,+MRG_RXBUF
}

@test "what vhost-net does not offer is named" {
    # vhost-net has no packed rings to this day; a kernel that gets them must echo.
    status=0
    host_run "$HOSTED_DIR/vhost_net.sh $HOSTED_DIR/out intr 50 --packed" >"$work/log" 2>&1 3>&- || status=$?
    cat "$work/log"
    if ((status != 0)); then
        grep -q 'echo: vhost-net rsh[0-9]* offers no RING_PACKED' "$work/log"
    fi
}
