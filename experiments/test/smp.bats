#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031
# Guests of several CPUs: they boot, and each queue pair is one CPU's alone, with its interrupts, its
# buffers and its trace.

bats_require_minimum_version 1.5.0

# shellcheck source=experiments/test/guest_kit.bash
. "$BATS_TEST_DIRNAME/guest_kit.bash"

# self_test MACHINE CPUS WILL-RUN [PARAMETER...]
self_test() {
    local machine=$1 cpus=$2 runs=$3
    shift 3
    run timeout 120 qemu-system-x86_64 -accel tcg -machine "$machine" -smp "$cpus" -cpu qemu64 -m 64 -nodefaults \
        -display none -no-reboot -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 \
        -kernel "$BUILD/kernel/ringscope-hybrid.elf" -append "onpanic=exit workload=selftest $*"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"selftest: $runs CPUs, $((300 * runs)) hops of the token"* ]]
    [[ "$output" == *", 0 failures"* ]]
    [[ "$output" != *"ahead by"* ]]
}

@test "self-tests on 1 CPU" { self_test pc 1 1; }
@test "self-tests on 2 CPUs" { self_test pc 2 2; }
@test "self-tests on 4 CPUs" { self_test pc 4 4; }
@test "self-tests on 8 CPUs" { self_test pc 8 8; }
@test "self-tests on 4 CPUs, q35, APIC ids with a gap" { self_test q35 cpus=4,sockets=2,cores=3,threads=1,maxcpus=6 4; }
@test "cpus= takes fewer than there are" { self_test pc 4 3 cpus=3; }
@test "without ACPI there is one CPU" { self_test microvm,acpi=off 2 1; }

teardown() {
    udp_guest_stop
    [[ -z ${tap:-} ]] || ip link del "$tap" 2>/dev/null || true
    cat "$work/console.log" 2>/dev/null || true
}

# boot MODE CPUS PAIRS "PARAMETERS": an echo on a tap of `queues` queues (default: PAIRS), which is what
# QEMU's device has several pairs with. Frames of ringscope's are one flow for the tap, which sends each
# flow to a queue of its choice; `spread` makes many.
boot() {
    [[ $EUID == 0 && -c /dev/net/tun ]] || skip "needs root and /dev/net/tun"
    local mode=$1 cpus=$2 pairs=$3 parameters=$4
    tap=rsm$$
    # QEMU wants a tap of one queue for one.
    if [ "${queues:-$pairs}" -gt 1 ]; then
        ip tuntap add dev "$tap" mode tap multi_queue
    else
        ip tuntap add dev "$tap" mode tap
    fi
    ip link set "$tap" up
    # Addresses of the range for benchmarks, another pair for each run.
    subnet=198.18.$(($$ / 128 % 256))
    peer=$subnet.$(($$ % 128 * 2 + 1))
    ip addr add "$subnet.$(($$ % 128 * 2))/31" dev "$tap"
    ip neigh replace "$peer" lladdr 52:54:00:00:00:01 dev "$tap" nud permanent
    udp_guest_ram=$work/ram
    # shellcheck disable=SC2034 # for udp_guest_stop
    udp_guest_pidfile=$work/pid
    qemu-system-x86_64 -nodefaults -no-reboot -display none -accel tcg -cpu max -m 96 -smp "$cpus" \
        -machine "${machine:-pc},memory-backend=ram" \
        -object "memory-backend-file,id=ram,size=96M,mem-path=$udp_guest_ram,share=on" \
        -kernel "$BUILD/kernel/ringscope-$mode.elf" \
        -append "trace_mb=32 workload=echo pairs=$pairs features=+CTRL_VQ,+MQ $parameters" \
        -netdev "tap,id=net,ifname=$tap,script=no,downscript=no,queues=${queues:-$pairs},vhost=off" \
        -device "virtio-net-pci,netdev=net,romfile=,mq=on,mac=52:54:00:00:00:01,vectors=${vectors:-$((2 * pairs + 2))}" \
        -serial "file:$work/console.log" -pidfile "$work/pid" -daemonize 3>&-
    udp_guest_pid=$(<"$work/pid")
    "$snap" "$udp_guest_ram" wait READY 120 >/dev/null
    # shellcheck disable=SC2034 # for echo_load
    udp_guest_port=packet:$tap
}

# Datagrams of many flows, none of them ringscope's.
spread() {
    local port
    for port in {4001..4064}; do
        echo "$port" >"/dev/udp/$peer/$port"
    done
}

# total NAME: what all CPUs have counted under it.
total() {
    local cpu sum=${value[$1]}
    for cpu in {1..7}; do
        sum=$((sum + ${value[cpu${cpu}_$1]:-0}))
    done
    echo "$sum"
}

# Every frame is back, and reclaimed; so many were echoed, so many were not ringscope's.
settled() {
    local end=$((SECONDS + 60))
    while [ "$SECONDS" -lt "$end" ]; do
        counters
        if [ "$(counter all_rx_packets)" -eq $(($(total echoed) + $(total foreign))) ] &&
            [ "$(total echoed)" -ge "$1" ] && [ "$(total foreign)" -ge "$2" ] &&
            [ "$(counter all_tx_posted)" -eq $(($(counter all_tx_packets) + $(counter all_tx_given_back))) ]; then
            return 0
        fi
        sleep 0.02
    done
    cat "$work/counters"
    echo "the guest did not settle"
    return 1
}

# of_cpu CPU SERVING PAIRS NAME...: what the queues of a CPU have counted under these names.
of_cpu() {
    local pair name sum=0 number
    for ((pair = $1; pair < $3; pair += $2)); do
        number=$((pair + 1))
        [ "$pair" -gt 0 ] || number=''
        for name in "${@:4}"; do
            sum=$((sum + value[${name/\#/$number}]))
        done
    done
    echo "$sum"
}

# each_conserves SERVING PAIRS IRQS: frames, buffers and interrupts add up on each CPU alone.
each_conserves() {
    local cpu on irqs
    for ((cpu = 0; cpu < $1; cpu++)); do
        on=cpu${cpu}_
        [ "$cpu" -gt 0 ] || on=''
        equal "$(of_cpu $cpu "$1" "$2" 'rx#_packets')" "${on}echoed + ${on}echo_full + ${on}foreign"
        equal "$(of_cpu $cpu "$1" "$2" 'tx#_packets' 'tx#_given_back')" "${on}echoed"
        equal "${on}pool_total - ${on}pool_free" \
            "$(of_cpu $cpu "$1" "$2" 'rx#_posted') - $(of_cpu $cpu "$1" "$2" 'rx#_packets' 'rx#_given_back')"
        irqs=$(of_cpu $cpu "$1" "$2" 'rx#_irqs' 'tx#_irqs')
        [ "$3" = none ] && equal "$irqs + ${on}irqs_msix" 0
        [ "$3" != msix ] || equal "$irqs" "${on}irqs_msix"
        equal "${on}irqs_unexpected" 0
    done
    [ "$(total echo_full)" -eq 0 ]
    equal "all_rx_rescues + all_tx_rescues" 0
}

# Each CPU that serves a pair has a stream, with records of its own queues.
each_traces() {
    local serving=$1 missing
    rm -rf "$work/trace"
    "$snap" "$udp_guest_ram" dump --out "$work/trace" >"$work/dumped"
    cat "$work/dumped"
    missing=$(awk '$1 != "records" { n += $2 } END { print n }' "$work/dumped")
    [ "${2:-whole}" = torn ] || [ "$missing" -eq 0 ]
    babeltrace2 "$work/trace" >"$work/text"
    [ "$(wc -l <"$work/text")" -eq "$(awk '$1 == "records" { print $2 }' "$work/dumped")" ]
    awk -v serving="$serving" 'match($0, /cpu_id = [0-9]+/) { cpu = substr($0, RSTART + 9, RLENGTH - 9) + 0
            match($0, /vq = [0-9]+/); vq = substr($0, RSTART + 5, RLENGTH - 5)
            # The device is started by CPU 0, with all others standing by.
            if (int(vq / 2) % serving != cpu && (cpu || / (irq|irq_spurious|harvest|poll): /)) { print "on the wrong CPU: " $0; bad = 1 }
            seen[cpu] = 1 }
        END { for (cpu = 0; cpu < serving; cpu++) if (!(cpu in seen)) { print "no record of CPU " cpu; bad = 1 }
            exit bad }' "$work/text"
}

# echoes MODE CPUS PAIRS SERVING IRQS
echoes() {
    boot "$1" "$2" "$3" ''
    grep -E "irq $5, .* pairs $3, .* CPUs $4\$" "$work/console.log"
    spread 3>&- &
    local spreading=$!
    echo_load 1000 300
    wait "$spreading"
    spread
    settled 300 128
    each_conserves "$4" "$3" "$5"
    for ((pair = 1; pair <= $3; pair++)); do
        [ "$(counter "rx${pair/#1/}_packets")" -gt 0 ]
    done
    each_traces "$4"
}

@test "one pair on two CPUs, hybrid" { echoes hybrid 2 1 1 msix; }
@test "two pairs on two CPUs, intr" { echoes intr 2 2 2 msix; }
@test "three pairs on four CPUs, poll" { echoes poll 4 3 3 none; }
@test "three pairs on two CPUs, hybrid" { echoes hybrid 2 3 2 msix; }
@test "four pairs on eight CPUs, hybrid" { echoes hybrid 8 4 4 msix; }
@test "four pairs on four CPUs, intr, q35" { machine=q35 echoes intr 4 4 4 msix; }
@test "vectors for less than each queue: one CPU serves all" { vectors=3 echoes hybrid 4 2 1 msix-shared; }

@test "a device of fewer pairs than asked for: its vectors are for those it has" {
    queues=2 vectors=5 boot hybrid 4 4 ''
    grep -E 'irq msix, .* pairs 2, .* CPUs 2$' "$work/console.log"
    echo_load 1000 100
    settled 100 0
    each_conserves 2 2 msix
}

@test "queues reset at the start, and the device amid traffic: all CPUs are out of the driver" {
    boot hybrid 4 4 'queue_resets=2 fault=ring_break:after=100,interval=100,times=3'
    for _ in {1..200}; do
        counters
        [ "$(counter restarts)" -lt 3 ] || break
        spread
    done
    [ "$(counter restarts)" -ge 1 ]
    settled 0 0
    each_conserves 4 4 msix
    "$loadgen" --port "$udp_guest_port" --rate 1000 --count 100 --drain-ms 60000 --out "$load"
    [ "$(measured delivered)" -eq 100 ]
}

@test "a panic on CPU 2 stops the others; the trace of each is there" {
    boot hybrid 4 4 'count=100 panic_cpu=2'
    spread
    spread
    "$loadgen" --port "$udp_guest_port" --rate 1000 --count 100 --drain-ms 100 --out "$load"
    run "$snap" "$udp_guest_ram" wait READY 0
    for _ in {1..6000}; do
        grep -q '#1 ' "$work/console.log" && break
        sleep 0.02
    done
    grep -F 'CPU 2: 3 of the 3 others stopped' "$work/console.log"
    grep -F 'panic: panic_cpu=2' "$work/console.log"
    grep -F 'CPU 2, thread "panic"' "$work/console.log"
    [ "$("$snap" "$udp_guest_ram" state | head -n 1)" = $'state\tpanic' ]
    each_traces 4 torn
}
