#!/usr/bin/env bash
# On the host: one hosted echo on /dev/vhost-net behind a tap, under the load generator.
#   vhost_net.sh OUT MODE COUNT [OPTION of echo...]
# echo-MODE and loadgen lie beside this script. OUT gets echo.tsv, echo.log, loadgen.tsv, tap.tsv.
set -euo pipefail
cd "$(dirname "$0")"
(($# >= 3)) || { echo "usage: vhost_net.sh OUT MODE COUNT [OPTION...]" >&2 && exit 2; }
out=$1 mode=$2 count=$3
shift 3
# Of this run alone: others may be under way on the same host.
tap=rsh$$
queues=''
[[ " $* " != *' --pairs '* ]] || queues=multi_queue
echo_pid=''

die() {
    echo "vhost_net.sh: $*" >&2
    exit 1
}

clean_up() {
    [[ -z $echo_pid ]] || kill "$echo_pid" 2>/dev/null || true
    ip link del "$tap" 2>/dev/null || true
}
trap clean_up EXIT

# The kernel must say nothing on the tap itself: everything on it is the generator's.
make_tap() {
    ip link del "$tap" 2>/dev/null || true
    # shellcheck disable=SC2086
    ip tuntap add dev "$tap" mode tap vnet_hdr $queues
    echo 1 >"/proc/sys/net/ipv6/conf/$tap/disable_ipv6"
    ip link set "$tap" arp off multicast off txqueuelen 1000 up
}

# A tap has its carrier once a process holds it.
wait_until() {
    local try
    for try in {1..1200}; do
        ! "$@" || return 0
        kill -0 "$echo_pid" 2>/dev/null || die "echo ended: $(tail -n 1 "$out/echo.log")"
        sleep 0.1
    done
    die "'$*' did not come true in ${try} tries"
}

has_started() {
    grep -q 'mode ' "$out/echo.log"
}

has_carrier() {
    [[ $(<"/sys/class/net/$tap/carrier") == 1 ]]
}

rm -rf "$out"
mkdir -p "$out"
make_tap
: >"$out/echo.log"
"./echo-$mode" --vhost-net "$tap" --out "$out/echo.tsv" "$@" >"$out/echo.log" 2>&1 &
echo_pid=$!
wait_until has_started
wait_until has_carrier
./loadgen --port "packet:$tap" --rate 500 --count "$count" --drain-ms 60000 --out "$out" >"$out/loadgen.log"
for name in tx_packets tx_dropped rx_packets rx_dropped; do
    printf 'tap_%s\t%s\n' "$name" "$(<"/sys/class/net/$tap/statistics/$name")"
done >"$out/tap.tsv"
kill -INT "$echo_pid" 2>/dev/null || true
status=0
wait "$echo_pid" || status=$?
echo_pid=''
cat "$out/echo.log"
[[ $status == 0 ]]
