#!/usr/bin/env bash
# On the host: starts and stops the guest under test on a tap with vhost-net.
#   guest.sh start mode=… event_idx=… machine=… ring_size=… budget=… watchdog_ms=… workload=… accel=…
#   guest.sh stop
# State lies in ./guest: QEMU's pid, the console, the guest's RAM (in memory, mapped by readers).
set -euo pipefail
cd "$(dirname "$0")"

tap=ringscope0
ram_mb=96
ram=/dev/shm/ringscope-guest.ram

die() {
    echo "guest.sh: $*" >&2
    exit 1
}

# The kernel must say nothing on the tap itself: a neighbour solicitation would be a frame that the
# load generator never sent.
make_tap() {
    ip link del "$tap" 2>/dev/null || true
    ip tuntap add dev "$tap" mode tap vnet_hdr
    echo 1 >"/proc/sys/net/ipv6/conf/$tap/disable_ipv6"
    ip link set "$tap" arp off multicast off txqueuelen 1000 up
}

start() {
    local mode=hybrid event_idx=1 machine=pc ring_size=256 budget=64 watchdog_ms=1000
    local workload=echo accel=tcg extra='' arg
    for arg in "$@"; do
        case ${arg%%=*} in
        mode | event_idx | machine | ring_size | budget | watchdog_ms | workload | accel | extra)
            local "$arg"
            ;;
        *) die "unknown argument '$arg'" ;;
        esac
    done
    stop
    mkdir -p guest
    make_tap
    local onoff=off cpu=max firmware=()
    [[ $event_idx == 0 ]] || onoff=on
    [[ $accel != kvm ]] || cpu=host
    # The usual firmware looks for disks and probes devices for most of the boot, which under nested
    # emulation is seconds; qboot comes with QEMU and only starts kernels.
    [[ ! -f /usr/share/qemu/qboot.rom ]] || firmware=(-bios qboot.rom)
    rm -f "$ram"
    qemu-system-x86_64 -name ringscope-guest -nodefaults -no-reboot -display none \
        "${firmware[@]}" -machine "$machine,memory-backend=ram" -accel "$accel" -cpu "$cpu" -m "$ram_mb" \
        -object "memory-backend-file,id=ram,size=${ram_mb}M,mem-path=$ram,share=on" \
        -kernel "ringscope-$mode.elf" \
        -append "workload=$workload event_idx=$onoff rx_ring=$ring_size tx_ring=$ring_size \
budget=$budget watchdog_ms=$watchdog_ms trace_mb=32 quiet=on $extra" \
        -netdev "tap,id=net,ifname=$tap,script=no,downscript=no,vhost=on" \
        -device "virtio-net-pci,netdev=net,romfile=,mac=52:54:00:00:00:01,event_idx=$onoff" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 \
        -serial file:guest/console.log -pidfile guest/pid -daemonize 2>guest/qemu.log ||
        die "QEMU did not start: $(tail -n 1 guest/qemu.log)"
    ./ringsnap "$ram" wait READY 60 >/dev/null ||
        die "the guest did not become ready; its console ends with: $(tail -n 3 guest/console.log)"
}

stop() {
    local pid
    [[ -s guest/pid ]] || return 0
    pid=$(<guest/pid)
    if grep -qs ringscope-guest "/proc/$pid/cmdline" 2>/dev/null; then
        kill "$pid"
        # Gone, or dead and not yet reaped by whoever is process 1 here.
        while [[ -s /proc/$pid/cmdline ]]; do
            sleep 0.05
        done
    fi
    rm -rf guest
    ip link del "$tap" 2>/dev/null || true
    rm -f "$ram"
}

verb=${1:-}
shift || true
case $verb in
start) start "$@" ;;
stop) stop ;;
*) die "usage: guest.sh start name=value… | stop" ;;
esac
