#!/usr/bin/env bash
# Searches the scenes of scenes.tsv in every mode with every ring, plays random schedules, and plants
# the faults of faults.tsv, each of which must be found, by a schedule that can be played again. TAP.
#   schedule.sh test               the fast scenes, SCHEDULES=2000 random ones a mode, the faults
#   schedule.sh deep               all scenes, SCHEDULES=1000000; writes results/proof/schedule.tsv
#   schedule.sh fault [NAME...]    these faults, and their schedules step by step
# The programs must be there (make schedule-programs).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build}
programs=$build/virtio_net/schedule
out=$build/schedule
results=${RESULTS:-$root/results}/proof
rows=$out/rows.tsv

n=0 bad=0
report() { # OK TEXT
    n=$((n + 1))
    [[ $1 == ok ]] || bad=1
    echo "$1 $n $2"
}

# A row as the programs print it, with what was expected behind; a fault's schedule is shown.
judge() { # KIND EXPECTED FILE ROW
    local mode scene states transitions schedules verdict
    IFS=$'\t' read -r mode scene states transitions schedules _ verdict <<<"$4"
    printf '%s\t%s\t%s\n' "$1" "$4" "$2" >>"$rows"
    if [[ $verdict == "$2" ]]; then
        report ok "$1 $mode ${scene# }: $states states, $transitions steps, $schedules schedules, $verdict"
    else
        report 'not ok' "$1 $mode ${scene# }: $verdict, expected: $2"
        [[ ! -e $3 ]] || "$programs/schedule-$mode" replay "$3" | sed 's/^/# /'
    fi
}

scenes() { # TIER...
    local tier words mode format notify row
    while IFS=$'\t' read -r tier words; do
        [[ " $* " == *" $tier "* ]] || continue
        for mode in poll intr hybrid; do
            for format in split packed; do
                for notify in flags event; do
                    # shellcheck disable=SC2086
                    row=$("$programs/schedule-$mode" search --fault "$out/fault" $format $notify $words) || true
                    judge scene holds "$out/fault" "$row"
                done
            done
        done
    done <"$here/scenes.tsv"
}

# So many seeds of each mode.
chance() { # SEEDS
    local mode row
    for mode in poll intr hybrid; do
        row=$("$programs/schedule-$mode" random --fault "$out/fault" 0 "$1") || true
        judge random holds "$out/fault" "$row"
    done
}

# The program of a mode with a fault in it: objects of the healthy one, but for what the fault touches.
plant() { # NAME MODE DIR
    local table
    mkdir -p "$3/build/virtio_net"
    cp -a "$root"/{virtio_net,faultinj,trace} "$3/"
    cp -a "$programs" "$3/build/virtio_net/"
    find "$3/build" -name '*.d' -exec sed -i "s#$build/#$3/build/#g" {} +
    rm -f "$3"/build/virtio_net/schedule/schedule-*
    for table in "$here/planted.tsv" "$root/virtio_net/mutants/mutants.tsv"; do
        if grep -q "^$1"$'\t' "$table"; then
            awk -F '\t' -v name="$1" -v dir="$3" -f "$root/virtio_net/mutants/replace.awk" "$table"
            make -s -C "$3" -f virtio_net/build.mk BUILD="$3/build" VNET_WERROR= \
                "$3/build/virtio_net/schedule/schedule-$2" >"$3/log" 2>&1 && return
            head -n 5 "$3/log" >&2
            return 1
        fi
    done
    echo "schedule.sh: no text for the fault '$1'" >&2
    return 1
}

# Found, as what it is; and what was found can be played again.
fault() { # NAME MODE SCENE VERDICT
    local dir=$out/$1 program row again
    program=$dir/build/virtio_net/schedule/schedule-$2
    rm -rf "$dir"
    if ! plant "$1" "$2" "$dir"; then
        report 'not ok' "fault $1 is not planted"
        return
    fi
    # shellcheck disable=SC2086
    row=$("$program" search --fault "$out/$1.steps" $3) || true
    judge "fault:$1" "$4" "$dir/none" "$row"
    again=$("$program" replay "$out/$1.steps" 2>&1 | tee "$out/$1.log" | tail -n 1) || true
    [[ $again == "$4" ]] || report 'not ok' "fault $1: its schedule plays as: $again"
    rm -rf "$dir"
}

faults() { # NAME...: only these
    local name mode words verdict
    while IFS=$'\t' read -r name mode words verdict; do
        [[ $name != \#* && ($# == 0 || " $* " == *" $name "*) ]] || continue
        rm -f "$out/$name.steps"
        fault "$name" "$mode" "$words" "$verdict"
        [[ $# == 0 ]] || sed 's/^/# /' "$out/$name.log"
    done <"$here/faults.tsv"
}

table() {
    mkdir -p "$results"
    {
        printf 'kind\tmode\tscene\tstates\tsteps\tschedules\tlongest\tverdict\texpected\n'
        cat "$rows"
    } >"$results/schedule.tsv.part"
    mv "$results/schedule.tsv.part" "$results/schedule.tsv"
}

mkdir -p "$out"
rm -f "$rows" "$out"/*.steps "$out/fault"
case ${1:-} in
test)
    scenes fast
    chance "${SCHEDULES:-2000}"
    faults
    ;;
deep)
    scenes fast deep
    chance "${SCHEDULES:-1000000}"
    faults
    table
    ;;
fault)
    shift
    faults "$@"
    ;;
*)
    echo "usage: schedule.sh test|deep|fault [NAME...]" >&2
    exit 2
    ;;
esac
echo "1..$n"
exit "$bad"
