#!/usr/bin/env bash
# Has SPIN search each variant of variants.tsv to the end, or to its first error, and compares what it
# says with what is expected. Writes results/proof/models.tsv and prints it as TAP. Exit status 1 if
# one differs; a search that was cut short differs from everything.
#   check.sh [NAME...]      only these; JOBS=n: so many at once (default: the processors)
# VARIANTS=file: another table; DEPTH, MEGABYTES: the limits of a search.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${BUILD:-$root/build}/models
results=${RESULTS:-$root/results}/proof
table=${VARIANTS:-$here/variants.tsv}
depth=${DEPTH:-1000000}
megabytes=${MEGABYTES:-1000}

die() {
    echo "check.sh: $*" >&2
    exit 1
}

# verdict LOG: holds, the property that is violated, or why there is no verdict.
verdict() {
    awk '
        /^pan:/ && match($0, /assertion violated *!\([a-z_]+\)/) {
            found = substr($0, RSTART, RLENGTH); sub(/.*!\(/, "", found); sub(/\)/, "", found)
        }
        /^pan:.*acceptance cycle/ { found = "liveness" }
        /^pan:.*invalid end state/ { found = "stuck" }
        /max search depth too small/ { cut = "cut short by depth" }
        /MEMLIM|out of memory/ { cut = "cut short by memory" }
        /Search not completed/ { partial = 1 }
        /errors: 0$/ { clean = 1 }
        END {
            if (found != "") print found
            else if (cut != "") print cut
            else if (clean && !partial) print "holds"
            else print "no verdict"
        }' "$1"
}

row() { # NAME VERDICT EXPECTED LOG
    local states deep
    states=$(awk '/states, stored/ { print $1; exit }' "$4")
    deep=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' "$4")
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "${states:-0}" "${deep:-0}" "$2" "$3"
}

# A liveness property needs another search: acceptance cycles, with weak fairness.
try() {
    local name=$1 model defines expected dir=$out/$1 search=(-DSAFETY) run=() optimise=-O0
    IFS=$'\t' read -r name model defines expected _ < <(awk -F '\t' -v name="$name" '$1 == name' "$table")
    rm -rf "$dir"
    mkdir -p "$dir"
    cd "$dir"
    if [[ " $defines " == *" -DLIVE "* ]]; then
        search=(-DNFAIR=3)
        run=(-a -f)
    fi
    # A search to the end is worth a slower compiler; one to the first error wants a small table.
    if [[ $expected == holds ]]; then
        optimise=-O2
    else
        run+=(-w18)
    fi
    # shellcheck disable=SC2086
    if ! spin -a $defines "$here/$model.pml" >spin.log 2>&1 ||
        ! gcc $optimise -w "${search[@]}" -DMEMLIM="$megabytes" -DVECTORSZ=2048 -o pan pan.c >gcc.log 2>&1; then
        head -n 3 spin.log gcc.log >&2 || true
        printf '%s\t0\t0\tdoes not compile\t%s\n' "$name" "$expected" >"$out/$name.row"
        return
    fi
    ./pan "${run[@]}" -m"$depth" >pan.log 2>&1 || true
    row "$name" "$(verdict pan.log)" "$expected" pan.log >"$out/$name.row"
    rm -f pan pan.[bchmpt]
}

if [[ ${1:-} == --one ]]; then
    try "$2"
    exit
fi
command -v spin >/dev/null || die "spin is missing: run experiments/setup/setup.sh test"
names=$(awk -F '\t' '!/^#/ { print $1 }' "$table")
for name in "$@"; do
    grep -qxF -- "$name" <<<"$names" || die "no variant '$name'; there are: $(xargs <<<"$names")"
done
[[ $# == 0 ]] || names=$(printf '%s\n' "$@")
mkdir -p "$out" "$results"
rm -f "$out"/*.row
xargs -P "${JOBS:-$(nproc)}" -n 1 "$0" --one <<<"$names"
{
    printf 'variant\tstates\tdepth\tverdict\texpected\n'
    while read -r name; do cat "$out/$name.row"; done <<<"$names"
} >"$results/models.tsv.part"
mv "$results/models.tsv.part" "$results/models.tsv"
awk -F '\t' 'NR > 1 {
        n++
        bad += $4 != $5
        printf "%s %d %-36s %9d states  %s%s\n", ($4 == $5 ? "ok" : "not ok"), n, $1, $2, $4,
            ($4 == $5 ? "" : ", expected: " $5)
    }
    END { printf "# %d variants, %d not as expected\n", n, bad; exit bad > 0 }' "$results/models.tsv"
