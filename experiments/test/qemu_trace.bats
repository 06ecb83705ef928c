#!/usr/bin/env bats
# A chain closes without vhost too: QEMU's own virtio device, its trace log turned into host records
# (trace/host/qemu_log.sh), joined with the guest's trace.

bats_require_minimum_version 1.5.0

# shellcheck source=experiments/test/guest_kit.bash
. "$BATS_TEST_DIRNAME/guest_kit.bash"

convert=$BATS_TEST_DIRNAME/../../trace/host/qemu_log.sh

class() {
    awk -F '\t' -v side="$1" -v class="$2" '$1 == side && $2 == class { print $3 }' \
        "$work/join/classes.tsv"
}

# joins MODE: echoes frames and joins all of both traces.
joins() {
    more_qemu -trace virtio_queue_notify -trace "'virtqueue_*'" -trace virtio_notify \
        -trace virtio_set_status -msg timestamp=on -D "'$work/qemu_trace.log'"
    udp_guest_start "$work/guest" "$1" "workload=echo quiet=on" ioeventfd=off
    echo_load 200 200
    settle 200
    "$snap" "$udp_guest_ram" dump --out "$work/trace"
    udp_guest_stop
    "$convert" "$work/qemu_trace.log" >"$work/host.log"
    "$BUILD/trace/join/hostlog2ctf" --log "$work/host.log" --out "$work/host"
    run "$BUILD/trace/join/ringjoin" --guest "$work/trace" --host "$work/host" --out "$work/join"
    echo "$output"
    cat "$work/join/classes.tsv" "$work/join/align.json"
    ((status == 0))
}

@test "every kick of the driver is a kick of QEMU, and every chain is complete" {
    joins intr
    # How many there are is the machine's: one that is busy serves several frames at a time.
    equal "$(class guest kick_matched)" "rx_kicks + tx_kicks"
    (($(class guest kick_matched) > 0))
    (($(class guest kick_unmatched) == 0 && $(class host host_kick_unmatched) == 0))
    (($(class guest harvest_covered) > 0 && $(class guest harvest_unknown) == 0))
    (($(class guest irq_without_call) == 0 && $(class host run_half) == 0))
    (($(class host host_unknown) == 0 && $(class host used_open) == 0))
    grep -q '"aligned": true' "$work/join/align.json"
}

@test "a log without kicks, or without times, is refused by what it lacks" {
    echo "virtio_queue_notify vdev 0x1 n 1 vq 0x2" >"$work/log"
    run "$convert" "$work/log"
    ((status == 1))
    [[ $output == *"-msg timestamp=on"* ]]
    run "$convert" "$work/none"
    ((status == 1))
    [[ $output == *"cannot read"* ]]
}
