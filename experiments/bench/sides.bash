# shellcheck shell=bash
# The two drivers and the backend, for bench.sh and instructions.sh. A case is in the shell's variables:
# program mode peer job bytes ring format outstanding queues (cases.sh says what they are).
# $work is a directory, $limit where a driver stops, as its options, $wrap what it runs under.
# shellcheck disable=SC2154

hosted=$BUILD/virtio_net/hosted
peers=$BUILD/experiments/peers
warm=50 # ms
window=${window:-300}

# No huge pages, no devices, no files left behind: runs as anyone, anywhere.
eal=(--no-huge -m 256 --no-pci --no-telemetry --no-shconf --log-level=4)

need_programs() {
    local program
    (($(nproc) > 1)) || die "one CPU: driver and backend need one each"
    for program in "$peers/dpdk_driver" "$peers/vhost_backend" "$hosted/source-poll"; do
        [[ -x $program ]] || die "$program is not there: run it as make bench"
    done
}

# Where a case runs: an lcore of DPDK's driver is a thread, lcores says on which CPU.
driver_cpus=0 backend_cpu=1 lcores=0@0
place() {
    local queue cpu
    driver_cpus=0 backend_cpu=1 lcores=0@0
    for ((queue = 1; queue < queues; queue++)); do
        # A CPU each, if that leaves one to the backend.
        cpu=$(($(nproc) > queues ? queue : 0))
        lcores+=,$queue@$cpu
        ((cpu == 0)) || driver_cpus+=,$cpu backend_cpu=$queues
    done
}

backend=''
stop_backend() {
    [[ -n $backend ]] || return 0
    kill "$backend" 2>/dev/null || true
    wait "$backend" 2>/dev/null || true
    exec {said}>&-
    backend=''
}

start_backend() {
    stop_backend
    place
    rm -f "$work/socket" "$work/said"
    mkfifo "$work/said"
    exec {said}<>"$work/said"
    "$peers/vhost_backend" -l "$backend_cpu" "${eal[@]}" --file-prefix "rsb$$" -- --socket "$work/socket" \
        --do "$job" --size "$bytes" --pairs "$queues" --warm $warm --window "$window" 1>&"$said" 2>"$work/backend.log" &
    backend=$!
    for _ in {1..200}; do
        [[ ! -S $work/socket ]] || return 0
        kill -0 "$backend" 2>/dev/null || break
        sleep 0.05
    done
    cat "$work/backend.log" >&2
    die "the backend did not start"
}

# Both take the place of the shell that calls them.
ours() {
    local options=()
    [[ $program != source ]] || options+=(--size "$bytes")
    [[ $format != packed ]] || options+=(--packed)
    [[ $queues == 1 ]] || options+=(--pairs "$queues")
    [[ $outstanding == 0 ]] || options+=(--window "$outstanding")
    exec "${wrap[@]}" "$hosted/$program-$mode" --vhost-user "$work/socket" --ring "$ring" "${limit[@]}" \
        "${options[@]}" --out "$work/driver.tsv"
}

# The scalar path, with the same features: no IN_ORDER, no merged buffers.
peer() {
    local options=() packed=0 several=''
    [[ $peer != *-intr ]] || options+=(--intr)
    [[ $outstanding == 0 ]] || options+=(--window "$outstanding")
    [[ $format != packed ]] || packed=1
    [[ $queues == 1 ]] || several=,queues=$queues,cq=1
    exec "${wrap[@]}" "$peers/dpdk_driver" --lcores "$lcores" "${eal[@]}" --file-prefix "rsd$$" \
        --vdev "net_virtio_user0,path=$work/socket,queue_size=$ring,packed_vq=$packed,vectorized=0,in_order=0,mrg_rxbuf=0,mac=52:54:00:12:34:56$several" \
        -- --do "${peer%-intr}" --size "$bytes" --pairs "$queues" --ring "$ring" "${limit[@]}" "${options[@]}" \
        --out "$work/driver.tsv"
}

# run_side ours|peer: to its end
run_side() {
    ("$1") >"$work/driver.log" 2>&1 || {
        tail -n 20 "$work/driver.log" >&2
        die "$1 failed"
    }
}
