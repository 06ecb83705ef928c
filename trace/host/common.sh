# shellcheck shell=bash
# How a probe script is chosen, started, known to be attached, and ended. Sourced by tracer.sh and
# selftest.sh, which set $here to the folder that holds the scripts and mark.

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# Beside this file on a host that the files were copied to, under build/ in a checkout.
product() {
    local candidate
    for candidate in "${here:?}/$1" "$here/../../${BUILD:-build}/trace/host/$1"; do
        if [[ -f $candidate ]]; then
            echo "$candidate"
            return
        fi
    done
    die "$1 is not built: make -f trace/host/build.mk trace-host"
}

need_host() {
    ((EUID == 0)) || die "needs root, as every use of bpftrace does"
    command -v bpftrace >/dev/null || die "bpftrace is not installed: apt-get install bpftrace"
    grep -q '	\[vhost_net\]$' /proc/kallsyms || modprobe vhost_net 2>/dev/null ||
        die "this kernel has no vhost_net module"
    product mark >/dev/null
}

bpftrace_version() {
    bpftrace --version | sed -n 's/^bpftrace v\([0-9]*\.[0-9]*\).*/\1/p'
}

script_for() {
    local minor=${1#0.}
    [[ $1 == 0.* ]] || die "bpftrace $1 is unknown: there are scripts for 0.17 and later 0.x"
    if ((minor >= 20)); then
        product vhost-0.23.bt
    elif ((minor >= 17)); then
        product vhost-0.17.bt
    else
        die "bpftrace $1 is too old: 0.17 is the first that works"
    fi
}

# Starts bpftrace detached, so that it outlives an ssh session; leaves its pid in $tracer_pid.
# Printing a record costs many times what recording it does. A low priority moves it to when vhost
# and the guest leave the CPU idle; until then records wait in a buffer of 16 MiB (0.17: per CPU).
launch() {
    local script=$1 log=$2 err=$3
    BPFTRACE_PERF_RB_PAGES=${TRACER_PAGES:-4096} setsid nice -n "${TRACER_NICE:-10}" \
        bpftrace -B line "$script" >>"$log" 2>"$err" </dev/null &
    tracer_pid=$!
}

# The mark's probe is the last to be attached, so its record proves that all of them are.
wait_attached() {
    local log=$1 err=$2 mark=$3 deadline=$((SECONDS + $4))
    until marked "$log" "$mark"; do
        kill -0 "$tracer_pid" 2>/dev/null || die "bpftrace cannot attach: $(complaint "$err")"
        ((SECONDS < deadline)) || {
            end_tracer "$tracer_pid"
            die "the probes were not attached after $4 s: $(complaint "$err")"
        }
        "$(product mark)" "$mark"
        sleep 0.2
    done
}

marked() {
    grep -qE "^R [0-9]+ [0-9]+ [0-9]+ 69 255 0 0 [0-9]+ 0 $2 " "$1"
}

complaint() {
    grep -m 1 -E 'ERROR|WARNING|annot|ailed' "$1" || tail -n 1 "$1"
}

# SIGINT makes bpftrace print what its buffers still hold.
end_tracer() {
    local pid=$1 deadline=$((SECONDS + 60))
    kill -INT "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do
        ((SECONDS < deadline)) || {
            kill -KILL "$pid"
            die "bpftrace did not end after SIGINT and was killed: its last records are lost"
        }
        sleep 0.1
    done
}

lost_events() {
    awk '/^Lost [0-9]+ events/ { n += $2 } END { print n + 0 }' "$1"
}
