# shellcheck shell=bash
# shellcheck disable=SC2154
# For the tests of the hosted programs. $PROGRAMS is where they are.

# run_program NAME [OPTION...]: bounded in time, but patient with a backend that waits for its turn on a busy
# machine; counters in $work/NAME.tsv
run_program() {
    local name=$1
    shift
    timeout 300 "$PROGRAMS/$name" --timeout 60000 --out "$work/$name.tsv" "$@"
}

# counter PROGRAM NAME
counter() {
    awk -F '\t' -v name="$2" '$1 == name { print $2; found = 1 } END { exit !found }' "$work/$1.tsv"
}

# Every frame and every buffer of each pair in exactly one place, and so all together: conserved PROGRAM
conserved() {
    awk -F '\t' '{ v[$1] = $2 }
        function same(what, a, b) {
            print what ": " a " = " b
            if (a != b) wrong = 1
        }
        function check(rx, tx, port) {
            same("frames received", v[rx "packets"], v[port "echoed"] + v[port "echo_full"] + v[port "sunk"] + v[port "foreign"])
            same("frames sent", v[tx "packets"] + v[tx "given_back"], v[port "echoed"] + v[port "sourced"])
            same("transmit buffers", v[tx "posted"], v[tx "packets"] + v[tx "given_back"])
            same("buffers", v[port "pool_total"], v[port "pool_free"])
            same("broken, dropped, rescued", 0, v[rx "broken"] + v[tx "broken"] + v[rx "drop_alloc"] + \
                v[rx "drop_length"] + v[rx "rescues"] + v[tx "rescues"])
            sum["packets"] += v[rx "packets"]
            buffers += v[port "pool_total"]
        }
        END {
            pair = "pair1_pool_total" in v ? "pair1_" : ""
            check("rx_", "tx_", pair)
            for (i = 2; "rx" i "_packets" in v; i++)
                check("rx" i "_", "tx" i "_", "pair" i "_")
            same("frames of all pairs", sum["packets"], v["echoed"] + v["echo_full"] + v["sunk"] + v["foreign"])
            same("buffers of all pairs", buffers, v["pool_total"])
            exit wrong || !("pool_total" in v)
        }' "$work/$1.tsv"
}

# total PROGRAM SIDE NAME: of a queue counter, over all pairs
total() {
    awk -F '\t' -v name="^$2[0-9]*_$3\$" '$1 ~ name { sum += $2; found = 1 }
        END { print sum + 0; exit !found }' "$work/$1.tsv"
}

# Mode poll arms no interrupt and has none; the others arm, and what they receive an interrupt has
# announced: interrupts PROGRAM MODE
interrupts() {
    local irqs arms
    irqs=$(($(total "$1" rx irqs) + $(total "$1" tx irqs)))
    arms=$(($(total "$1" rx arms) + $(total "$1" tx arms)))
    echo "mode $2: $irqs interrupts, $arms arms"
    if [[ $2 == poll ]]; then
        ((irqs == 0 && arms == 0))
    else
        ((arms > 0 && (irqs > 0 || $(total "$1" rx packets) == 0)))
    fi
}

# wait_for PID|- FILE: until it exists; PID must live meanwhile
wait_for() {
    for _ in {1..2400}; do
        [[ ! -e $2 ]] || return 0
        [[ $1 == - ]] || kill -0 "$1" || return 1
        sleep 0.05
    done
    echo "$2 did not appear"
    return 1
}

# echo_on_vhost_net MODE [OPTION...]: with host_run and vhost_net.sh in $HOSTED_DIR there; all frames
# come back to the generator, every buffer to the pool.
echo_on_vhost_net() {
    local mode=$1 count=300 status=0 bad
    shift
    host_run "$HOSTED_DIR/vhost_net.sh $HOSTED_DIR/out $mode $count $*" 3>&- || status=$?
    host_get "$HOSTED_DIR/out" "$work/out" 3>&-
    cat "$work/out"/{loadgen,tap,echo}.tsv || true
    ((status == 0))
    cp "$work"/out/*.tsv "$work/"
    conserved echo
    interrupts echo "$mode"
    (($(counter loadgen sent) == count && $(counter loadgen delivered) == count))
    for bad in lost duplicates reordered foreign; do
        (($(counter loadgen $bad) == 0))
    done
    (($(counter echo echoed) == count && $(counter echo foreign) == 0 && $(counter echo echo_full) == 0))
    # The kernel counted the same frames: tx is from the host to the driver.
    (($(counter tap tap_tx_packets) == count && $(counter tap tap_rx_packets) == count))
    grep -qE 'buffers ([0-9]+) = \1 back' "$work/out/echo.log"
}
