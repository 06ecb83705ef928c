#!/usr/bin/env bash
# The cases of `make bench`, one a line: NAME PROGRAM MODE PEER BACKEND BYTES RING FORMAT WINDOW QUEUES UNITS
# PROGRAM and MODE name the hosted program; PEER is what dpdk_driver does, with its interrupts if it
# ends in -intr; BACKEND what vhost_backend does. BYTES is without FCS, WINDOW 0 means none, QUEUES
# are pairs. UNITS: what is compared, in the order of bench.tsv.
#   cases.sh full|quick|instructions
set -euo pipefail

# traffic BYTES RING FORMAT QUEUES SUFFIX
traffic() {
    echo "tx_$5 source poll tx sink $1 $2 $3 0 $4 pps"
    echo "rx_$5 sink poll rx source $1 $2 $3 0 $4 pps"
    echo "echo_$5 echo poll echo both $1 $2 $3 0 $4 pps"
}

# round_trip MODE PEER FORMAT
round_trip() {
    echo "ping_$1_64_$3 source $1 $2 echo 60 256 $3 1 1 us,cpu_ns"
}

case ${1:-} in
instructions)
    for format in split packed; do
        traffic 60 256 "$format" 1 "64_$format" | grep -v ^echo
    done
    ;;
quick)
    echo "tx_64_split source poll tx sink 60 256 split 0 1 pps"
    echo "rx_64_packed sink poll rx source 60 256 packed 0 1 pps"
    round_trip hybrid ping-intr split
    ;;
full)
    for format in split packed; do
        # The names count the FCS, as is usual; the frames have none.
        for bytes in 64 512 1518; do
            traffic $((bytes - 4)) 256 "$format" 1 "${bytes}_$format"
        done
        for ring in 64 1024 4096; do
            traffic 60 "$ring" "$format" 1 "64_${format}_ring$ring"
        done
        for queues in 2 3 4; do
            traffic 60 256 "$format" "$queues" "64_${format}_pairs$queues"
        done
        round_trip poll ping "$format"
        round_trip intr ping-intr "$format"
        round_trip hybrid ping-intr "$format"
    done
    ;;
*)
    echo "usage: cases.sh full|quick|instructions" >&2
    exit 2
    ;;
esac
