#!/usr/bin/env bash
# arch.sh MACHINE...: builds the driver's tests for each, without sanitizers, and runs them under
# qemu-user. A machine whose compiler or emulator is not here is skipped, and says so in TAP.
set -euo pipefail
cd "$(dirname "$0")/../../.."
out=${BUILD:-$PWD/build}/arch

# The legacy interface is the guest's byte order, which the driver has on little-endian machines only.
without_legacy=(VNET_TRANSPORTS="virtio_net/transport/pci_modern.c virtio_net/transport/mmio.c"
    VNET_KIT_TESTS="test_attach test_ctrl test_transports test_rules test_mmio")

make_for() { # MACHINE TARGET
    local own=()
    [[ $1 != s390x ]] || own=("${without_legacy[@]}")
    make -s BUILD="$out/$1" VNET_TEST_CC="$1-linux-gnu-gcc" \
        VNET_TEST_SAN="-static -O2 -Ivirtio_net/test/arch -DSCHEDULES=60u -DFRAMES=50000u" \
        VNET_TEST_LIBS="$out/$1/virtio_net/test/cmocka.o" "${own[@]}" "$2"
}

# run MACHINE: each test, with its machine before the name of its group
run() {
    local test failed=0
    make_for "$1" arch-tests
    for test in $(make_for "$1" test-names); do
        echo "# $1: ${test##*/}"
        timeout 300 "qemu-$1" "$test" || failed=1
    done
    return "$failed"
}

n=0 bad=0
for machine; do
    if command -v "$machine-linux-gnu-gcc" "qemu-$machine" >/dev/null; then
        run "$machine" || bad=1
    else
        n=$((n + 1))
        echo "ok $n $machine # skip install gcc-$machine-linux-gnu, its libc6-dev and qemu-user"
    fi
done
exit "$bad"
