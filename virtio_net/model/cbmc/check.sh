#!/usr/bin/env bash
# Proves the used-ring pop of both ring formats with CBMC, and that the proof can fail: faults of
# ../../mutants/mutants.tsv must be refuted, each by the property that names it. TAP.
# Without cbmc (Debian 13 has it, Debian 12 does not) there is nothing but a line that says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=${BUILD:-$root/build}/cbmc

if ! command -v cbmc >/dev/null; then
    echo "ok 1 used-ring pop # skip cbmc is not installed: Debian 13 has it, Debian 12 does not"
    exit 0
fi
mkdir -p "$out"

# Ring size 4; the first loop over the ring's memory is longer than the others.
prove() { # TREE POPS ARGUMENT...
    local tree=$1 pops=$2
    shift 2
    (cd "$tree" && cbmc -DSIZE=4 -DPOPS="$pops" "$@" --unwind 10 --unwindset vring_init.0:129 \
        --unwinding-assertions --bounds-check --pointer-check \
        --slice-formula --drop-unused-functions virtio_net/model/cbmc/pop.c)
}

n=0 bad=0
report() { # OK TEXT
    n=$((n + 1))
    [[ $1 == ok ]] || bad=1
    echo "$1 $n $2"
}

holds() { # NAME DEFINE...
    local name=$1 log=$out/$1.log
    shift
    if prove "$root" 2 "$@" >"$log" 2>&1 && grep -q '^VERIFICATION SUCCESSFUL' "$log"; then
        report ok "$name: $(sed -n 's/^\*\* 0 of \([0-9]*\) failed.*/\1/p' "$log") properties hold"
    else
        report 'not ok' "$name"
        { grep -E 'FAILURE|rror' "$log" || tail -n 5 "$log"; } | head -n 10
    fi
}

refuted() { # MUTANT PROPERTY DEFINE...
    local name=$1 property=$2 log=$out/$1.log dir=$out/$1
    shift 2
    rm -rf "$dir"
    "$root/virtio_net/mutants/mutants.sh" --plant "$name" "$dir"
    prove "$dir" 1 "$@" >"$log" 2>&1 || true
    if grep -q '^VERIFICATION FAILED' "$log" && grep -E "$property.*: FAILURE" "$log" >/dev/null; then
        report ok "$name is refuted: $property"
    else
        report 'not ok' "$name is not refuted by: $property"
        tail -n 5 "$log"
    fi
    rm -rf "$dir"
}

holds split
holds packed -DPACKED
refuted id_range_unchecked 'pointer|bounds'
refuted id_outstanding_unchecked 'no id accepted twice'
refuted length_not_clamped 'length within the buffer'
refuted packed_id_range_unchecked 'pointer|bounds' -DPACKED
refuted packed_id_outstanding_unchecked 'no id accepted twice' -DPACKED
exit "$bad"
