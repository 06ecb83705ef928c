#!/usr/bin/env bash
# Proves that every probe sees something: attaches the script with a counter in each probe, runs
# traffic, and fails naming the probes that could not be attached or recorded nothing. A probe on an
# inlined function attaches without complaint and stays silent, so attaching proves nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$here/common.sh"

usage="usage: selftest.sh [--probes basic|full|full-kvm] [--traffic CMD] [--seconds N]
                   [--also FUNCTION]... [--keep FILE]"
probes=full
traffic= # none: whatever runs already
keep=/dev/null # the log, for whoever wants to read on
seconds=300 # the longest wait for every event to show up
also=()
failures=0

fail() {
    echo "selftest.sh: $*" >&2
    failures=$((failures + 1))
}

parse_arguments() {
    while (($# > 0)); do
        (($# > 1)) || die "$usage"
        case $1 in
        --probes) probes=$2 ;;
        --traffic) traffic=$2 ;;
        --seconds) seconds=$2 ;;
        --keep) keep=$2 ;;
        --also) also+=("$2") ;;
        *) die "$usage" ;;
        esac
        shift 2
    done
    [[ $seconds =~ ^[0-9]+$ ]] || die "--seconds needs a number, not '$seconds'"
}

# "fentry:vhost:handle_tx" and the like, as the script itself names them.
probes_of() {
    grep -oE '^(fentry|fexit|kfunc|kretfunc|tracepoint):[a-z0-9_:]+' "$1"
}

# Reading this file costs the kernel a walk over all its functions: it is read once.
list_functions() {
    sed -E 's/^([^ ]+)( \[(.*)\])?$/\1 \3/' /sys/kernel/tracing/available_filter_functions \
        >"$work/functions" || die "cannot read the kernel's list of functions: is tracefs mounted?"
}

# Probes for the functions given with --also, in the syntax of the script's version.
add_probes() {
    local script=$1 name entry=fentry
    grep -q '^fentry:' "$script" || entry=kfunc
    for name in "${also[@]}"; do
        if grep -qxF "$name vhost" "$work/functions"; then
            printf '%s:vhost:%s\n{\n}\n' "$entry" "$name"
        else
            fail "$name: the vhost module has no such function to attach to"
        fi
    done
}

# A function that the compiler made vanish would make bpftrace refuse the whole script: name it.
check_functions() {
    local probe
    probes_of "$1" | grep -v '^tracepoint:' >"$work/wanted"
    while read -r probe; do
        fail "$probe: no such function in this kernel"
    done < <(awk 'NR == FNR { split($1, part, ":"); want[part[length(part)]] = $1; next }
                  { delete want[$1] }
                  END { for (name in want) print want[name] }' "$work/wanted" "$work/functions")
}

# Counter n is that of the n-th probe. Not by the builtin `probe`: a string as the key of a map in
# every probe takes bpftrace (0.23) many times as long to compile.
add_counters() {
    awk '/^(fentry|fexit|kfunc|kretfunc|tracepoint):/ { n++; waiting = 1 }
        waiting && /\{/ { sub(/\{/, "{ @hits[" n "] = count();"); waiting = 0 }
        { print }' "$1"
}

all_events_seen() {
    awk 'NR == FNR { if ($2 == "event") want[$3]; next }
         $1 == "R" { delete want[$5] }
         END { for (id in want) exit 1 }' "$work/script.bt" "$work/log"
}

wait_for_events() {
    local deadline=$((SECONDS + seconds))
    until all_events_seen || ((SECONDS >= deadline)); do
        sleep 0.5
    done
}

run_traffic() {
    local pid
    if [[ -z $traffic ]]; then
        wait_for_events
        return
    fi
    # A group of its own, so that all of it ends with one signal.
    setsid bash -c "$traffic" >"$work/traffic.log" 2>&1 </dev/null &
    pid=$!
    wait_for_events
    kill -0 "$pid" 2>/dev/null ||
        echo "selftest.sh: the traffic command ended early: $(tail -n 1 "$work/traffic.log")" >&2
    kill -- -"$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

check_hits() {
    local probe hits n=0
    while read -r probe; do
        n=$((n + 1))
        hits=$(sed -n "s/^@hits\[$n\]: //p" "$work/log")
        printf '%-55s %s\n' "$probe" "${hits:-0}"
        ((${hits:-0} > 0)) || fail "$probe: attached, but recorded nothing"
    done < <(probes_of "$work/script.bt")
}

check_events() {
    local id name hits
    while read -r _ _ id name; do
        hits=$(awk -v id="$id" '$1 == "R" && $5 == id { n++ } END { print n + 0 }' "$work/log")
        printf '%-55s %s\n' "event $name" "$hits"
        ((hits > 0)) || fail "event $name: no record"
    done < <(grep '^// event ' "$work/script.bt")
}

parse_arguments "$@"
need_host
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
script=$(script_for "$(bpftrace_version)" "$probes")
list_functions
add_probes "$script" >"$work/also.bt"
check_functions "$script"
((failures == 0)) || exit 1
# The mark's probe stays the last one.
{
    cat "$work/also.bt"
    cat "$script"
} >"$work/plain.bt"
add_counters "$work/plain.bt" >"$work/script.bt"

launch "$work/script.bt" "$work/log" "$work/err"
wait_attached "$work/log" "$work/err" 0 "${TRACER_ATTACH_SECONDS:-600}"
run_traffic
end_tracer "$tracer_pid"
cat "$work/log" >"$keep" || die "cannot write $keep"
check_hits
check_events
((failures == 0)) || exit 1
echo "selftest.sh: every probe recorded something"
