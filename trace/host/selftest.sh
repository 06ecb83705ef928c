#!/usr/bin/env bash
# Proves that every probe sees something: attaches the script with a counter in each probe, runs
# traffic, and fails naming the probes that could not be attached or recorded nothing. A probe on an
# inlined function attaches without complaint and stays silent, so attaching proves nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$here/common.sh"

usage="usage: selftest.sh [--traffic CMD] [--seconds N] [--also FUNCTION]..."
traffic=
seconds=5
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
        --traffic) traffic=$2 ;;
        --seconds) seconds=$2 ;;
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

functions=/sys/kernel/tracing/available_filter_functions

# Probes for the functions given with --also, in the syntax of the script's version.
add_probes() {
    local script=$1 name entry=fentry
    grep -q '^fentry:' "$script" || entry=kfunc
    for name in "${also[@]}"; do
        if grep -qE "^$name \[vhost\]" "$functions"; then
            printf '%s:vhost:%s\n{\n}\n' "$entry" "$name"
        else
            fail "$name: the vhost module has no such function to attach to"
        fi
    done
}

# A function that the compiler made vanish would make bpftrace refuse the whole script: name it.
check_functions() {
    local probe function
    while read -r probe; do
        [[ $probe != tracepoint:* ]] || continue
        function=${probe##*:}
        grep -qE "^$function( |$)" "$functions" || fail "$probe: no such function in this kernel"
    done < <(probes_of "$1")
}

add_counters() {
    sed -E 's/^\{$/{ @hits[probe] = count();/
            s/^((fentry|fexit|kfunc|kretfunc):[a-z0-9_:]+) \{/\1 { @hits[probe] = count();/' "$1"
}

run_traffic() {
    local pid
    if [[ -n $traffic ]]; then
        # The command may end by itself or go on: only its traffic matters.
        setsid bash -c "$traffic" >"$work/traffic.log" 2>&1 </dev/null &
        pid=$!
        sleep "$seconds"
        kill -- -"$pid" 2>/dev/null || true
    else
        sleep "$seconds"
    fi
}

check_hits() {
    local probe hits
    while read -r probe; do
        hits=$(sed -n "s/^@hits\[$probe\]: //p" "$work/log")
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
script=$(script_for "$(bpftrace_version)")
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
wait_attached "$work/log" "$work/err" 0 120
run_traffic
end_tracer "$tracer_pid"
check_hits
check_events
((failures == 0)) || exit 1
echo "selftest.sh: every probe recorded something"
