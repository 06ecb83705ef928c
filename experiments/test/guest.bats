#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031
# The guest as it is, under QEMU's TCG with QEMU's own virtio-net device, frames over UDP: delivery,
# the conservation laws, negotiation, and the trace read back through the guest's RAM.

bats_require_minimum_version 1.5.0

# shellcheck source=experiments/test/guest_kit.bash
. "$BATS_TEST_DIRNAME/guest_kit.bash"

@test "poll, event_idx: echoes every frame, conserves, takes no interrupt" { echoes poll on none; }
@test "poll, flags: echoes every frame, conserves, takes no interrupt" { echoes poll off none; }
@test "intr, event_idx: echoes every frame, conserves" { echoes intr on msix; }
@test "intr, flags: echoes every frame, conserves" { echoes intr off msix; }
@test "hybrid, event_idx: echoes every frame, conserves" { echoes hybrid on msix; }
@test "hybrid, flags: echoes every frame, conserves" { echoes hybrid off msix; }
@test "poll, packed, event_idx" { ring=packed echoes poll on none; }
@test "poll, packed, flags" { ring=packed echoes poll off none; }
@test "intr, packed, event_idx" { ring=packed echoes intr on msix; }
@test "intr, packed, flags" { ring=packed echoes intr off msix; }
@test "hybrid, packed, event_idx" { ring=packed echoes hybrid on msix; }
@test "hybrid, packed, flags" { ring=packed echoes hybrid off msix; }
@test "hybrid, packed, on INTx" { ring=packed echoes hybrid on intx vectors=0; }
@test "intr on INTx" { echoes intr on intx vectors=0; }
@test "hybrid on INTx" { echoes hybrid off intx vectors=0; }

@test "hybrid on q35" {
    export UDP_GUEST_MACHINE=q35
    echoes hybrid on msix
}

@test "qboot, which places no BAR, on pc" {
    export UDP_GUEST_FIRMWARE=qboot.rom
    echoes intr on msix
}

@test "qboot, which places no BAR, on q35" {
    export UDP_GUEST_FIRMWARE=qboot.rom UDP_GUEST_MACHINE=q35
    echoes hybrid off msix
}

@test "frames of every size, by a small ring and a budget of one" {
    udp_guest_start "$work/guest" hybrid "workload=echo rx_ring=8 tx_ring=8 budget=1"
    for size in 60 61 1513 1514; do
        echo_load 100 20 --size $size
    done
    settle 80
    equal tx_bytes "20 * 60 + 20 * 61 + 20 * 1513 + 20 * 1514"
    conserved
}

@test "sink: counts every frame, sends none, is done after its count" {
    udp_guest_start "$work/guest" hybrid "workload=sink count=200"
    "$loadgen" --port "$udp_guest_port" --role source --rate 1000 --count 200 --out "$load"
    "$snap" "$udp_guest_ram" wait DONE 60
    settle 200
    equal sunk 200
    equal tx_posted 0
    conserved
    grep "workload sink: done after 200 frames" "$work/guest/console.log"
}

# The guest starts stopped: it would send before anybody listens.
sources() {
    local mode=$1 port sink
    mkfifo "$work/monitor.in" "$work/monitor.out"
    more_qemu -S -chardev "pipe,id=monitor,path=$work/monitor" -mon chardev=monitor
    udp_guest_boot "$work/guest" "$mode" "workload=source count=200 size=300 rate=1000"
    "$loadgen" --port "$udp_guest_port" --role sink --count 200 --seconds 120 --drain-ms 60000 --size 300 \
        --out "$load" 3>&- &
    sink=$!
    port=${udp_guest_port#udp:}
    for _ in {1..3000}; do
        ! grep -qi ":$(printf %04x "${port%:*}") " <(awk '{ print $2 " " }' /proc/net/udp) || break
        sleep 0.02
    done
    echo cont >"$work/monitor.in"
    wait "$sink"
    [ "$(measured delivered)" -eq 200 ]
    for bad in lost duplicates reordered foreign; do
        [ "$(measured $bad)" -eq 0 ]
    done
    "$snap" "$udp_guest_ram" wait DONE 60
    settle 0
    equal sourced 200
    equal tx_packets 200
    equal tx_bytes 60000
    conserved
    # 199 gaps of 1 ms, on the guest's own clock: never faster than asked for. Later frames may arrive in
    # a heap, if QEMU was kept from sending the first.
    dump
    babeltrace2 --clock-seconds --no-delta "$work/trace" | tr -d '[]' |
        awk '/ vq_start: / && !start { start = $1 } / publish: .* vq = 1,/ { last = $1 }
            END { print last - start; exit !(start && last - start >= 0.199) }'
}

@test "source in mode poll: exactly count frames of that size" { sources poll; }
@test "source in mode intr: exactly count frames of that size" { sources intr; }
@test "source in mode hybrid: exactly count frames of that size" { sources hybrid; }

# negotiation -----------------------------------------------------------------------------------

@test "the feature report: offered, wanted, accepted, missing" {
    udp_guest_start "$work/guest" hybrid "workload=echo"
    report=$(grep '^vnet: ' "$work/guest/console.log")
    [[ "$report" == *"offered  "*" MRG_RXBUF "*" EVENT_IDX VERSION_1"* ]]
    grep -x 'vnet: wanted   00000[01]0120010020 MAC STATUS EVENT_IDX VERSION_1.*' <<<"${report//$'\r'/}"
    grep -x 'vnet: accepted 00000[01]0120010020 MAC STATUS EVENT_IDX VERSION_1.*' <<<"${report//$'\r'/}"
    grep -x 'vnet: missing  0000000000000000' <<<"${report//$'\r'/}"
    # The sizes are the device's own maximum, which is not the same in every QEMU.
    [[ "$report" =~ "mode hybrid, split, event_idx, irq msix, rx ring "[0-9]+", tx ring "[0-9]+ ]]
}

@test "a device without EVENT_IDX: said to be missing, and flags do" {
    udp_guest_start "$work/guest" hybrid "workload=echo event_idx=on" event_idx=off
    grep 'missing  0000000020000000 EVENT_IDX' "$work/guest/console.log"
    grep 'mode hybrid, split, flags, irq msix' "$work/guest/console.log"
    echo_load 1000 100
    settle 100
    equal "rx_kicks_suppr_event + tx_kicks_suppr_event" 0
    conserved
}

@test "features=: what is named is wanted, and what is not is left out" {
    udp_guest_start "$work/guest" hybrid "workload=echo features=+RING_PACKED,-STATUS,-EVENT_IDX"
    grep -E 'wanted   00000[01]0500000020 MAC VERSION_1 RING_PACKED' "$work/guest/console.log"
    grep 'missing  0000000400000000 RING_PACKED' "$work/guest/console.log"
    grep 'mode hybrid, split, flags, irq msix' "$work/guest/console.log"
    echo_load 1000 100
}

@test "features= that cannot be: one line with the word and the reason" {
    refused "features=: +NONSENSE,-MAC: no such feature; the names are" features=-STATUS,+NONSENSE,-MAC
    refused "features=: +IN_ORDER: the driver does not implement this" features=+IN_ORDER
    refused "features=: -VERSION_1: the driver cannot do without" features=-VERSION_1
    refused "features=: MAC: expected +NAME or -NAME" features=MAC
}

@test "no network device: one line that says what to add" {
    refused "vnet: no device for transport=auto; start QEMU with -device virtio-net-pci" ""
}

@test "a ring larger than the device's: one line" {
    refused "vnet: queue size is 0, above the device's maximum or 32768, or for a split ring no power of two" \
        rx_ring=4096 -netdev user,id=net -device virtio-net-pci,netdev=net,romfile=
}

@test "a bad fault plan: one line with the place and the remedy" {
    net=(-netdev "user,id=net" -device "virtio-net-pci,netdev=net,romfile=")
    refused "fault plan at 'nosuch': unknown fault point; there are: irq_drop rx_alloc ring_break" fault=nosuch "${net[@]}"
    refused "fault plan at 'soon=1': expected interval=, times= or after=" fault=rx_alloc:soon=1 "${net[@]}"
}

# trace -----------------------------------------------------------------------------------------

# dump: what ringsnap wrote is what babeltrace2 reads, in $work/text; the counts in $work/dumped.
dump() {
    rm -rf "$work/trace"
    "$snap" "$udp_guest_ram" dump --out "$work/trace" >"$work/dumped"
    cat "$work/dumped"
    babeltrace2 "$work/trace" >"$work/text" 2>"$work/complaints"
    [ "$(wc -l <"$work/text")" -eq "$(dumped records)" ]
}

dumped() {
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$work/dumped"
}

events() {
    grep -cE "\) $1: .*$2" "$work/text" || true
}

# Every counted event has its record.
trace_agrees() {
    for pair in "kick kicks" "irq irqs-irqs_spurious" "irq_spurious irqs_spurious" "arm_race arm_races" \
        "kick_suppressed kicks_suppr_flag+kicks_suppr_event" "rescue rescues"; do
        read -r event names <<<"$pair"
        for queue in rx:0 tx:1; do
            equal "$(events "$event" "vq = ${queue#*:},")" \
                "$(sed -E "s/([a-z][a-z_]+)/${queue%:*}_\1/g" <<<"$names")"
        done
    done
}

trace_equals_counters() {
    udp_guest_start "$work/guest" "$1" "workload=echo event_idx=$2"
    echo_load 1000 200
    settle 200
    dump
    [ ! -s "$work/complaints" ]
    for name in overwritten uncommitted dropped; do
        [ "$(dumped $name)" -eq 0 ]
    done
    trace_agrees
    equal "$(events kick '')" "rx_kicks + tx_kicks"
    # Harvested entries add up to the frames.
    equal "$(sed -n 's/.*) harvest: .* vq = 0,.* count = \([0-9]*\) .*/\1/p' "$work/text" | paste -sd+)" rx_packets
}

@test "trace, poll: as many records as the counters say" { trace_equals_counters poll on; }
@test "trace, intr: as many records as the counters say" { trace_equals_counters intr off; }
@test "trace, hybrid: as many records as the counters say" { trace_equals_counters hybrid on; }

@test "the trace outlives a QEMU that was killed" {
    udp_guest_start "$work/guest" hybrid "workload=echo"
    echo_load 1000 100
    settle 100
    kill -KILL "$udp_guest_pid"
    while udp_guest_alive; do
        sleep 0.02
    done
    counters
    dump
    [ ! -s "$work/complaints" ]
    trace_agrees
    run "$snap" "$udp_guest_ram" state
    [[ "${lines[0]}" == $'state\tready' ]]
}

@test "a panic under way: the state says it, waiting ends, the trace is there" {
    mkfifo "$work/monitor.in" "$work/monitor.out"
    more_qemu -chardev "pipe,id=monitor,path=$work/monitor" -mon chardev=monitor
    udp_guest_start "$work/guest" hybrid "workload=echo"
    echo_load 1000 100
    settle 100
    echo nmi >"$work/monitor.in"
    run "$snap" "$udp_guest_ram" wait DONE 60
    echo "$output"
    [ "$status" -eq 3 ]
    [[ "$output" == *"the guest panicked"* ]]
    run "$snap" "$udp_guest_ram" state
    [[ "${lines[0]}" == $'state\tpanic' ]]
    counters
    dump
    [ ! -s "$work/complaints" ]
    trace_agrees
}

# QEMU notifies at each doorbell itself once no eventfd takes it.
kicks_as_qemu_counts() {
    more_qemu -D "$work/notifications" -trace virtio_queue_notify
    udp_guest_start "$work/guest" "$1" "workload=echo event_idx=$2" ioeventfd=off
    echo_load 1000 200
    settle 200
    udp_guest_stop
    for queue in rx:0 tx:1; do
        equal "$(grep -c "virtio_queue_notify .* n ${queue#*:} vq" "$work/notifications")" "${queue%:*}_kicks"
    done
    conserved
}

@test "QEMU counts as many kicks as the guest: poll" { kicks_as_qemu_counts poll on; }
@test "QEMU counts as many kicks as the guest: intr" { kicks_as_qemu_counts intr off; }
@test "QEMU counts as many kicks as the guest: hybrid" { kicks_as_qemu_counts hybrid on; }

# position FIELD: records reserved (2), records lost (3)
position() {
    "$snap" "$udp_guest_ram" position | cut -d ' ' -f "$1"
}

room=$((248 * 126)) # records of trace_mb=1: eight pages of the region are its head

# fill FIELD MORE-THAN: load until the trace says so. Ends in silence, however slow the guest is: a
# dump amid traffic would not be of the counters read before it. Frames keep their order all the way, so
# once a last one is back there is none under way.
fill() {
    local end=$((SECONDS + 180))
    while [ "$(position "$1")" -le "$2" ]; do
        [ "$SECONDS" -lt "$end" ] || break
        "$loadgen" --port "$udp_guest_port" --rate 4000 --count 3000 --drain-ms 100 --out "$load" >/dev/null
    done
    until "$loadgen" --port "$udp_guest_port" --rate 1000 --count 1 --drain-ms 3000 --out "$load" >/dev/null &&
        [ "$(measured delivered)" -eq 1 ]; do
        [ "$SECONDS" -lt "$end" ] || break
    done
    echo "position: $("$snap" "$udp_guest_ram" position)"
    [ "$(measured delivered)" -eq 1 ] && [ "$(position "$1")" -gt "$2" ]
}

@test "overwrite: the newest records stay, the rest is counted, babeltrace2 reads it" {
    udp_guest_start "$work/guest" intr "workload=echo trace_mb=1 trace_mode=overwrite"
    fill 2 $((room + 1000))
    settle 1
    dump
    [ "$(dumped overwritten)" -gt 0 ]
    [ "$(dumped records)" -le "$room" ]
    [ "$(dumped records)" -gt $((room - 3 * 126)) ]
    [ $(($(dumped records) + $(dumped overwritten))) -eq "$(position 2)" ]
    # What babeltrace2 says, it says about the records that are gone.
    [ "$(grep -cE 'ERROR|CTF' "$work/complaints" || true)" -eq 0 ]
    # The newest record is the last: its ordinal is the counter.
    equal "$(sed -n 's/.*) kick: .* vq = 1,.* ordinal = \([0-9]*\),.*/\1/p' "$work/text" | tail -n 1)" tx_kicks
}

@test "discard: the oldest records stay, the rest is counted as lost" {
    udp_guest_start "$work/guest" intr "workload=echo trace_mb=1 trace_mode=discard"
    fill 3 1000
    settle 1
    dump
    [ "$(dumped records)" -eq "$room" ]
    [ "$(dumped overwritten)" -eq 0 ]
    [ "$(dumped dropped)" -eq "$(position 3)" ]
    [[ "$(sed -n 's/.*) \([a-z_]*\): .*/\1/p' "$work/text" | head -n 1)" == vq_start ]]
}

@test "a masked class leaves no record and the counters count on" {
    udp_guest_start "$work/guest" hybrid "workload=echo trace_mask=0x1"
    echo_load 1000 50
    settle 50
    dump
    [ "$(events '(kick|irq|harvest|publish|poll)' '')" -eq 0 ]
    [ "$(events vq_start '')" -eq 2 ]
    [ "$(counter tx_kicks)" -gt 0 ]
}

@test "a guest that refuses to run is not waited for" {
    start=$SECONDS
    run udp_guest_start "$work/guest" hybrid "workload=echo fault=nosuch"
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"the guest stopped before it set up tracing"* ]]
    ((SECONDS - start < 100)) # of the 120 that it would wait
}
