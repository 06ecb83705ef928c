# shellcheck shell=bash
# shellcheck disable=SC2154 # bats sets status and output
# What the tests of booted guests share: a guest over UDP, its counters, the laws they obey. Sourced by
# bats files.

setup() {
    here=$BATS_TEST_DIRNAME/..
    export BUILD=${BUILD:-$here/../build}
    # shellcheck source=experiments/udp_guest.sh
    . "$here/udp_guest.sh"
    snap=$BUILD/trace/ctf/ringsnap
    loadgen=$BUILD/experiments/loadgen/loadgen
    work=$BATS_TEST_TMPDIR
    load=$work/load
}

teardown() {
    udp_guest_stop
    cat "$work/guest/console.log" 2>/dev/null || true
}

# more_qemu OPTION...: guests of this test get these options of QEMU too.
more_qemu() {
    mkdir -p "$work/bin"
    printf '#!/bin/bash\nexec %s "$@" %s\n' "$(command -v qemu-system-x86_64)" "$*" \
        >"$work/bin/qemu-system-x86_64"
    chmod +x "$work/bin/qemu-system-x86_64"
    PATH=$work/bin:$PATH
}

# Each counter by its name, and those of all pairs of queues and all CPUs together, as all_rx_packets.
counters() {
    local name number sum
    "$snap" "$udp_guest_ram" counters >"$work/counters"
    unset value
    declare -gA value
    while IFS=$'\t' read -r name number; do
        value[$name]=$number
        sum=$name
        if [[ $name =~ ^(rx|tx)[0-9]*(_.*) ]]; then
            sum=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
        elif [[ $name =~ ^cpu[0-9]+_(.*) ]]; then
            sum=${BASH_REMATCH[1]}
        fi
        value[all_$sum]=$((${value[all_$sum]:-0} + number))
    done <"$work/counters"
}

counter() {
    echo "${value[$1]:?no counter $1}"
}

# equal EXPRESSION EXPRESSION: sums of numbers and names of counters.
equal() {
    local side name numbers=()
    for side; do
        while [[ $side =~ [a-z][a-z0-9_]+ ]]; do
            name=${BASH_REMATCH[0]}
            side=${side/$name/${value[$name]:?no counter $name}}
        done
        numbers+=($((side)))
    done
    echo "$1 = ${numbers[0]}, $2 = ${numbers[1]}"
    [ "${numbers[0]}" -eq "${numbers[1]}" ]
}

measured() {
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$load/loadgen.tsv"
}

# echo_load RATE COUNT [OPTION...]: all of them come back, once and in order. In portions, since QEMU's
# socket holds 256 of the smallest frames and 92 of the largest, and QEMU may stand still meanwhile.
echo_load() {
    local rate=$1 left=$2 portion
    shift 2
    while ((left > 0)); do
        portion=$((left < 80 ? left : 80))
        "$loadgen" --port "$udp_guest_port" --rate "$rate" --count $portion --drain-ms 60000 \
            --out "$load" "$@"
        [ "$(measured sent)" -eq $portion ]
        [ "$(measured delivered)" -eq $portion ]
        for bad in lost duplicates reordered foreign; do
            [ "$(measured $bad)" -eq 0 ]
        done
        left=$((left - portion))
    done
}

# settle FRAMES: so many were received, each was handed on, and what was sent was reclaimed. The generator has
# the last frame before that, and a look may fall between any two counters. Counters are left as they then
# are; what still does not hold is for the caller to find.
settle() {
    for _ in {1..3000}; do
        counters
        if [ "$(counter all_rx_packets)" -ge "$1" ] && equal all_tx_packets all_tx_posted >"$work/equal" &&
            equal all_rx_packets "all_echoed + all_echo_full + all_foreign + all_sunk" >"$work/equal"; then
            return 0
        fi
        sleep 0.02
    done
    cat "$work/counters"
    echo "the guest did not settle"
    return 1
}

# Every frame and every buffer has a counter that says where it is.
accounted() {
    equal all_rx_packets "all_echoed + all_echo_full + all_foreign + all_sunk"
    equal all_tx_packets "all_echoed + all_sourced + all_announced - all_tx_drop_offload"
    equal all_pool_total "all_pool_free + all_rx_posted - all_rx_given_back - all_rx_packets - all_rx_drop_alloc - all_rx_drop_length - all_rx_drop_header - all_rx_more_bufs + all_tx_posted - all_tx_given_back - all_tx_packets"
    for name in all_rx_rescues all_tx_rescues all_rx_broken all_tx_broken all_rx_drop_alloc all_rx_drop_length all_rx_drop_header all_tx_drop_offload; do
        equal "$name" 0
    done
}

# The same, and none was dropped.
conserved() {
    accounted
    equal all_echo_full 0
}

interrupts() {
    equal irqs_unexpected 0
    case $1 in
    none)
        equal "rx_irqs + tx_irqs" 0
        equal "rx_arms + tx_arms" 0
        equal "irqs_msix + irqs_intx" 0
        ;;
    msix)
        [ "$(counter rx_irqs)" -gt 0 ]
        equal "rx_irqs + tx_irqs" irqs_msix
        equal irqs_intx 0
        ;;
    msix-shared) # a message may stand for both queues
        [ "$(counter irqs_msix)" -gt 0 ]
        [ $(($(counter rx_irqs) + $(counter tx_irqs))) -ge "$(counter irqs_msix)" ]
        equal irqs_intx 0
        ;;
    intx | mmio)
        [ "$(counter irqs_intx)" -gt 0 ]
        [ "$(counter rx_irqs)" -gt 0 ]
        equal irqs_msix 0
        ;;
    esac
}

# echoes MODE on|off IRQS [DEVICE PROPERTY...]; ring=packed before it: with packed rings
echoes() {
    local mode=$1 event_idx=$2 irqs=$3 suppressed=kicks_suppr_event other=kicks_suppr_flag packed=off
    shift 3
    if [ "${ring:-split}" = packed ]; then
        packed=on
        set -- "$@" packed=on
    fi
    udp_guest_start "$work/guest" "$mode" "workload=echo event_idx=$event_idx packed=$packed" "$@"
    echo_load 1000 300
    # One that is not ours, to be counted and not echoed.
    head -c 60 /dev/zero >"/dev/udp/127.0.0.1/${udp_guest_port##*:}"
    settle 301
    equal rx_packets 301
    equal foreign 1
    equal echoed 300
    equal "rx_bytes - tx_bytes" 60
    conserved
    interrupts "$irqs"
    [ "$event_idx" = on ] || { suppressed=kicks_suppr_flag other=kicks_suppr_event; }
    # A packed device may say "none" beside "from there on".
    [ "$packed" = on ] || equal "rx_$other + tx_$other" 0
    # Every publication is a kick or a suppressed one; the device has to be kicked at least once.
    [ "$(counter tx_kicks)" -gt 0 ]
    [ $(($(counter tx_kicks) + $(counter tx_$suppressed))) -le 300 ]
    run "$snap" "$udp_guest_ram" state
    [[ "$output" == *"mode=$mode event_idx=$([ "$event_idx" = on ] && echo 1 || echo 0) packed=$([ $packed = on ] && echo 1 || echo 0) "*" irq=$irqs "* ]]
}

# refused LINE PARAMETERS [QEMU OPTION...]: the guest gives up, and one line of it says why.
refused() {
    local line=$1 parameters=$2
    shift 2
    run timeout 120 qemu-system-x86_64 -accel tcg -cpu max -m 96 -nodefaults -display none -no-reboot \
        -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 \
        -kernel "$BUILD/kernel/ringscope-hybrid.elf" \
        -append "workload=echo onpanic=exit $parameters" "$@"
    echo "$output"
    [ "$status" -eq 5 ]
    [ "$(grep -cF "$line" <<<"$output")" -eq 1 ]
    run ! grep -q panic <<<"$output"
    [[ "$output" != *"workload echo: ready"* ]]
}
