#!/usr/bin/env bash
# Boots the guest on every pair of device properties and echoes frames: results/proof/qemu-matrix.tsv
# (qemu machine transport properties frames lost result). A row passes if so many frames reached the
# device, each came back once and in order or was dropped by name, and every buffer is where it belongs.
#   matrix.sh [ROW...]     only these rows, as numbered on the terminal
# FRAMES: how many frames a row echoes (10000). Exit status 1 if a row fails.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export BUILD=${BUILD:-$root/build}
frames=${FRAMES:-10000}
rate=5000
results=${RESULTS:-$root/results}/proof
# shellcheck source=experiments/test/guest_kit.bash
. "$root/experiments/test/guest_kit.bash"
# shellcheck source=experiments/udp_guest.sh
. "$root/experiments/udp_guest.sh"

rows() {
    awk -f "$here/pairs.awk" "$here/excluded.tsv" "$here/factors.tsv"
}

# level FACTOR: of the row that is run.
level() {
    local word
    for word in $row; do
        [[ $word != "$1="* ]] || echo "${word#*=}"
    done
}

# What is behind the device: a tap where it takes one to have a second pair of queues, or checksums that are
# not there yet. On a socket the same properties are given, and the guest has to see that there are none.
backend() {
    if [[ $(level mq)$(level csum) != offoff ]] && udp_guest_can_tap; then
        echo tap
    else
        echo socket
    fi
}

# What the guest is told: to want what the device may or may not have.
parameters() {
    local wanted='' feature
    for feature in INDIRECT_DESC MRG_RXBUF CTRL_VQ CSUM MQ; do
        [[ $(level "${feature,,}") == off ]] || wanted+=,+$feature
    done
    [[ $(level csum) == off ]] || wanted+=,+GUEST_CSUM
    [[ $(level mq) != rss ]] || wanted+=,+RSS
    # The generator's frames have nothing to hash: all of them by the second pair.
    [[ $(level netdev)$(level mq) != taprss ]] || echo ctrl=rss_unclassified:1
    echo "workload=echo pairs=2 packed=$(level packed) event_idx=$(level event_idx) tx_ring=$(level tx_ring)" \
        "features=${wanted#,}"
}

properties() {
    local name
    for name in packed event_idx indirect_desc mrg_rxbuf csum ctrl_vq rx_queue_size; do
        echo "$name=$(level $name)"
    done
    echo "guest_csum=$(level csum)"
    case $(level mq) in
    off) echo mq=off ;;
    on) echo mq=on ;;
    rss) echo mq=on,rss=on ;;
    esac
    [[ $(level machine) != microvm ]] || return 0
    echo "vectors=$(level vectors)"
    case $(level interface) in
    modern) echo disable-legacy=on ;;
    legacy) echo disable-modern=on ;;
    transitional) echo disable-legacy=off,disable-modern=off ;;
    esac
}

# has NAME WORD: the feature was accepted if and only if WORD is "on".
has() {
    local there=off
    ! grep -qE "^vnet: accepted .* $1( |\$)" "$work/guest/console.log" || there=on
    echo "$1 accepted: $there, expected: $2"
    [[ $there == "$2" ]]
}

# What the row asks for is what device and driver agreed on.
agreed() {
    local pairs=1 csum=off rss=0 feature
    if [[ $(level netdev) == tap ]]; then
        csum=$(level csum)
        [[ $(level mq) == off ]] || pairs=2
        [[ $(level mq) != rss ]] || rss=1
    fi
    for feature in CSUM GUEST_CSUM; do
        has $feature "$csum"
    done
    for feature in INDIRECT_DESC MRG_RXBUF CTRL_VQ EVENT_IDX; do
        has $feature "$(level "${feature,,}")"
    done
    has RING_PACKED "$(level packed)"
    grep -F ", pairs $pairs," "$work/guest/console.log"
    [[ $(level ctrl_vq) == off ]] || equal rss_on $rss
}

# Runs one row; prints what it finds, and fails where something does not hold.
run_row() {
    local machine echoed=0 delivered=0 socket=0 tries=0
    row=$1 work=$2
    snap=$BUILD/trace/ctf/ringsnap loadgen=$BUILD/experiments/loadgen/loadgen load=$work/load
    machine=$(level machine)
    [[ $machine != microvm ]] || machine=microvm,acpi=off
    trap 'udp_guest_stop; grep "^vnet:" "$work/guest/console.log" || true' EXIT
    mapfile -t device < <(properties)
    if [[ $(level netdev) == tap ]]; then
        udp_guest_tap 2
        # A short queue, so that a frame is either with the guest soon or refused at once.
        ip link set "$udp_guest_tap" txqueuelen 100
    fi
    UDP_GUEST_MACHINE=$machine udp_guest_start "$work/guest" "$(level mode)" "$(parameters | xargs)" "${device[@]}"
    counters
    agreed
    while ((echoed < frames)); do
        "$loadgen" --port "$udp_guest_port" --rate $rate --count $((frames - echoed)) --drain-ms 10000 --out "$load"
        settle 1
        accounted
        # What never reached the device was lost in QEMU's socket, or did not fit the tap's queue, while this
        # machine did other things. What did is back, unless the guest's transmit ring was full of a burst, or
        # our own socket.
        delivered=$((delivered + $(measured delivered)))
        socket=$((socket + $(measured socket_drops)))
        echoed=$(counter echoed)
        echo "$echoed echoed, $delivered back, $socket dropped by our socket"
        [ "$echoed" -eq $((delivered + socket)) ]
        [ $(($(measured duplicates) + $(measured reordered) + $(measured foreign))) -eq 0 ]
        # The rest more slowly: it was too much for this machine.
        rate=$((rate > 500 ? rate / 2 : rate))
        tries=$((tries + 1))
        [ $tries -le 20 ]
    done
    [[ $(level netdev)$(level mq) != taprss ]] || equal rx_packets 0
    echo "lost: $((echoed - delivered - socket))"
}

if [[ ${1:-} == --run ]]; then
    run_row "$2" "$3"
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
qemu=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
mkdir -p "$results"
table=$results/qemu-matrix.tsv
printf 'qemu\tmachine\ttransport\tproperties\tframes\tlost\tresult\n' >"$table.part"
number=0 failed=0
while read -r row <&3; do
    number=$((number + 1))
    [[ $# == 0 || " $* " == *" $number "* ]] || continue
    result=pass
    row+=" netdev=$(backend)"
    "$0" --run "$row" "$work/$number" >"$work/log" 2>&1 </dev/null || result=fail
    transport=$(sed -n 's/.*virtio-net by \([a-z-]*\).*/\1/p' "$work/log")
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$qemu" "$(level machine)" "$transport" "$row" "$frames" \
        "$(sed -n 's/^lost: //p' "$work/log")" "$result" >>"$table.part"
    if [[ $result == pass ]]; then
        echo "ok $number $row"
    else
        echo "not ok $number $row"
        sed 's/^/# /' "$work/log"
        failed=$((failed + 1))
    fi
done 3< <(rows)
[[ $number -gt 0 ]] || failed=1
mv "$table.part" "$table"
[[ $failed == 0 ]]
