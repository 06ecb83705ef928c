#!/usr/bin/env bash
# Traffic that makes every probe see something, until it is ended: a guest that sends frames on its
# own, takes interrupts, and is sent pings. selftest_traffic.sh KERNEL, as root, for --traffic.
set -euo pipefail

tap=ringself0
mac=52:54:00:00:00:77

die() {
    echo "selftest_traffic.sh: $*" >&2
    exit 1
}

clean_up() {
    kill "${qemu:-}" 2>/dev/null || true
    ip link del "$tap" 2>/dev/null || true
}

[[ $# == 1 && -f $1 ]] ||
    die "usage: selftest_traffic.sh KERNEL (ringscope-intr.elf: the guest must take interrupts)"
trap clean_up EXIT
trap 'exit 0' TERM INT
ip link del "$tap" 2>/dev/null || true
ip tuntap add dev "$tap" mode tap vnet_hdr || die "cannot make the tap $tap"
ip addr add 192.0.2.1/24 dev "$tap"
ip link set "$tap" up
# The guest answers no ARP; the pings need only reach it.
ip neigh replace 192.0.2.2 lladdr "$mac" dev "$tap"
qemu-system-x86_64 -nodefaults -no-reboot -display none -serial none -accel tcg -cpu max -m 96M \
    -kernel "$1" -append "workload=source rate=100 quiet=on" \
    -netdev "tap,id=net,ifname=$tap,script=no,downscript=no,vhost=on" \
    -device "virtio-net-pci,netdev=net,romfile=,mac=$mac" -device isa-debug-exit &
qemu=$!
while kill -0 "$qemu" 2>/dev/null; do
    ping -q -i 0.05 -c 20 -W 1 192.0.2.2 >/dev/null || true
done
wait "$qemu" || die "QEMU ended with status $?"
