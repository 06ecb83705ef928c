#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031
# What a guest negotiates beyond one pair of queues and plain frames: merged buffers, the control queue,
# several pairs, the MTU. QEMU is asked what became of it.

bats_require_minimum_version 1.5.0

# shellcheck source=experiments/test/guest_kit.bash
. "$BATS_TEST_DIRNAME/guest_kit.bash"

everything=+CTRL_VQ,+CTRL_RX,+CTRL_RX_EXTRA,+CTRL_VLAN,+CTRL_MAC_ADDR,+GUEST_ANNOUNCE,+MRG_RXBUF,+INDIRECT_DESC

# QEMU's own view, over a pipe: ask COMMAND prints the answer.
open_qmp() {
    mkfifo "$work/qmp.in" "$work/qmp.out"
    more_qemu -chardev "pipe,id=qmp,path=$work/qmp" -mon chardev=qmp,mode=control
}

ask() {
    local answer
    exec 7<>"$work/qmp.out" 8<>"$work/qmp.in"
    echo '{"execute":"qmp_capabilities"}' >&8
    echo "{\"execute\":\"$1\"${2:+,\"arguments\":$2}}" >&8
    # The greeting (once), the answer to the first, events, and then ours.
    while read -t 60 -r answer <&7; do
        if [[ $answer == *'"return"'* && $answer != *'"return": {}'* || $answer == *'"error"'* ]]; then
            echo "$answer"
            break
        fi
    done
    exec 7<&- 8>&-
}

# A frame of ringscope's, of so many bytes, in one datagram.
our_frame() {
    printf '\x52\x54\0\0\0\x01\x52\x54\0\0\0\x02\x88\xb5RSCP\0\0\0\0\x01\0\0\0\0\0\0\0' >"$work/frame"
    truncate -s "$1" "$work/frame"
    cat "$work/frame" >"/dev/udp/127.0.0.1/${udp_guest_port##*:}"
}

merged() {
    udp_guest_start "$work/guest" "$1" "workload=echo features=+MRG_RXBUF,+INDIRECT_DESC packed=$2" "packed=$2"
    echo_load 1000 200
    our_frame 9000
    settle 201
    # 2 KiB a buffer, and 12 bytes before the frame.
    equal rx_more_bufs 4
    equal "rx_bytes - tx_bytes" 0
    equal echoed 201
    conserved
}

@test "a frame over five buffers, merged and sent back as one, poll, split" { merged poll off; }
@test "a frame over five buffers, merged and sent back as one, intr, split" { merged intr off; }
@test "a frame over five buffers, merged and sent back as one, hybrid, split" { merged hybrid off; }
@test "a frame over five buffers, merged and sent back as one, poll, packed" { merged poll on; }
@test "a frame over five buffers, merged and sent back as one, intr, packed" { merged intr on; }
@test "a frame over five buffers, merged and sent back as one, hybrid, packed" { merged hybrid on; }

@test "a frame that needs merged buffers without them: QEMU keeps it, and nothing breaks" {
    udp_guest_start "$work/guest" hybrid "workload=echo"
    our_frame 9000
    echo_load 1000 100
    settle 100
    equal rx_more_bufs 0
    conserved
}

commands() {
    open_qmp
    UDP_GUEST_MACHINE=${2:-pc} udp_guest_start "$work/guest" hybrid "workload=echo features=$everything packed=$1 \
mac=52:54:00:00:00:77 ctrl=promisc:0,allmulti:0,multicast:3,vlan_add:5,vlan_add:77,vlan_del:5,nobcast:1" "packed=$1"
    filter=$(ask query-rx-filter)
    echo "$filter"
    [[ $filter == *'"promiscuous": false'* ]]
    # QEMU reports its "no broadcast" switch under this name: false is the default.
    [[ $filter == *'"broadcast-allowed": true'* ]]
    [[ $filter == *'"main-mac": "52:54:00:00:00:77"'* ]]
    [[ $filter == *'"vlan-table": [77]'* ]]
    for group in 0 1 2; do
        [[ $filter == *"\"33:33:00:00:00:0$group\""* ]]
    done
    [[ $filter != *'"33:33:00:00:00:03"'* ]]
    counters
    equal ctrl_commands 8
    equal ctrl_refused 0
}

@test "commands as QEMU understood them, split" { commands off; }
@test "commands as QEMU understood them, packed" { commands on; }
@test "commands as QEMU understood them, MMIO" { commands off microvm,acpi=off; }

@test "an announcement that is asked for is made, and said to be made" {
    open_qmp
    udp_guest_start "$work/guest" intr "workload=echo features=$everything"
    counters
    equal announced 0
    # Once a round; QEMU tells a guest that announces for itself, and tells it again until it has.
    ask announce-self '{"initial":20,"max":20,"rounds":2,"step":0}' &
    for _ in {1..3000}; do
        counters
        [ "$(counter announced)" -eq 0 ] || [ "$(counter ctrl_commands)" -eq 0 ] || break
        sleep 0.02
    done
    kill %% 2>/dev/null || true
    [ "$(counter announced)" -ge 1 ]
    [ "$(counter ctrl_commands)" -ge 1 ]
    equal ctrl_refused 0
    echo_load 1000 100
    settle 100
    conserved
}

@test "the MTU: taken where the buffers hold it" {
    udp_guest_start "$work/guest" hybrid "workload=echo" host_mtu=1400
    grep -F 'pairs 1, mtu 1400' "$work/guest/console.log"
    udp_guest_stop
    udp_guest_start "$work/guest" hybrid "workload=echo" host_mtu=9000
    grep -F 'pairs 1, mtu 1500' "$work/guest/console.log"
    run ! grep -E 'accepted .* MTU' "$work/guest/console.log"
    udp_guest_stop
    udp_guest_start "$work/guest" hybrid "workload=echo features=+MRG_RXBUF" host_mtu=9000
    grep -F 'pairs 1, mtu 9000' "$work/guest/console.log"
}

net=(-netdev user,id=net -device virtio-net-pci,netdev=net,romfile=)

@test "ctrl= that cannot be: one line each" {
    refused 'ctrl=: no command "jump"; there are: promisc allmulti' "features=$everything ctrl=jump:1" "${net[@]}"
    refused 'ctrl=: "promisc": expected NAME:NUMBER' "features=$everything ctrl=promisc" "${net[@]}"
    refused 'ctrl=: promisc: the feature that this command needs was not negotiated' ctrl=promisc:1 "${net[@]}"
    refused 'ctrl=: multicast: the command has more data' "features=$everything ctrl=multicast:101" "${net[@]}"
    refused 'ctrl=: pairs: the feature' "features=$everything ctrl=pairs:1" "${net[@]}"
    refused 'mac=01:00:00:00:00:01: expected aa:bb:cc:dd:ee:ff' mac=01:00:00:00:00:01 "${net[@]}"
    refused 'mac=52:54:0: expected' mac=52:54:0 "${net[@]}"
}

@test "ctrl= that the device refuses: one line" {
    refused 'ctrl=: vlan_add: device refused the command' \
        "features=$everything ctrl=vlan_add:1,vlan_add:5000" "${net[@]}"
}

# Several pairs need a backend that has them.
pairs() {
    udp_guest_can_tap || skip "needs root and /dev/net/tun"
    local mode=$1 packed=$2 vectors=$3 irqs=$4
    udp_guest_tap 3
    udp_guest_start "$work/guest" "$mode" "workload=echo packed=$packed pairs=3 \
features=+CTRL_VQ,+MQ,+CSUM,+GUEST_CSUM,+HOST_TSO4,+HOST_TSO6,+GUEST_TSO4,+GUEST_TSO6,+MRG_RXBUF,+INDIRECT_DESC" \
        mq=on "packed=$packed" "vectors=$vectors"
    echo_load 1000 500
    settle 500
    grep -F "pairs 3, mtu" "$work/guest/console.log"
    grep -F "irq $irqs," "$work/guest/console.log"
    equal ctrl_commands 1
    equal ctrl_refused 0
    conserved
}

@test "three pairs, offloads on: poll" { pairs poll off 8 none; }
@test "three pairs, offloads on: intr, a vector each" { pairs intr off 7 msix; }
@test "three pairs, offloads on: intr, shared vectors" { pairs intr off 2 msix-shared; }
@test "three pairs, offloads on: hybrid, the line" { pairs hybrid off 0 intx; }
@test "three pairs, offloads on: hybrid, packed" { pairs hybrid on 8 msix; }
