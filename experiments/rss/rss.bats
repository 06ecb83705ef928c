#!/usr/bin/env bats
# Receive-side scaling with QEMU's device: of 200 flows, one frame each, those that the hash and the table
# foretell for a pair arrive in that pair's receive queue, all of them and no other.

bats_require_minimum_version 1.5.0

# shellcheck source=experiments/test/guest_kit.bash
. "$BATS_TEST_DIRNAME/../test/guest_kit.bash"

flows=200
pairs=3

# received PAIR: frames in the receive queue of that pair, by the last look at the counters.
received() {
    if [[ $1 == 0 ]]; then
        counter rx_packets
    else
        counter "rx$(($1 + 1))_packets"
    fi
}

# all_received: of each pair, in a line
all_received() {
    local pair
    for ((pair = 0; pair < pairs; pair++)); do
        received $pair
    done | xargs
}

# arrive PAIR WORDS OF flows: what is foretold for the pair is there, and nothing else came.
arrive() {
    local pair=$1 sent want
    counters
    read -ra want < <(all_received)
    sent=$("$BUILD/experiments/rss/flows" send "$udp_guest_tap" $flows "$pair" $pairs "${@:2}")
    [ "$sent" -gt 10 ]
    want[pair]=$((want[pair] + sent))
    for _ in {1..1200}; do
        counters
        [[ $(all_received) != "${want[*]}" ]] || break
        sleep 0.1
    done
    echo "pair $pair: received $(all_received), foretold ${want[*]}"
    [ "$(all_received)" = "${want[*]}" ]
}

# steering MODE "MORE PARAMETERS" [DEVICE PROPERTY...]: a guest that steers
steering() {
    udp_guest_can_tap || skip "needs root and /dev/net/tun"
    udp_guest_tap $pairs
    udp_guest_start "$work/guest" "$1" "workload=sink pairs=$pairs features=+CTRL_VQ,+RSS $2" mq=on rss=on "${@:3}"
    counters
    equal rss_on 1
    equal ctrl_refused 0
}

# arrive_all ENTRIES HASH_TYPES UNCLASSIFIED
arrive_all() {
    local pair
    for ((pair = 0; pair < pairs; pair++)); do
        arrive $pair "$@"
    done
    settle $flows
    equal all_foreign all_rx_packets
    conserved
}

@test "the hash: the published examples" { "$BUILD/experiments/rss/flows" check; }

@test "each flow in its queue: poll, all types of hash" { steering poll ""; arrive_all 128 0x1ff 0; }
@test "each flow in its queue: intr, a vector each, another size of the table" {
    steering intr "ctrl=rss_entries:8" vectors=8
    arrive_all 8 0x1ff 0
}
@test "each flow in its queue: hybrid, packed, with MQ" {
    steering hybrid "features=+CTRL_VQ,+RSS,+MQ packed=on" packed=on vectors=8
    arrive_all 128 0x1ff 0
}
@test "each flow in its queue, and each queue on a CPU of its own" {
    more_qemu -smp 4
    steering intr "" vectors=8
    arrive_all 128 0x1ff 0
}
@test "addresses without ports, and what has no hash in the third queue" {
    steering hybrid "ctrl=rss_types:0x1,rss_unclassified:2" vectors=2
    arrive_all 128 0x1 2
}
@test "UDP alone" {
    steering hybrid "ctrl=rss_types:0x24,rss_unclassified:1" vectors=0
    arrive_all 128 0x24 1
}

@test "a reset forgets it, and the device is told again" {
    steering hybrid "ctrl=rss_entries:16 fault=ring_break:times=1" vectors=8
    for pair in 0 1 2; do # one frame in all; the ring that it comes by breaks
        "$BUILD/experiments/rss/flows" send "$udp_guest_tap" 1 $pair $pairs 16 0x1ff 0
    done
    for _ in {1..1200}; do
        counters
        [ "$(counter restarts)" -eq 0 ] || break
        sleep 0.1
    done
    equal restarts 1
    equal rss_on 1
    arrive_all 16 0x1ff 0
}

@test "a device that does not have it: one pair, or MQ's own steering" {
    udp_guest_can_tap || skip "needs root and /dev/net/tun"
    udp_guest_tap $pairs
    udp_guest_start "$work/guest" hybrid "workload=sink pairs=$pairs features=+CTRL_VQ,+RSS,+MQ" mq=on
    counters
    equal rss_on 0
    equal ctrl_commands 1
    grep -E '^vnet: missing .* RSS' "$work/guest/console.log"
    grep -F "pairs $pairs, mtu" "$work/guest/console.log"
}

net=(-netdev user,id=net -device "virtio-net-pci,netdev=net,romfile=,rss=on")

@test "what the device must not be told: one line each" {
    refused "ctrl=: rss_types: the feature that this command needs" "features=+CTRL_VQ ctrl=rss_types:1" "${net[@]}"
    for wrong in rss_entries:3 rss_entries:0 rss_entries:256 rss_entries:65664 rss_types:0x200 rss_unclassified:1; do
        refused "ctrl=: ${wrong%:*}: the command has more data than fits, or names" \
            "features=+CTRL_VQ,+RSS ctrl=$wrong" "${net[@]}"
    done
}
