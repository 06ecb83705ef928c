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

need_root() {
    ((EUID == 0)) || die "needs root, as every use of bpftrace does"
}

need_bpftrace() {
    command -v bpftrace >/dev/null || die "bpftrace is not installed: apt-get install bpftrace"
}

need_host() {
    need_root
    need_bpftrace
    grep -q '	\[vhost_net\]$' /proc/kallsyms || modprobe vhost_net 2>/dev/null ||
        die "this kernel has no vhost_net module"
    product mark >/dev/null
}

bpftrace_version() {
    bpftrace --version | sed -n 's/^bpftrace v\([0-9]*\.[0-9]*\).*/\1/p'
}

# The set of probes that PROBES asks for, which for "full" depends on the kernel: bpftrace refuses a
# whole script for one function that is not there, so KVM's probe needs KVM.
probe_set() {
    case ${1:-basic} in
    basic | summary) echo "${1:-basic}" ;;
    full)
        if [[ -d /sys/module/kvm_intel || -d /sys/module/kvm_amd ]]; then
            echo full-kvm
        else
            echo full
        fi
        ;;
    *) die "PROBES=$1 is not known: use basic, full or summary" ;;
    esac
}

# script_for VERSION SET: the set's script in the language of that bpftrace.
script_for() {
    local minor=${1#0.} language
    [[ $1 == 0.* ]] || die "bpftrace '$1' is unknown: there are scripts for 0.17 and later 0.x"
    if ((minor >= 20)); then
        language=0.23
    elif ((minor >= 17)); then
        language=0.17
    else
        die "bpftrace $1 is too old: 0.17 is the first that works"
    fi
    product "vhost-$2-$language.bt"
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
        sleep 0.5
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

# losses SCRIPT LOG: of each event the lines that the probes emitted and those that the log has. The
# former are counted in the kernel and printed at the end.
losses() {
    awk 'BEGIN { OFS = "\t"; print "event", "emitted", "recorded", "lost" }
        NR == FNR { if ($1 == "//" && $2 == "event") { order[++n] = $3; name[$3] = $4 }; next }
        $1 == "R" { recorded[$5]++ }
        match($0, /^@emitted\[[0-9]+\]: /) {
            id = substr($0, 10) + 0
            emitted[id] += $2
        }
        END {
            for (i = 1; i <= n; i++) {
                id = order[i]
                print name[id], emitted[id] + 0, recorded[id] + 0, emitted[id] - recorded[id]
            }
        }' "$1" "$2"
}
