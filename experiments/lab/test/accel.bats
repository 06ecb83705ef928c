#!/usr/bin/env bats
# The choice of the accelerator, against a QEMU that behaves as told.

setup() {
    accel=$BATS_TEST_DIRNAME/../accel.sh
    # Slack for a busy machine, on which "at once" takes seconds.
    export ACCEL_DIR=$BATS_TEST_TMPDIR/accel ACCEL_KVM_SLACK=60
    export PROBE_GUEST=$BATS_TEST_TMPDIR/guest KVM_NODE=$BATS_TEST_TMPDIR/kvm
    touch "$PROBE_GUEST" "$KVM_NODE"
    export QEMU=$BATS_TEST_TMPDIR/qemu
}

# qemu_that TCG KVM: shell commands for a probe run under each.
qemu_that() {
    cat >"$QEMU" <<END
#!/bin/bash
echo "\$*" >>"$BATS_TEST_TMPDIR/calls"
case "\$*" in
*version*) echo "QEMU 1" ;;
*"-accel tcg"*) $1 ;;
*"-accel kvm"*) $2 ;;
esac
END
    chmod +x "$QEMU"
}

choice() {
    run --separate-stderr "$accel"
}

bats_require_minimum_version 1.5.0

@test "kvm is taken when its guest runs, and faster" {
    qemu_that 'sleep 5; exit 85' 'exit 85'
    choice
    [ "$status" = 0 ]
    [ "$output" = kvm ]
}

@test "kvm that runs slower than tcg is not taken" {
    qemu_that 'exit 85' 'sleep 5; exit 85'
    choice
    [ "$output" = tcg ]
    [[ $stderr == *"kvm: probe guest ran in"* ]]
}

@test "kvm that aborts is not taken, and its last words are shown" {
    qemu_that 'exit 85' 'echo "Assertion failed" >&2; kill -ABRT $$'
    choice
    [ "$output" = tcg ]
    [[ $stderr == *"Assertion failed"* ]]
}

@test "kvm that never ends is killed at the deadline" {
    qemu_that 'exit 85' 'exec sleep 600'
    ACCEL_KVM_SLACK=2 choice
    [ "$output" = tcg ]
    [[ $stderr =~ "not finished after "[0-9]+" s" ]] # 2 more than tcg took
}

@test "kvm that exits at once without running the guest is not taken" {
    qemu_that 'sleep 0.2; exit 85' 'exit 0'
    choice
    [ "$output" = tcg ]
}

@test "no device node: kvm is not tried" {
    qemu_that 'exit 85' 'exit 85'
    rm "$KVM_NODE"
    choice
    [ "$output" = tcg ]
    run grep -c 'accel kvm' "$BATS_TEST_TMPDIR/calls"
    [ "$output" = 0 ]
}

@test "neither works: an error, not a guess" {
    qemu_that 'exit 1' 'exit 1'
    choice
    [ "$status" = 1 ]
    [ -z "$output" ]
    [[ $stderr == *neither* ]]
}

@test "the choice is remembered, and made anew for another QEMU" {
    qemu_that 'exit 85' 'exit 1'
    choice
    qemu_that 'exit 1' 'exit 1'
    choice
    [ "$output" = tcg ]
    sed -i 's/QEMU 1/QEMU 2/' "$QEMU"
    choice
    [ "$status" = 1 ]
}

@test "the evidence is kept in a file" {
    qemu_that 'exit 85' 'exit 7'
    choice
    grep -q 'kvm: probe guest failed with status 7' "$ACCEL_DIR/evidence"
    grep -q 'choice: tcg' "$ACCEL_DIR/evidence"
}
