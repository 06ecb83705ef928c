# shellcheck shell=bash
# A guest on this machine without privileges: QEMU's own virtio-net device, each Ethernet frame one
# UDP datagram on 127.0.0.1, which is what loadgen's port udp: speaks. Sourced.
#
#   udp_guest_start DIR MODE "parameters of the kernel" [device property...]
#       fails with one line if it does not become ready; sets udp_guest_port (loadgen --port)
#       and udp_guest_ram (for ringsnap)
#   udp_guest_boot DIR MODE ...
#       the same without waiting: for workload=source, which sends instead of being ready
#   udp_guest_stop
#   udp_guest_tap QUEUES
#       the next guest is on a tap of so many queues instead, two or more, that nobody else speaks on;
#       it goes with the guest. Only if udp_guest_can_tap.
# UDP_GUEST_MACHINE and UDP_GUEST_FIRMWARE choose other than QEMU's pc and its own firmware. On a
# microvm the device is on MMIO, and on PCI everywhere else.

udp_guest_ram=/dev/shm/ringscope-$$.ram

udp_guest_can_tap() {
    [[ $EUID == 0 && -c /dev/net/tun ]]
}

udp_guest_tap() {
    udp_guest_queues=$1
    udp_guest_tap=rst$$
    # A run that was killed may have left one behind, which would be taken for this one.
    while [[ -e /sys/class/net/$udp_guest_tap ]]; do
        udp_guest_tap=rst$RANDOM
    done
    ip tuntap add dev "$udp_guest_tap" mode tap multi_queue
    # Without IPv6 the interface has nothing of its own to say.
    echo 1 >"/proc/sys/net/ipv6/conf/$udp_guest_tap/disable_ipv6" || true
    ip link set "$udp_guest_tap" up
}

# QEMU's back end; near and far are the ports of the UDP one.
udp_guest_netdev() {
    if [[ -n ${udp_guest_tap:-} ]]; then
        echo "tap,id=net,ifname=$udp_guest_tap,script=no,downscript=no,vhost=off,queues=$udp_guest_queues"
    else
        echo "dgram,id=net,local.type=inet,local.host=127.0.0.1,local.port=$1,remote.type=inet,remote.host=127.0.0.1,remote.port=$2"
    fi
}

udp_guest_boot() {
    local dir=$1 mode=$2 parameters=$3 try near far properties='' firmware=()
    local machine=${UDP_GUEST_MACHINE:-pc} device=virtio-net-pci,romfile=
    shift 3
    [[ $machine != microvm* ]] || device=virtio-net-device
    [[ $# == 0 ]] || properties=,$(IFS=, && echo "$*")
    [[ -z ${UDP_GUEST_FIRMWARE:-} ]] || firmware=(-bios "$UDP_GUEST_FIRMWARE")
    mkdir -p "$dir"
    rm -f "$udp_guest_ram"
    # QEMU itself says whether a port is free: asking beforehand would race with other runs.
    # Below the ports that Linux gives to sockets of other programs: loadgen takes the far one later.
    for try in {1..10}; do
        near=$((20000 + RANDOM % 6000 * 2))
        far=$((near + 1))
        if qemu-system-x86_64 -nodefaults -no-reboot -display none -accel tcg -cpu max -m 96 \
            "${firmware[@]}" -machine "$machine,memory-backend=ram" \
            -object "memory-backend-file,id=ram,size=96M,mem-path=$udp_guest_ram,share=on" \
            -kernel "${BUILD:-build}/kernel/ringscope-$mode.elf" -append "trace_mb=32 $parameters" \
            -netdev "$(udp_guest_netdev $near $far)" \
            -global virtio-mmio.force-legacy=false \
            -device "$device,netdev=net,mac=52:54:00:00:00:01$properties" \
            -device isa-debug-exit,iobase=0xf4,iosize=4 -serial "file:$dir/console.log" -pidfile "$dir/pid" -daemonize \
            2>"$dir/qemu.log"; then
            udp_guest_pid=$(<"$dir/pid")
            udp_guest_pidfile=$dir/pid
            udp_guest_port=udp:$far:$near
            # shellcheck disable=SC2034
            [[ -z ${udp_guest_tap:-} ]] || udp_guest_port=packet:$udp_guest_tap
            return 0
        fi
        grep -q 'Address already in use' "$dir/qemu.log" || break
    done
    echo "QEMU did not start after $try tries: $(tail -n 1 "$dir/qemu.log")" >&2
    return 1
}

udp_guest_start() {
    udp_guest_boot "$@" || return 1
    "${BUILD:-build}/trace/ctf/ringsnap" "$udp_guest_ram" wait READY 120 >/dev/null && return 0
    echo "the guest did not become ready; its console: $1/console.log" >&2
    udp_guest_stop
    return 1
}

# QEMU has detached itself, so whoever is process 1 here reaps it, late or never: a zombie is gone.
udp_guest_alive() {
    local stat
    { read -r stat <"/proc/$udp_guest_pid/stat"; } 2>/dev/null && [[ ${stat##*) } != Z* ]]
}

udp_guest_stop() {
    if [[ -n ${udp_guest_pid:-} ]]; then
        kill "$udp_guest_pid" 2>/dev/null || true
        while udp_guest_alive; do
            sleep 0.05
        done
        udp_guest_pid=''
        rm -f "$udp_guest_ram" "$udp_guest_pidfile"
    fi
    [[ -z ${udp_guest_tap:-} ]] || ip link del "$udp_guest_tap"
    udp_guest_tap=''
}
