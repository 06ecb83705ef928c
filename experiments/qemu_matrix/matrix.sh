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
rate=2500
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

# What the guest is told: to want what the device may or may not have.
parameters() {
    local wanted='' feature
    for feature in INDIRECT_DESC MRG_RXBUF CTRL_VQ; do
        [[ $(level "${feature,,}") == off ]] || wanted+=,+$feature
    done
    echo "workload=echo packed=$(level packed) event_idx=$(level event_idx) tx_ring=$(level tx_ring)" \
        "features=${wanted#,}"
}

properties() {
    local name
    for name in packed event_idx indirect_desc mrg_rxbuf ctrl_vq rx_queue_size; do
        echo "$name=$(level $name)"
    done
    [[ $(level machine) != microvm ]] || return 0
    echo "vectors=$(level vectors)"
    case $(level interface) in
    modern) echo disable-legacy=on ;;
    legacy) echo disable-modern=on ;;
    transitional) echo disable-legacy=off,disable-modern=off ;;
    esac
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
    UDP_GUEST_MACHINE=$machine udp_guest_start "$work/guest" "$(level mode)" "$(parameters)" "${device[@]}"
    while ((echoed < frames)); do
        "$loadgen" --port "$udp_guest_port" --rate $rate --count $((frames - echoed)) --drain-ms 1000 --out "$load"
        settle 1
        accounted
        # What never reached the device was lost in QEMU's socket while this machine did other things. What
        # did is back, unless the guest's transmit ring was full of a burst, or our own socket.
        delivered=$((delivered + $(measured delivered)))
        socket=$((socket + $(measured socket_drops)))
        echoed=$(counter echoed)
        echo "$echoed echoed, $delivered back, $socket dropped by our socket"
        [ "$echoed" -eq $((delivered + socket)) ]
        [ $(($(measured duplicates) + $(measured reordered) + $(measured foreign))) -eq 0 ]
        tries=$((tries + 1))
        [ $tries -le 10 ]
    done
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
