#!/usr/bin/env bash
# Runs a sweep on one host: expands experiments/sweeps/NAME.sweep into cells, runs those that have
# no result yet, joins and summarises them under results/NAME.
#   sweep.sh NAME        HOST=local|lab|user@name chooses the host, PROBES=basic|full the probes
# A finished cell is never run again; killed, the sweep loses the cell in flight and goes on with
# the next call. Exit status 0: every cell is there and joined; 1: not, and the last line says why.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
export BUILD=${BUILD:-$root/build}
# shellcheck source=experiments/host.sh
. "$here/host.sh"
# shellcheck source=experiments/progress.sh
. "$here/progress.sh"
# shellcheck source=experiments/interruptible.sh
. "$here/interruptible.sh"

sweep=${1:?usage: sweep.sh NAME (a file experiments/sweeps/NAME.sweep)}
file=$here/sweeps/$sweep.sweep
results=${RESULTS:-$root/results}/$sweep
kit=ringscope-kit

die_as() {
    local status=$1
    shift
    printf '\nsweep.sh: %s\n' "$*" >&2
    exit "$status"
}

die() {
    die_as 1 "$@"
}

expand() {
    awk -f "$here/expand.awk" "$here/params.tsv" "$file" >"$results/cells.part" || exit 1
    # A cell's directory is named by what it is, so a sweep that grows keeps the cells it has.
    while read -r line; do
        printf '%s %s\n' "$(printf '%s' "$line" | sha256sum | cut -c1-12)" "$line"
    done <"$results/cells.part" >"$results/cells.txt.part"
    mv "$results/cells.txt.part" "$results/cells.txt"
    rm "$results/cells.part"
}

# The parameters of one scope, as name=value words.
words_of() {
    awk -F '\t' -v scope="$1" -v line="$2" '
        NF == 5 && $2 == scope && match(" " line " ", " " $1 "=[^ ]* ") {
            printf "%s ", substr(" " line, RSTART + 1, RLENGTH - 2)
        }' "$here/params.tsv"
}

# Facts of the host for the manifests; one name=value line each.
describe_host() {
    host_run "cd $kit; uname -r | sed 's/^/kernel=/'
        qemu-system-x86_64 --version | sed -n '1s/.*version /qemu=/p'
        bpftrace --version | sed 's/^bpftrace v*/bpftrace=/'
        sed -n 's/^PRETTY_NAME=\"\\(.*\\)\"/os=\\1/p' /etc/os-release
        sed -n 's/^model name[^:]*: /cpu=/p' /proc/cpuinfo | head -n 1
        echo probes='${PROBES:-basic}'
        echo cpus=\$(getconf _NPROCESSORS_ONLN)
        echo clocksource=\$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)
        systemd-detect-virt 2>/dev/null | sed 's/^/virt=/' || true"
}

# Results of one cell are a few MiB; a disk that fills in the middle of one would lose it.
need_space() {
    local free
    free=$(df -Pm "$results" | awk 'NR == 2 { print $4 }')
    ((free >= 64)) || die "only $free MiB free for $results: free some and run again," \
        "finished cells are kept"
}

open_host() {
    host_open || die "no host to run cells on"
    echo "$host_name" >"$results/host_in_use"
    host_deploy "$kit" || die "cannot copy the programs to $host_name"
    accel=$(host_run "cd $kit && ./accel.sh 2>accel.log") || die "no accelerator can run a guest"
    emulated=1
    if [[ $host_name != lab && $accel == kvm ]]; then
        emulated=0
    fi
    describe_host >"$results/host.txt"
    host_run "cd $kit && PROBES='${PROBES:-basic}' ./tracer.sh start tracer" || die "the host's tracer did not start"
    booted=''
}

# After the worker, which may have been killed: what it had started there is stopped.
close_host() {
    [[ -f $results/host_in_use ]] || return 0
    read -r host_name <"$results/host_in_use"
    rm "$results/host_in_use"
    host_run "cd $kit && ./guest.sh stop; ./tracer.sh stop tracer" >/dev/null 2>&1 || true
}

boot_guest() {
    local words
    words=$(words_of boot "$1")
    [[ $words != "$booted" ]] || return 0
    booted=''
    # shellcheck disable=SC2086
    host_run "cd $kit && ./guest.sh start ${words/backend=vhost-net/} accel=$accel" ||
        die "the guest did not boot on $host_name with: $words"
    qemu_pid=$(host_run "cat $kit/guest/pid")
    booted=$words
}

describe_cell() {
    tr ' ' '\n' <<<"$2" | sed -n 's/^\([^=]*\)=\(.*\)/param:\1\t\2/p'
    printf 'host:%s\t%s\n' sweep "$sweep" cell "$1" host "$host_name" accel "$accel" \
        emulated "$emulated" number "$number" qemu_pid "$qemu_pid"
}

# Runs one cell into cells/HASH. The cell is written aside and renamed when all of it is there.
run_cell() {
    local hash=$1 line=$2 part=$results/cells/$1.part status=0 rep seed
    need_space
    rm -rf "$part" "$results/cells/$hash" "$results/cells/$hash.failed"
    mkdir -p "$part"
    boot_guest "$line"
    number=$((number + 1))
    describe_cell "$hash" "$line" >"$part/cell.tsv"
    rep=${line##* rep=}
    seed=${line##* seed=}
    seed=${seed%% *}
    host_run "cd $kit && ./cell.sh cell $(words_of load "$line" |
        sed "s/seed=[0-9]*/seed=$((seed + rep))/; s/rep=[0-9]*//") number=$number" ||
        return 1
    host_get "$kit/cell" "$part" || return 1
    "$here/finish_cell.sh" "$part" 2>"$part/finish.err" || status=$?
    cat "$part/finish.err" >&2
    "$here/manifest.sh" "$part/cell.tsv" "$results/host.txt" >"$part/manifest.json" || return 1
    [[ $status == 0 ]] || return "$status"
    touch "$part/DONE"
    mv "$part" "$results/cells/$hash"
}

run_all() {
    local hash line done_now=0 failed=0 todo
    todo=$(pending | wc -l)
    [[ $todo -gt 0 ]] || return 0
    need_space
    open_host
    progress_start "$todo" "$(($(wc -l <"$results/cells.txt") - todo))"
    while read -r hash line <&3; do
        progress_show "$done_now" "$(words_of boot "$line" | sed 's/backend=[^ ]* //; s/ machine.*//') $(
            words_of load "$line" | sed 's/.*\(offered_pps=[0-9]*\).*/\1/') rep ${line##*rep=}"
        if ! run_cell "$hash" "$line" </dev/null; then
            failed=$((failed + 1))
            mv "$results/cells/$hash.part" "$results/cells/$hash.failed"
            printf '\nsweep.sh: cell %s failed (%s); what it left is in %s\n' "$hash" "$line" \
                "$results/cells/$hash.failed" >&2
            booted=''
        fi
        done_now=$((done_now + 1))
    done 3< <(pending)
    progress_show "$done_now" "all cells are run"
    progress_end
    [[ $failed == 0 ]] || die "$failed of $todo cells failed; the others are kept, run again to retry"
}

pending() {
    local hash line
    while read -r hash line; do
        [[ -f $results/cells/$hash/DONE ]] || printf '%s %s\n' "$hash" "$line"
    done <"$results/cells.txt"
}

[[ -f $file ]] || die "no sweep named '$sweep'; there are: $(cd "$here/sweeps" && echo *.sweep | sed 's/\.sweep//g')"
mkdir -p "$results/cells" || die "cannot write $results"
number=0
expand
status=0
interruptible run_all || status=$?
close_host
if [[ $status == 130 ]]; then
    cells=$(wc -l <"$results/cells.txt")
    die_as 130 "interrupted; $((cells - $(pending | wc -l))) of $cells cells are finished and kept," \
        "run again to go on"
fi
[[ $status == 0 ]] || exit "$status"
"$here/summarize.sh" "$results"
"$here/manifest.sh" --sweep "$results" >"$results/manifest.json.part"
mv "$results/manifest.json.part" "$results/manifest.json"
