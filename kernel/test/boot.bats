#!/usr/bin/env bats
# The kernel under QEMU's TCG, without a network. KERNEL_ELF is the kernel to boot.

setup() {
    [ -r "${KERNEL_ELF:-}" ] || { echo "KERNEL_ELF names no kernel"; return 1; }
}

# guest MACHINE "PARAMETERS" [QEMU OPTION...]: runs to the end, within limits for machines that have much else to do. Prints the
# console; the status is QEMU's: 1 = success, 3 = panic, 5 = bad command line, 7 = failed test.
guest() {
    local machine=$1 parameters=$2
    shift 2
    timeout 120 qemu-system-x86_64 -accel tcg -machine "$machine" -cpu qemu64 -m 64 -nodefaults \
        -display none -no-reboot -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 \
        -kernel "$KERNEL_ELF" -append "onpanic=exit $parameters" "$@" 2>&1
}

# crashes WORKLOAD LINE...: the guest panics, and the console has every LINE.
crashes() {
    run guest pc "workload=$1"
    echo "$output"
    [ "$status" -eq 3 ]
    shift
    for line; do
        [[ "$output" == *"$line"* ]]
    done
}

boots_fast() {
    local start=${EPOCHREALTIME/./} end
    run guest "$@"
    end=${EPOCHREALTIME/./}
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"kernel ready"* ]]
    echo "# $1: $(((end - start) / 1000)) ms from exec to the end of the self-tests" >&3
    ((end - start < 60000000))
}

@test "boots on pc, passes its self-tests" {
    boots_fast pc "workload=selftest"
}

@test "boots on q35, passes its self-tests" {
    boots_fast q35 "workload=selftest"
}

@test "boots on microvm, where there is neither PCI nor port 0x61, passes its self-tests" {
    boots_fast microvm "workload=selftest"
    [[ "$output" == *" 0 PCI functions"* ]]
    boots_fast microvm,acpi=off "workload=selftest"
}

@test "a machine without PIT: one line says what it lacks" {
    run guest microvm,pit=off "workload=selftest"
    echo "$output"
    [ "$status" -eq 3 ]
    [[ "$output" == *"no PIT to calibrate the TSC against: QEMU's microvm needs pit=on"* ]]
}

@test "boots with RAM above 4 GiB, a large region, every CPU feature, without poison" {
    boots_fast q35 "workload=selftest trace_mb=64 tick_hz=1000 poison=off" -m 5G -cpu max
}

@test "finds devices behind PCI bridges" {
    run guest q35 "workload=selftest" -device pcie-root-port,id=p,chassis=1 \
        -device virtio-rng-pci,bus=p
    echo "$output"
    with=$(grep -o '[0-9]* PCI' <<<"$output")
    run guest q35 "workload=selftest"
    without=$(grep -o '[0-9]* PCI' <<<"$output")
    ((${with% PCI} == ${without% PCI} + 2))
}

@test "the TSC's frequency comes out the same within 0.1 %" {
    local low=0 high=0 hz
    for i in 1 2 3 4 5; do
        run guest pc "workload=selftest"
        hz=$(sed -n 's/.*TSC \([0-9]*\) Hz.*/\1/p' <<<"$output")
        ((low == 0 || hz < low)) && low=$hz
        ((hz > high)) && high=$hz
    done
    echo "# TSC $low to $high Hz in 5 boots" >&3
    (((high - low) * 1000 < low))
}

@test "null dereference: cause, thread, registers, functions by name" {
    crashes crash "page fault: read at 0x0: not mapped (null pointer)" 'thread "crash"' \
        "rip 0000000000" "crash_null+0x" "thread_main+0x"
}

@test "stack overflow is caught by the guard page and named" {
    crashes crash-stack "stack overflow" "crash_recurse+0x"
}

@test "writing to text faults" {
    crashes crash-wx "page fault: write at 0x100000: protection" "crash_write_text+0x"
}

@test "executing data faults" {
    crashes crash-nx "page fault: execution at 0x" "run+0x"
}

@test "a double fault is reported on a stack of its own" {
    crashes crash-df "double fault" "crash_double_fault+0x"
}

@test "freeing an object twice panics" {
    crashes crash-free "double free in cache kmalloc-128" "crash_object_free+0x"
}

@test "freeing a page twice panics" {
    crashes crash-page-free "page_free(" "double free" "crash_page_free+0x"
}

@test "overrunning a local array panics" {
    crashes crash-smash "stack smashed" "crash_smash+0x"
}

@test "taking a lock twice panics" {
    crashes crash-lock 'lock "twice" taken twice by CPU 0' "crash_lock+0x"
}

@test "a bad parameter is refused in one line" {
    for bad in "bogus=1" "size=3" "workload=nap" "event_idx=1" "count"; do
        run guest pc "$bad"
        echo "$output"
        [ "$status" -eq 5 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ "$output" == *"${bad%%=*}"* ]]
    done
}

@test "a trace region larger than RAM is refused in one line" {
    run guest pc "trace_mb=64"
    [ "$status" -eq 5 ]
    [ "${#lines[@]}" -eq 1 ]
}

@test "help lists every parameter" {
    run guest pc "help"
    [ "$status" -eq 1 ]
    for name in workload trace_mb event_idx transport virtio_mmio.device mac; do
        [[ "$output" == *"$name="* ]]
    done
}

@test "a panic is visible in the shared region" {
    local ram=$BATS_TEST_TMPDIR/ram
    run guest pc "workload=crash" \
        -object "memory-backend-file,id=ram,size=64M,mem-path=$ram,share=on" \
        -machine memory-backend=ram
    [ "$status" -eq 3 ]
    # state is 48 bytes into struct trace_region; TRACE_GUEST_PANIC is 4
    [ "$(od -An -t u4 -j $((0x1000000 + 48)) -N 4 "$ram" | tr -d ' ')" -eq 4 ]
}
