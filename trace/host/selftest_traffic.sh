#!/usr/bin/env bash
# Traffic that makes every probe see something, until it is ended: a guest that sends frames on its
# own, takes interrupts, and is sent pings and bursts. As root, for --traffic:
#   selftest_traffic.sh KERNEL [kvm]
# The guest is emulated, so that QEMU itself reads the calls; with kvm a second one runs beside it,
# whose calls the kernel takes.
set -euo pipefail

mac=52:54:00:00:00:77
taps=()
qemus=()

die() {
    echo "selftest_traffic.sh: $*" >&2
    exit 1
}

clean_up() {
    local tap
    ((${#qemus[@]} == 0)) || kill "${qemus[@]}" 2>/dev/null || true
    for tap in "${taps[@]}"; do
        ip link del "$tap" 2>/dev/null || true
    done
}

# The guest answers no ARP; the pings need only reach it. Each guest has a network of its own.
start_guest() {
    local accel=$1 cpu=$2 net=${#taps[@]} tap=ringself${#taps[@]}
    taps+=("$tap")
    ip link del "$tap" 2>/dev/null || true
    ip tuntap add dev "$tap" mode tap vnet_hdr || die "cannot make the tap $tap"
    ip addr add "198.18.$net.1/24" dev "$tap"
    ip link set "$tap" txqueuelen 1000 up
    ip neigh replace "198.18.$net.2" lladdr "$mac" dev "$tap"
    qemu-system-x86_64 -nodefaults -no-reboot -display none -serial none -accel "$accel" \
        -cpu "$cpu" -m 96M -kernel "$kernel" -append "workload=source rate=100 quiet=on" \
        -netdev "tap,id=net,ifname=$tap,script=no,downscript=no,vhost=on" \
        -device "virtio-net-pci,netdev=net,romfile=,rx_queue_size=1024,mac=$mac" \
        -device isa-debug-exit &
    qemus+=($!)
}

# More frames than a run may take at once (256), all of them waiting before the worker sees the first:
# it shares a CPU with the sender, at the lowest priority.
send_burst() {
    local worker
    worker=$(ps -eLo tid=,comm= | awk -v name="vhost-${qemus[0]}" '$2 == name { print $1 }')
    [[ -n $worker ]] || return 0
    taskset -pc 0 "$worker" >/dev/null
    chrt --idle -p 0 "$worker"
    taskset -c 0 ping -q -l 600 -c 600 -W 1 198.18.0.2 >/dev/null || true
    chrt --other -p 0 "$worker"
    taskset -pc 0-1023 "$worker" >/dev/null
}

[[ ($# == 1 || $# == 2 && $2 == kvm) && -f $1 ]] || die "usage: selftest_traffic.sh KERNEL [kvm]" \
    "(KERNEL: ringscope-intr.elf, since the guest must take interrupts)"
kernel=$1
trap clean_up EXIT
trap 'exit 0' TERM INT
start_guest tcg max
[[ $# == 1 ]] || start_guest kvm host
while kill -0 "${qemus[@]}" 2>/dev/null; do
    for net in "${!taps[@]}"; do
        ping -q -i 0.05 -c 20 -W 1 "198.18.$net.2" >/dev/null || true
    done
    send_burst
done
wait -n || die "QEMU ended with status $?"
