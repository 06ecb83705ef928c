# shellcheck shell=bash
# shellcheck disable=SC2154
# For the tests against backend.c: $PROGRAMS, $BUILD, $work and $socket are the caller's.

backend_start() {
    rm -f "$socket"
    "$BUILD/virtio_net/hosted/san/backend" "$socket" "$@" >"$work/backend.tsv" 2>"$work/backend.log" 3>&- &
    backend=$!
    wait_for "$backend" "$socket"
}

# Until the driver has hung up. The backend found nothing wrong.
backend_end() {
    local status=0
    wait "$backend" || status=$?
    backend=''
    cat "$work/backend.log"
    ((status == 0))
    [[ ! -s $work/backend.log ]]
}

# interrupted PROGRAM SIGNAL [OPTION...]: stops by a signal amid its work, with every buffer back
interrupted() {
    local name=$1 signal=$2 status=0
    rm -f "$work/log"
    shift 2
    "$PROGRAMS/$name" --out "$work/$name.tsv" --vhost-user "$socket" "$@" >"$work/log" 2>&1 3>&- &
    local pid=$!
    for _ in {1..2400}; do
        ! grep -qs mode "$work/log" || break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    sleep 0.1
    kill "-$signal" "$pid" || cat "$work/log"
    wait "$pid" || status=$?
    cat "$work/log"
    ((status == 0))
    grep -qE 'buffers ([0-9]+) = \1 back' "$work/log"
    conserved "$name"
}

# One line, which says this, and a non-zero status: refused PATTERN PROGRAM OPTION...
refused() {
    local pattern=$1 name=$2 status=0
    shift 2
    timeout 300 "$PROGRAMS/$name" "$@" >/dev/null 2>"$work/log" || status=$?
    cat "$work/log"
    ((status == 1 || status == 2))
    (($(wc -l <"$work/log") == 1))
    grep -q -- "^${name%-*}: .*$pattern" "$work/log"
}
