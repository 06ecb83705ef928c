#!/usr/bin/env bash
# What each set of probes costs while this host serves a guest's traffic: the time that the kernel
# spends in the probes and that bpftrace spends on their output, each as a share of one CPU.
#   cost.sh [--seconds N] [summary|basic|full]...     as root; a TSV on stdout
# Run traffic beside it (selftest_traffic.sh KERNEL), the same for every set.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$here/common.sh"

usage="usage: cost.sh [--seconds N] [summary|basic|full]..."
seconds=20
stats=/proc/sys/kernel/bpf_stats_enabled

# Nanoseconds in the probes, their runs, and bpftrace's own clock ticks, up to now.
read_costs() {
    local pid=$1 stat
    read -r stat <"/proc/$pid/stat"
    awk -v stat="${stat##*) }" '$1 == "run_time_ns:" { ns += $2 } $1 == "run_cnt:" { runs += $2 }
        END { split(stat, field, " "); printf "%d %d %d\n", ns, runs, field[12] + field[13] }' \
        "/proc/$pid"/fdinfo/*
}

measure() {
    local set=$1 pid before after begin end lines
    PROBES=$set "$here/tracer.sh" start "$work/$set" </dev/null
    pid=$(<"$work/$set/tracer.pid")
    "$(product mark)" 1
    before=$(read_costs "$pid")
    read -r begin _ </proc/uptime
    sleep "$seconds"
    after=$(read_costs "$pid")
    read -r end _ </proc/uptime
    "$(product mark)" 2
    "$here/tracer.sh" stop "$work/$set" >/dev/null
    lines=$(grep -c '^R ' "$work/$set/host.log")
    echo "$set $begin $end $before $after $lines $(getconf CLK_TCK)" |
        awk '{ wall = $3 - $2; ns = $7 - $4; runs = $8 - $5
            printf "%s\t%.1f\t%d\t%d\t%.2f\t%.2f\t%d\n", $1, wall, runs / wall,
                runs ? ns / runs : 0, ns / wall / 1e7, 100 * ($9 - $6) / $11 / wall, $10 }'
}

sets=()
while (($# > 0)); do
    case $1 in
    --seconds)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$usage"
        seconds=$2
        shift
        ;;
    summary | basic | full) sets+=("$1") ;;
    *) die "$usage" ;;
    esac
    shift
done
((${#sets[@]} > 0)) || sets=(summary basic full)
need_host
[[ -w $stats ]] || die "this kernel does not account for probes: $stats is not there"
work=$(mktemp -d)
was=$(<"$stats")
trap 'for set in "${sets[@]}"; do "$here/tracer.sh" stop "$work/$set"; done >/dev/null 2>&1
    echo "$was" >"$stats"; rm -rf "$work"' EXIT
echo 1 >"$stats"
printf 'set\tseconds\tprobe_runs_per_s\tns_per_run\tprobes_pct\tbpftrace_pct\trecords\n'
for set in "${sets[@]}"; do
    measure "$set"
done
